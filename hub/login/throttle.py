"""Bounds on guessing: how often one network may be wrong, and locks for names that nobody here has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

MOST_REMEMBERED = 10_000


def network_of(address: str) -> str:
    """One subscriber: an IPv4 address, or the /64 that an IPv6 address is one of."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def caller(forwarded: str, direct: str, trusted: Collection[str] = ()) -> str:
    """Who asks: the last address of X-Forwarded-For that no proxy of ours has; `direct` where there is none.

    Only what our own proxy has appended counts: Tornado's remote_ip believes any X-Real-Ip that is sent.
    """
    for address in reversed([each.strip() for each in forwarded.split(",")]):
        if address and address not in trusted:
            return address
    return direct


class Throttle:
    """Counts failures only, per network: a class behind one address signs in at once, a guesser runs dry.

    `burst` failures are free, then `per_minute`. Time is given in seconds of any steady clock.
    """

    def __init__(self, burst: int = 60, per_minute: int = 20) -> None:
        self._burst = burst
        self._rate = per_minute / 60
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> int:
        """Seconds until this network may try again; 0 when it may now."""
        missing = self._level(network_of(address), now) - (self._burst - 1)
        return ceil(missing / self._rate) if missing > 0 else 0

    def fail(self, address: str, now: float) -> None:
        """Count one failure."""
        network = network_of(address)
        self._spent[network] = (self._level(network, now) + 1, now)
        self._spent.move_to_end(network)
        if len(self._spent) > MOST_REMEMBERED:
            self._spent.popitem(last=False)

    def _level(self, network: str, now: float) -> float:
        level, at = self._spent.get(network, (0.0, now))
        return max(0.0, level - (now - at) * self._rate)


class ShadowLocks:
    """Locks unknown names exactly as accounts are locked, so that a lock does not tell who exists."""

    def __init__(self, lock_for: Callable[[int], timedelta | None]) -> None:
        self._lock_for = lock_for
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def locked_until(self, name: str) -> datetime | None:
        """Until when the name is locked, past or future; nothing when it never was."""
        failures, at = self._failures.get(name, (0, None))
        length = self._lock_for(failures)
        return at + length if at is not None and length is not None else None

    def fail(self, name: str, now: datetime) -> datetime | None:
        """Count one failure; returns until when the name is locked, if it now is."""
        failures, _ = self._failures.get(name, (0, now))
        self._failures[name] = (failures + 1, now)
        self._failures.move_to_end(name)
        if len(self._failures) > MOST_REMEMBERED:
            self._failures.popitem(last=False)
        return self.locked_until(name)
