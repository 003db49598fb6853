"""One start on the Swarm: a home that is free, a slot, a service, and then its opening."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from environments import LaunchSpec
from spawners import nodes, service_spec, storage, task_state
from spawners.autopsy import facts
from spawners.errors import EngineDown, EngineRefused, LaunchFailed
from spawners.opening import Opening
from spawners.steps import Steps
from spawners.yard import Yard

# (image, highest CPU limit) → keyword arguments of `create_service`
Build = Callable[[str, float | None], Mapping[str, Any]]


class Start:
    """Runs one launch; the service it makes is the caller's to remove when it fails."""

    def __init__(
        self, yard: Yard, launch: LaunchSpec, steps: Steps, build: Build, home_timeout: float
    ) -> None:
        self._yard = yard
        self._launch = launch
        self._steps = steps
        self._build = build
        self._home_timeout = home_timeout
        self.service_id = ""

    async def run(self, concurrency: int, opening: Callable[[], Opening]) -> str:
        """The address that answers; raises LaunchFailed. `concurrency` 0 follows the CPUs."""
        launch = self._launch
        try:
            with self._yard.claim(launch.home_volume, launch.slug):
                await self._clear_the_way()
                self._steps.advance("queued")
                size = concurrency or await self._yard.nodes.starts()
                async with self._yard.queue.slot(size, self._rank):
                    return await opening().wait(await self._create())
        except EngineDown as error:
            raise LaunchFailed("engine-down", {}, str(error)) from error
        except EngineRefused as error:
            code, args = task_state.explain(str(error))
            raise LaunchFailed(code, facts(code, args, launch), str(error)) from error

    def _rank(self, rank: int) -> None:
        self._steps.explain("rank", {"rank": rank})

    async def _clear_the_way(self) -> None:
        """Never two containers on one home: remove what is left of this server, wait until it has ended."""
        launch, stack = self._launch, self._yard.engine.stack
        found = storage.occupancy(
            await self._yard.engine.services(person=launch.person_id),
            person=launch.person_id,
            environment=launch.environment_id,
            home=launch.home_volume,
            launch=launch.launch_id,
        )
        if found.busy_with and await self._in_use(launch.home_volume or ""):
            raise LaunchFailed("volume-busy", {"environment": found.busy_with})
        for leftover in found.leftovers:
            await self._yard.reaper.remove(service_spec.service_name(stack, leftover))
        if launch.home_volume:
            await self._wait_for(launch.home_volume)

    async def _in_use(self, home: str) -> bool:
        """A service whose container has ended is about to be removed; its home is free."""
        return storage.writers(await self._yard.engine.tasks(home=home), home) > 0

    async def _wait_for(self, home: str) -> None:
        def waited() -> None:
            self._steps.advance("queued")
            self._steps.explain("home-closing", {})

        try:
            async with asyncio.timeout(self._home_timeout):
                await self._yard.watcher.free(home, waited=waited)
        except TimeoutError as error:
            raise LaunchFailed("volume-busy", {}, "an old container does not end") from error

    async def _create(self) -> str:
        self._steps.advance("placed")
        ceiling = nodes.cpu_ceiling(await self._yard.nodes.ready(), self._launch.resources)
        spec = self._build(await self._yard.nodes.image(self._launch.image), ceiling)
        self.service_id = await self._yard.engine.create_service(spec)
        return str(spec["name"])
