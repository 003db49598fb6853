"""One start, and 5, 10, 20 at the same instant: seconds to the interface, and what the Hub spends on each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import docker

from benchmarks import cgroups
from benchmarks.harness import Engine, Round, Spread, at_once

SETTLE = 2.0
"""Seconds after the last start that still count as the Hub's work on it (bookkeeping after the answer)."""


def measure(
    client: docker.DockerClient,
    engines: Sequence[Engine],
    count: int,
    rounds: int,
    told: Callable[[str], None],
) -> dict[str, Any]:
    """Let every engine start `count` servers, turn by turn and in changing order, `rounds` times each."""
    results: dict[str, list[Round]] = {engine.name: [] for engine in engines}
    costs: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for number in range(rounds):
        turn = number % len(engines)
        for engine in [*engines[turn:], *engines[:turn]]:
            done, cost = _round(client, engine, count)
            results[engine.name].append(done)
            costs[engine.name] += [cost] if cost is not None else []
            told(f"{engine.name} × {count}, round {number + 1}/{rounds}: {_words(done)}")
    return {name: _result(results[name], costs[name]) for name in results}


def _round(client: docker.DockerClient, engine: Engine, count: int) -> tuple[Round, float | None]:
    """One round and the Hub's processor seconds per start in it; everything is stopped afterwards."""
    engine.prepare(count)
    hub = engine.hub()
    before = cgroups.cpu_seconds(client, hub) if hub else 0.0
    done = at_once(engine, count)
    time.sleep(SETTLE)
    cost = (cgroups.cpu_seconds(client, hub) - before) / count if hub else None
    engine.stop()
    return done, cost


def _result(rounds: Sequence[Round], costs: Sequence[float]) -> dict[str, Any]:
    """All starts of all rounds together; each round's own median too, to see the spread between rounds."""
    samples = [sample for each in rounds for sample in each.samples]
    marks = sorted({mark for sample in samples for mark in sample.marks})
    return {
        "seconds": Spread.of([sample.seconds for sample in samples]),
        "last_of_round": Spread.of([each.samples[-1].seconds for each in rounds if each.samples]),
        "marks": {mark: Spread.of([sample.marks[mark] for sample in samples]) for mark in marks},
        "hub_cpu_seconds_per_start": Spread.of(costs),
        "failures": [failure for each in rounds for failure in each.failures],
        "idle_before": Spread.of([each.idle_before for each in rounds]),
        "rounds": [[round(sample.seconds, 4) for sample in each.samples] for each in rounds],
    }


def _words(done: Round) -> str:
    spread = Spread.of([sample.seconds for sample in done.samples])
    taken = f"{spread.median:.2f} s ({spread.smallest:.2f}…{spread.largest:.2f})" if spread else "no start"
    failed = f", FAILED {done.failures}" if done.failures else ""
    return f"{taken}, idle before {done.idle_before:.0%}{failed}"
