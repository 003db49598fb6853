"""Memory of a server nobody works in: running, its page never opened, after a while of nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import docker

from benchmarks import cgroups
from benchmarks.engines import swarm
from benchmarks.harness import Engine, Spread, at_once

IDLE_SECONDS = 20.0
SERVERS = 3


def measure(
    client: docker.DockerClient, engines: Sequence[Engine], told: Callable[[str], None]
) -> dict[str, Any]:
    """MiB per idle server, by engine."""
    found = {}
    for engine in engines:
        before = _containers(client)
        at_once(engine, SERVERS)
        time.sleep(IDLE_SECONDS)
        servers = _containers(client) - before
        found[engine.name] = Spread.of([cgroups.memory_bytes(client, each) / 2**20 for each in servers])
        told(f"{engine.name}: {found[engine.name]}")
        engine.stop()
    return found


def _containers(client: docker.DockerClient) -> set[str]:
    """The containers of the benchmark's services."""
    return set(swarm.containers(client, "bench"))
