"""Sizes, durations and moments: the text a person writes, and the value it stands for.

`parse_*` raises ValueError for a text it does not know; `format_*` gives a text that parses to the value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SPANS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SIZE = re.compile(r"(\d{1,15})(\.\d{1,3})?([KMGT]?)(?:I?B)?", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"(?:\d{1,9}[dhms]){1,4}", re.ASCII)
# Ten years, in seconds: nothing here lasts longer, and every sum of dates stays one.
_LONGEST = 3650 * 86400
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Where Python's own dates end, less a day: a moment must stay a date in every zone.
_FIRST, _LAST = date(1970, 1, 1), date(9999, 12, 30)


def parse_size(text: str) -> int:
    """Bytes of `512M`, `1.5G`, `1073741824`; units are powers of 1024, `MB` and `MiB` are the same as `M`."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError("not a size")
    whole, fraction, unit = match.groups()
    return (
        int(float(whole + (fraction or "")) * _UNITS[unit.upper()])
        if fraction
        else int(whole) * _UNITS[unit.upper()]
    )


def format_size(size: int) -> str:
    """The shortest exact text for a number of bytes."""
    for unit in ("T", "G", "M", "K"):
        tenths, rest = divmod(size * 10, _UNITS[unit])
        if size >= _UNITS[unit] and not rest:
            whole, tenth = divmod(tenths, 10)
            return f"{whole}.{tenth}{unit}" if tenth else f"{whole}{unit}"
    return str(size)


def parse_duration(text: str) -> timedelta | None:
    """The length of `90s`, `60m`, `12h`, `1h30m`, `7d`; None for `off`."""
    text = text.strip().lower()
    if text == "off":
        return None
    if not _DURATION.fullmatch(text):
        raise ValueError("not a duration")
    seconds = sum(int(count) * _SPANS[unit] for count, unit in re.findall(r"(\d+)([dhms])", text))
    if seconds > _LONGEST:
        raise ValueError("not a usable duration")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta | None) -> str:
    """The shortest exact text; whole seconds only, as `parse_duration` gives them."""
    if length is None:
        return "off"
    seconds = int(length.total_seconds())
    for unit, size in _SPANS.items():
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return "0m"


def parse_moment(text: str, zone: tzinfo, *, end: bool = False) -> datetime:
    """A moment in UTC. Without a zone of its own it is in `zone`; a date alone begins, or with `end` ends."""
    text = text.strip()
    if _DATE.fullmatch(text):
        day = _known(date.fromisoformat(text)) + timedelta(days=1 if end else 0)
        return datetime.combine(day, time(), zone).astimezone(UTC)
    moment = datetime.fromisoformat(text)
    _known(moment.date())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)


def format_moment(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(day: date) -> date:
    if not _FIRST <= day <= _LAST:
        raise ValueError("not a usable date")
    return day
