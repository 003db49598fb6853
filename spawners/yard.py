"""What all starts of one Hub process share: engine, watcher, queue, reaper, and who claims which home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spawners.engine import Engine
from spawners.errors import LaunchFailed
from spawners.nodes import Nodes
from spawners.queue import StartQueue
from spawners.reaper import Reaper
from spawners.watcher import TICK, Watcher


class Yard:
    """One per stack and process; it holds no truth that the engine does not hold, too."""

    def __init__(self, engine: Engine, network: str, *, tick: float = TICK) -> None:
        self.engine = engine
        self.watcher = Watcher(engine, network, tick=tick)
        self.queue = StartQueue()
        self.reaper = Reaper(engine)
        self.nodes = Nodes(engine)
        self._claims: dict[str, str] = {}

    @contextmanager
    def claim(self, home: str | None, slug: str) -> Iterator[None]:
        """Keep another start off this home until its service exists and says so itself."""
        if home is None:
            yield
            return
        if home in self._claims:
            raise LaunchFailed("volume-busy", {"environment": self._claims[home]})
        self._claims[home] = slug
        try:
            yield
        finally:
            del self._claims[home]
