"""`python -m benchmarks`: bring up what is compared, measure turn by turn, print, write, and clean up."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker

from benchmarks import machine, report
from benchmarks.engines import environment
from benchmarks.engines.paillasse import Paillasse
from benchmarks.engines.raw import Raw
from benchmarks.engines.reference import Reference
from benchmarks.engines.vanilla import Vanilla
from benchmarks.harness import Engine, at_once
from benchmarks.scenarios import image, memory, pages, starts

WAYS = ("raw", "vanilla", "stock", "paillasse")
MEASUREMENTS = ("image", "start", "burst", "memory", "pages")
BURSTS = (5, 10, 20)


def main(arguments: Sequence[str]) -> int:
    """Returns 1 when a start failed: a figure over fewer starts than asked for is not a figure."""
    given = _parser().parse_args(arguments)
    client = docker.from_env(timeout=120)
    results: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(client),
        "image": _image(client),
    }
    with ExitStack() as stack:
        engines = _bring_up(client, given.ways, stack)
        stack.callback(_show, results, given.json)  # also what there is when a measurement fails
        for engine in engines:
            _tell(f"{engine.name}: one start to warm up")
            at_once(engine, 1)
            engine.stop()
        _measure(client, engines, given, results)
    starts_of_all = [each for count in results.get("starts", {}).values() for each in count.values()]
    return int(any(each["failures"] for each in starts_of_all))


def _measure(
    client: docker.DockerClient, engines: Sequence[Engine], given: argparse.Namespace, results: dict[str, Any]
) -> None:
    if "image" in given.only:
        results["runs"] = image.measure(client, given.runs, _tell)
    counts = ([1] if "start" in given.only else []) + (list(given.bursts) if "burst" in given.only else [])
    for count in counts:
        rounds = given.runs if count == 1 else given.burst_runs
        results.setdefault("starts", {})[str(count)] = starts.measure(client, engines, count, rounds, _tell)
    if "memory" in given.only:
        results["memory"] = memory.measure(client, engines, _tell)
    ours = [engine for engine in engines if isinstance(engine, Paillasse)]
    if "pages" in given.only and ours:
        results["pages"] = pages.measure(ours[0], _tell)


def _show(results: dict[str, Any], file: Path | None) -> None:
    print(report.table(results), flush=True)
    if file:
        report.write(results, file)


def _bring_up(client: docker.DockerClient, ways: Sequence[str], stack: ExitStack) -> list[Engine]:
    reference = stack.enter_context(Reference(client)) if set(ways) - {"paillasse"} else None
    makers = {
        "raw": lambda: Raw(client, reference),
        "vanilla": lambda: Vanilla(client, reference),
        "stock": lambda: Vanilla(client, reference, "jupyterhub-singleuser"),
        "paillasse": lambda: Paillasse(client),
    }
    engines: list[Engine] = []
    for way in ways:
        _tell(f"bringing up {way}")
        engine = makers[way]()
        stack.callback(engine.close)
        engine.open()
        engines.append(engine)
    return engines


def _image(client: docker.DockerClient) -> dict[str, object]:
    image = client.images.get(environment.IMAGE)
    return {"name": environment.IMAGE, "id": image.id, "mib": round(image.attrs["Size"] / 2**20)}


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _words(allowed: Sequence[str], text: str) -> list[str]:
    words = text.split(",")
    if unknown := set(words) - set(allowed):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not among {', '.join(allowed)}")
    return words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="rounds of one start (default: 10)")
    parser.add_argument("--burst-runs", type=int, default=3, metavar="N", help="… of a burst (default: 3)")
    choices = (
        ("--bursts", BURSTS, lambda text: [int(word) for word in text.split(",")], "how many at once"),
        ("--only", MEASUREMENTS, lambda text: _words(MEASUREMENTS, text), "what to measure"),
        ("--ways", WAYS, lambda text: _words(WAYS, text), "what to compare"),
    )
    for option, all_, read, what in choices:
        told = f"{what} (default: {','.join(map(str, all_))})"
        parser.add_argument(option, type=read, default=list(all_), metavar="A,B", help=told)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    return parser


# Ended from outside, it cleans up all the same.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
sys.exit(main(sys.argv[1:]))
