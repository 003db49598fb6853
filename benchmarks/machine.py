"""The machine the figures are from, and how busy it is."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import docker


def describe(client: docker.DockerClient) -> dict[str, object]:
    """What a reader must know to compare: processor, memory, kernel, engine."""
    facts = client.info()
    processor = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line for line in processor if line.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "processors": os.cpu_count(),
        "memory_gib": round(facts["MemTotal"] / 2**30, 1),
        "kernel": facts["KernelVersion"],
        "system": facts["OperatingSystem"],
        "engine": facts["ServerVersion"],
        "cgroup": facts.get("CgroupVersion", "1"),
        "load_before": os.getloadavg()[0],
    }


def idle_fraction(seconds: float = 0.5) -> float:
    """The part of all processors that did nothing during so many seconds."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    spent = [late - early for early, late in zip(before, after, strict=True)]
    return (spent[3] + spent[4]) / max(1, sum(spent))  # idle and waiting for a disk


def wait_until_idle(wanted: float, seconds: float) -> float:
    """Wait until so much is idle, or so many seconds have passed; returns what was idle at the end."""
    deadline = time.monotonic() + seconds
    while (idle := idle_fraction()) < wanted and time.monotonic() < deadline:
        pass
    return idle


def _ticks() -> list[int]:
    return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
