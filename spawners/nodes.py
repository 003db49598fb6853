"""What the nodes of the Swarm can hold: how many CPUs, and by which name an image is asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from docker.errors import NotFound

from environments import Resources
from spawners.engine import Engine
from spawners.errors import EngineDown, EngineRefused

MAX_AGE = 30.0  # seconds: nodes come and go rarely
NANO = 10**9


@dataclass(frozen=True, slots=True)
class Node:
    """A node that takes servers: its CPUs and its memory in bytes."""

    cpus: float
    memory: int


def ready(nodes: Iterable[Mapping[str, Any]]) -> tuple[Node, ...]:
    """Those of the engine's nodes that take servers now."""
    found = []
    for node in nodes:
        if (node.get("Status") or {}).get("State") != "ready":
            continue
        if (node.get("Spec") or {}).get("Availability") != "active":
            continue
        size = (node.get("Description") or {}).get("Resources") or {}
        found.append(Node(size.get("NanoCPUs", 0) / NANO, size.get("MemoryBytes", 0)))
    return tuple(found)


def cpu_ceiling(nodes: Iterable[Node], wanted: Resources) -> float | None:
    """The highest CPU limit that no node which can hold the reservation refuses; None when unknown."""
    able = [
        node.cpus
        for node in nodes
        if node.cpus >= wanted.cpu_reservation and node.memory >= wanted.memory_reservation
    ]
    return min(able, default=None)


class Nodes:
    """The nodes, asked for at most every thirty seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._nodes: tuple[Node, ...] = ()
        self._asked_at = float("-inf")

    async def ready(self) -> tuple[Node, ...]:
        """The nodes that take servers; what was last known when the engine does not say."""
        if time.monotonic() - self._asked_at > MAX_AGE:
            try:
                self._nodes = ready(await self._engine.call("nodes"))
                self._asked_at = time.monotonic()
            except (EngineDown, EngineRefused):
                return self._nodes
        return self._nodes

    async def starts(self) -> int:
        """How many starts at once keep the CPUs busy: a third of a start is waiting for the engine."""
        return max(1, math.ceil(1.5 * sum(node.cpus for node in await self.ready())))

    async def image(self, name: str) -> str:
        """The image so named that no node asks a registry for it when it has it.

        With one node the id of the local image; otherwise the registry's digest, if it is known.
        """
        try:
            image = await self._engine.call("inspect_image", name)
        except (NotFound, EngineDown, EngineRefused):
            return name
        if len(await self.ready()) == 1:
            return str(image["Id"])
        digests = image.get("RepoDigests") or ()
        return str(digests[0]) if digests else name
