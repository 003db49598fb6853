"""A class behind one address signs in; a guesser runs dry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from environments import accounts
from hub.login import throttle
from hub.login.throttle import ShadowLocks, Throttle, caller, network_of

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_a_burst_is_free_then_failures_drip() -> None:
    gate = Throttle(burst=60, per_minute=20)
    for second in range(60):
        assert gate.wait("192.0.2.1", 0) == 0, second
        gate.fail("192.0.2.1", 0)
    assert gate.wait("192.0.2.1", 0) == 3
    assert gate.wait("192.0.2.1", 3) == 0
    assert gate.wait("192.0.2.2", 0) == 0


def test_a_guesser_gets_no_more_than_the_rate() -> None:
    gate = Throttle(burst=60, per_minute=20)
    tries = 0
    for tenth in range(36_000):
        if not gate.wait("192.0.2.1", tenth / 10):
            gate.fail("192.0.2.1", tenth / 10)
            tries += 1
    assert tries <= 60 + 60 * 20


def test_it_remembers_no_more_than_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_REMEMBERED", 5)
    gate, locks = Throttle(), ShadowLocks(accounts.lock_for)
    for number in range(20):
        gate.fail(f"192.0.2.{number}", 0)
        locks.fail(f"name-{number}", NOW)
    assert len(gate._spent) == len(locks._failures) == 5


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_one_subscriber_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("forwarded", "who"),
    [
        ("", "10.0.0.2"),
        ("192.0.2.1", "192.0.2.1"),
        ("1.2.3.4, 192.0.2.1", "192.0.2.1"),
        ("1.2.3.4,192.0.2.1,10.0.0.9", "192.0.2.1"),
        ("10.0.0.9", "10.0.0.2"),
        (",", "10.0.0.2"),
    ],
)
def test_nobody_chooses_the_address_they_are_counted_by(forwarded: str, who: str) -> None:
    assert caller(forwarded, "10.0.0.2", {"10.0.0.9"}) == who


def test_a_name_that_nobody_has_is_locked_as_an_account_would_be() -> None:
    locks = ShadowLocks(accounts.lock_for)
    told = [locks.fail("nobody", NOW) for _ in range(accounts.TRIES + 2)]
    assert told[: accounts.TRIES - 1] == [None] * (accounts.TRIES - 1)
    assert told[accounts.TRIES - 1 :] == [NOW + timedelta(seconds=length) for length in (30, 60, 120)]
    assert locks.locked_until("nobody") == told[-1]
    assert locks.locked_until("somebody") is None
