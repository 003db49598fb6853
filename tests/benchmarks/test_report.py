"""The table says what the figures say, also when some are missing."""

from __future__ import annotations

import json

from benchmarks import report
from benchmarks.harness import Spread

MACHINE = {
    "processor": "Abacus", "processors": 2, "memory_gib": 4, "kernel": "6", "system": "Debian",
    "engine": "20", "cgroup": "1", "load_before": 0.1,
}  # fmt: skip


def starts(seconds: float | None, failures: tuple[str, ...] = ()) -> dict[str, object]:
    spread = Spread.of([seconds] if seconds else [])
    return {
        "seconds": spread, "last_of_round": spread, "marks": {}, "hub_cpu_seconds_per_start": None,
        "failures": failures, "idle_before": Spread.of([0.9]), "rounds": [[seconds]] if seconds else [[]],
    }  # fmt: skip


def results(**engines: dict[str, object]) -> dict[str, object]:
    return {"machine": MACHINE, "image": {"name": "lab", "mib": 700}, "starts": {"10": engines}}


def test_ratios_are_of_medians() -> None:
    table = report.table(results(raw=starts(2.0), vanilla=starts(9.0), paillasse=starts(3.0)))
    assert "10 starts at once" in table
    assert "paillasse is 1.50 × raw" in table
    assert "paillasse is 3.00 × faster than vanilla" in table


def test_a_failed_start_shows_and_makes_no_ratio() -> None:
    table = report.table(results(raw=starts(2.0), paillasse=starts(None, ("capacity",))))
    assert "1 FAILED" in table
    assert "paillasse is" not in table


def test_the_file_holds_every_figure() -> None:
    read = json.loads(report.as_json(results(raw=starts(2.0))))
    assert read["starts"]["10"]["raw"]["seconds"] == {
        "median": 2.0, "smallest": 2.0, "largest": 2.0, "count": 1,
    }  # fmt: skip
