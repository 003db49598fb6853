"""Takes services away: at once for the person, and for as long as it takes behind their back.

Measured on one node: `service rm` alone leaves the container writing for 3.3 s, because the agent waits
for the network's gossip before it sends SIGTERM; scaling to 0 first is no faster. Sending SIGTERM
ourselves right after the removal ends it in 0.2 s. On another node Swarm's own pace is all there is.
Either way the task stays listed until its container has ended, and that is what a home waits for.
"""

from __future__ import annotations

import asyncio
import logging

from spawners import task_state
from spawners.engine import Engine
from spawners.errors import EngineDown, EngineRefused

PATIENCE = 600.0  # seconds an engine that is down is asked again; then the worker's reconciliation does it
TICK = 0.1

log = logging.getLogger(__name__)


class Reaper:
    """Removes services of this stack, in the background."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def remove(self, service: str, *, at_most: float = 5.0) -> None:
        """Return when the engine has taken the order, or after `at_most` seconds; the rest goes on alone."""
        await asyncio.wait({self.begin(service)}, timeout=at_most)

    def begin(self, service: str) -> asyncio.Task[None]:
        """Start removing; a second call joins the first. The task ends when the order is taken."""
        task = self._under_way.get(service)
        if task is None:
            task = self._under_way[service] = asyncio.create_task(self._remove(service))
            task.add_done_callback(lambda _: self._under_way.pop(service, None))
        return task

    async def _remove(self, service: str) -> None:
        pause, deadline = 0.2, asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                await self._engine.remove_service(service)
                await self._hurry(service)
            except (EngineDown, EngineRefused) as error:
                log.warning("Cannot remove %s yet: %s", service, error)
            else:
                return
            if asyncio.get_running_loop().time() > deadline:
                log.error("Gave up removing %s", service)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15)

    async def _hurry(self, service: str) -> None:
        for task in await self._engine.tasks_of([service]):
            container = task_state.container_of(task)
            if container and task_state.holds_home(task):
                await self._engine.terminate(container)

    async def gone(self, service: str) -> None:
        """Return when no container of the service runs any more. Raises EngineDown."""
        while True:
            tasks = await self._engine.tasks_of([service])
            if not any(task_state.holds_home(task) for task in tasks):
                return
            await asyncio.sleep(TICK)
