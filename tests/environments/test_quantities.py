"""What people write for sizes, durations and moments, and what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments import quantities
from environments.quantities import format_duration, format_moment, format_size, parse_duration, parse_moment

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512M", 512 * 2**20),
        ("1.5G", 3 * 2**29),
        ("1g", 2**30),
        ("2GB", 2**31),
        ("64MiB", 2**26),
        ("1024", 1024),
        ("8K", 8192),
        ("0.5T", 2**39),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert quantities.parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "G", "-1G", "1,5G", "1.5.5G", "1 G", "1X", "9" * 16, "١G", "1e9", "0x10"]
)
def test_not_sizes(text: str) -> None:
    with pytest.raises(ValueError):
        quantities.parse_size(text)


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_a_size_survives_being_written(size: int) -> None:
    assert quantities.parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("size", "text"), [(2**30, "1G"), (3 * 2**29, "1.5G"), (2**28, "256M"), (1000, "1000")]
)
def test_a_size_is_written_short(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("60m", timedelta(hours=1)),
        ("1h30m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("90S", timedelta(seconds=90)),
        ("off", None),
        ("OFF", None),
    ],
)
def test_durations(text: str, length: timedelta | None) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "60", "m", "1.5h", "-1h", "1w", "1h 30m", "never", "9999999d"])
def test_not_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.none() | st.integers(min_value=0, max_value=10**8).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_duration_survives_being_written(length: timedelta | None) -> None:
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-09-01", False, "2026-08-31T22:00:00Z"),
        ("2026-09-01", True, "2026-09-01T22:00:00Z"),
        ("2026-12-01", False, "2026-11-30T23:00:00Z"),
        ("2026-09-01 08:00", False, "2026-09-01T06:00:00Z"),
        ("2026-09-01T08:00+00:00", True, "2026-09-01T08:00:00Z"),
        ("2026-09-01T08:00:30Z", False, "2026-09-01T08:00:30Z"),
    ],
)
def test_moments_are_in_the_sites_zone_unless_they_say(text: str, end: bool, moment: str) -> None:
    assert format_moment(parse_moment(text, PARIS, end=end)) == moment


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "01/09/2026", "2026-13-01", "2026-02-30", "0001-01-01", "9999-12-31"]
)
def test_not_moments(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text, UTC)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9000, 1, 1)))
def test_a_moment_survives_being_written(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    assert parse_moment(format_moment(moment), PARIS) == moment
