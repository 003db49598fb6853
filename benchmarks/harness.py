"""Many starts at the same instant, and what is measured of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Protocol

from benchmarks import machine

READY_SECONDS = 180.0
"""A start that takes longer counts as failed."""

QUIET = 0.85
"""Fraction of the processors that must be idle before a measurement begins."""

QUIET_SECONDS = 20.0
"""How long to wait for that; a busier machine is measured all the same, and the figure kept beside."""


class StartFailed(Exception):
    """The server did not come, in the engine's words."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One start: seconds from the click to the interface's first answer, and to what came before it."""

    seconds: float
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Round:
    """Several starts at once: the samples in order of readiness, the failures, and how idle it was before."""

    samples: tuple[Sample, ...]
    failures: tuple[str, ...]
    idle_before: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of some figures."""

    median: float
    smallest: float
    largest: float
    count: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread | None:
        if not figures:
            return None
        return cls(statistics.median(figures), min(figures), max(figures), len(figures))


class Engine(Protocol):
    """One way to start servers. `start` is called in threads, once per person 0 … count-1."""

    name: str

    def open(self) -> None: ...

    def prepare(self, count: int) -> None: ...

    def start(self, person: int) -> Sample: ...

    def stop(self) -> None: ...

    def hub(self) -> str: ...

    def close(self) -> None: ...


def at_once(engine: Engine, count: int) -> Round:
    """Start `count` servers at the same instant and wait for all; they still run on return."""
    engine.prepare(count)
    idle = machine.wait_until_idle(QUIET, QUIET_SECONDS)
    barrier = Barrier(count)
    failures: list[str] = []
    samples: list[Sample] = []

    def one(person: int) -> None:
        barrier.wait()
        try:
            samples.append(engine.start(person))
        except StartFailed as failure:
            failures.append(str(failure))

    with ThreadPoolExecutor(count) as threads:
        list(threads.map(one, range(count)))
    ordered = sorted(samples, key=lambda sample: sample.seconds)
    return Round(tuple(ordered), tuple(failures), idle)


def until(check: Callable[[], bool], seconds: float, what: str, pause: float = 0.1) -> None:
    """Wait until the check holds. Raises StartFailed with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise StartFailed(f"after {seconds:.0f} s: {what}")
        time.sleep(pause)
