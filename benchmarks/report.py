"""The table a person reads and the file a script reads; and the verdicts against the targets of issue 2."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness import Spread

Results = Mapping[str, Any]


def as_json(results: Results) -> str:
    """Everything measured, spreads as objects."""
    return json.dumps(results, indent=2, default=lambda value: dataclasses.asdict(value), ensure_ascii=False)


def write(results: Results, path: Path) -> None:
    path.write_text(as_json(results) + "\n")


def table(results: Results) -> str:
    """All figures as text, one block per measurement."""
    blocks = [_machine(results["machine"], results["image"])]
    blocks += [_starts(int(count), each) for count, each in results.get("starts", {}).items()]
    if "runs" in results:
        rows = [f"  {way:<26} {_spread(each, 's')}" for way, each in results["runs"].items()]
        blocks.insert(1, "\n".join(["`docker run` to the first answer", *rows]))
    if "memory" in results:
        rows = [f"  {name:<10} {_spread(each, 'MiB', 0)}" for name, each in results["memory"].items()]
        blocks.append("\n".join(["Memory of an idle server", *rows]))
    if "pages" in results:
        blocks.append("\n".join(["Pages of the portal", *_pages(results["pages"])]))
    return "\n\n".join(blocks)


def _machine(machine: Mapping[str, Any], image: Mapping[str, Any]) -> str:
    return (
        f"{machine['processor']}, {machine['processors']} processors, {machine['memory_gib']} GiB, "
        f"{machine['system']}, kernel {machine['kernel']}, engine {machine['engine']}, "
        f"cgroup v{machine['cgroup']}; load before: {machine['load_before']:.2f}\n"
        f"Image {image['name']} ({image['mib']} MiB)"
    )


def _starts(count: int, engines: Mapping[str, Any]) -> str:
    title = "One start" if count == 1 else f"{count} starts at once"
    lines = [f"{title}: seconds, median (smallest … largest)"]
    for name, each in engines.items():
        starts = sum(map(len, each["rounds"]))
        failed = f", {len(each['failures'])} FAILED" if each["failures"] else ""
        lines.append(
            f"  {name:<10} {_spread(each['seconds'], 's'):<32} {starts} starts{failed}, last of a round "
            f"{_spread(each['last_of_round'], 's')}, idle before {_spread(each['idle_before'], '', 2)}"
        )
        lines += [f"{'':13}{mark}: {_spread(spread, 's')}" for mark, spread in each["marks"].items()]
        if each["hub_cpu_seconds_per_start"]:
            lines.append(f"{'':13}hub: {_spread(each['hub_cpu_seconds_per_start'], 'CPU s')} per start")
    return "\n".join([*lines, *_ratios(engines)])


def _ratios(engines: Mapping[str, Any]) -> Iterator[str]:
    """How paillasse stands to its references, by medians."""
    ours = engines.get("paillasse", {}).get("seconds")
    for name, inverse in (("raw", False), ("vanilla", True), ("stock", True)):
        theirs = engines.get(name, {}).get("seconds")
        if ours and theirs:
            ratio = theirs.median / ours.median if inverse else ours.median / theirs.median
            yield f"  paillasse is {ratio:.2f} × " + (f"faster than {name}" if inverse else f"{name}")


def _pages(pages: Mapping[str, Any]) -> Iterator[str]:
    for accounts, both in pages.items():
        for page, each in both.items():
            yield (
                f"  {page:<5} {accounts:<20} {each['requests_per_second']:7.1f}/s, "
                f"one answer {_spread(each['milliseconds'], 'ms', 1)}"
            )


def _spread(spread: Spread | None, unit: str, digits: int = 3) -> str:
    if spread is None:
        return "–"
    figures = (f"{each:.{digits}f}" for each in (spread.median, spread.smallest, spread.largest))
    return "{} ({} … {}) {}".format(*figures, unit).rstrip()
