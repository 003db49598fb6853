"""One loop that reads tasks for every pending start, and one shared snapshot for every poll.

Mends SwarmSpawner: a poll per server and a wait with back-off per start. Here a hundred pending starts
cost one call per tick, none pending cost nothing, and all polls of a moment share one listing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from spawners import storage, task_state
from spawners.engine import Engine
from spawners.errors import EngineDown, EngineRefused
from spawners.task_state import Task, TaskState

Tell = Callable[[TaskState], None]
TICK = 0.1  # seconds between two looks while something waits

log = logging.getLogger(__name__)


class Watcher:
    """What the engine says about our tasks. `network` is the users' network, where addresses are read."""

    def __init__(self, engine: Engine, network: str, *, tick: float = TICK) -> None:
        self._engine = engine
        self._network = network
        self._tick = tick
        self._followers: dict[str, Tell] = {}
        self._last: dict[str, TaskState] = {}
        self._loop: asyncio.Task[None] | None = None
        self._snapshot: dict[str, TaskState] = {}
        self._taken_at = float("-inf")
        self._listing: asyncio.Task[None] | None = None

    @contextmanager
    def follow(self, service: str, tell: Tell) -> Iterator[None]:
        """Call `tell` with each new state of the service's task, as long as the block lasts."""
        self._followers[service] = tell
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            del self._followers[service]
            self._last.pop(service, None)

    async def _watch(self) -> None:
        while self._followers:
            try:
                tasks = await self._engine.tasks_of(sorted(self._followers))
                self._publish(tasks)
            except (EngineDown, EngineRefused) as error:
                log.warning("The engine does not say how starts go: %s", error)
            except Exception:
                # One odd task must not leave all the starts without news.
                log.exception("Cannot read the tasks")
            await asyncio.sleep(self._tick)

    def _publish(self, tasks: Iterable[Task]) -> None:
        for launch, state in self._states(tasks).items():
            service = f"{self._engine.stack}-{launch}"
            if service in self._followers and self._last.get(service) != state:
                self._last[service] = state
                self._followers[service](state)

    def _states(self, tasks: Iterable[Task]) -> dict[str, TaskState]:
        by_launch: dict[str, list[Task]] = defaultdict(list)
        for task in tasks:
            marks = task_state.labels(task)
            if marks.get(storage.LABEL_STACK) == self._engine.stack:
                by_launch[marks.get(storage.LABEL_LAUNCH, "")].append(task)
        newest = {launch: task_state.newest(found) for launch, found in by_launch.items()}
        return {launch: task_state.read(task, self._network) for launch, task in newest.items() if task}

    async def look(self, launch_id: str, *, max_age: float) -> TaskState | None:
        """The state of one start, at most `max_age` seconds old; None when it has no task at all.

        Raises EngineDown when the engine does not say.
        """
        now = time.monotonic()
        await self._list(not_before=now - max_age)
        if launch_id not in self._snapshot:
            await self._list(not_before=now)  # it may be younger than the snapshot
        return self._snapshot.get(launch_id)

    async def _list(self, not_before: float) -> None:
        """Everyone who asks while a listing is under way shares its outcome."""
        while self._taken_at < not_before:
            if self._listing is None or self._listing.done():
                self._listing = asyncio.create_task(self._take())
            await asyncio.shield(self._listing)

    async def _take(self) -> None:
        asked_at = time.monotonic()
        tasks = await self._engine.tasks()
        self._snapshot = self._states(tasks)
        self._taken_at = asked_at

    async def free(self, home: str, *, waited: Callable[[], None]) -> None:
        """Return when no container writes to `home`; `waited` is called once if it is not free at once.

        Tasks of a removed service stay listed until their container has ended, on any node.
        """
        first = True
        while storage.writers(await self._engine.tasks(home=home), home):
            if first:
                waited()
                first = False
            await asyncio.sleep(self._tick)
