"""Starts really happen at once, a failed one is kept as such, and figures come out in order."""

from __future__ import annotations

import threading

import pytest

from benchmarks import machine
from benchmarks.harness import Sample, Spread, StartFailed, at_once


class Way:
    """Starts that need each other: none returns before all have begun. Person 1 fails when told to."""

    name = "way"

    def __init__(self, fails: bool) -> None:
        self.fails = fails
        self.prepared = 0

    def prepare(self, count: int) -> None:
        self.prepared = count
        self.together = threading.Barrier(count, timeout=10)

    def start(self, person: int) -> Sample:
        self.together.wait()
        if self.fails and person == 1:
            raise StartFailed("no room")
        return Sample(10.0 - person)


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is idle at once: how busy the real one is, is no concern of these tests."""
    monkeypatch.setattr(machine, "wait_until_idle", lambda wanted, seconds: 0.9)


def test_all_start_together_and_the_fastest_comes_first() -> None:
    way = Way(fails=False)
    done = at_once(way, 4)
    assert way.prepared == 4
    assert [sample.seconds for sample in done.samples] == [7.0, 8.0, 9.0, 10.0]
    assert (done.failures, done.idle_before) == ((), 0.9)


def test_a_failure_is_told_beside_the_others() -> None:
    done = at_once(Way(fails=True), 3)
    assert [sample.seconds for sample in done.samples] == [8.0, 10.0]
    assert done.failures == ("no room",)


def test_a_spread_of_nothing_is_none() -> None:
    assert Spread.of([]) is None
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
