"""SwarmEnvironmentSpawner: each server is a Swarm service of its own, made anew at every start.

Keeps the trait names of dockerspawner.SwarmSpawner; each override says which of its faults it mends.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from dockerspawner import SwarmSpawner
from traitlets import Float, Int, default

from environments import LaunchSpec, LaunchState, LaunchView, queries
from spawners import service_spec, storage
from spawners.autopsy import out_of_memory
from spawners.engine import Engine
from spawners.environment import EnvironmentMixin
from spawners.errors import EngineDown, EngineRefused, LaunchFailed
from spawners.opening import Opening, Patience
from spawners.start import Start
from spawners.steps import Steps
from spawners.task_state import Ended, Failed, Running, Waiting
from spawners.yard import Yard

FRESH = 5.0  # seconds a snapshot of all tasks serves the polls of all users


class SwarmEnvironmentSpawner(EnvironmentMixin, SwarmSpawner):
    """Starts environments on a Docker Swarm."""

    start_concurrency = Int(0, config=True, help="Starts at the same time; 0 is three for two CPUs.")
    answer_timeout = Float(120, config=True, help="Seconds from a start's turn to its first answer.")
    placement_timeout = Float(20, config=True, help="Seconds to wait for room on a node.")
    home_timeout = Float(60, config=True, help="Seconds to wait until the last server has left the home.")

    _yards: ClassVar[dict[tuple[str, str], Yard]] = {}

    @default("poll_interval")
    def _default_poll_interval(self) -> int:
        """A poll costs nothing here, so a crash is noticed twice as soon as by default."""
        return 15

    @property
    def yard(self) -> Yard:
        """What all starts on this stack and network share. Mends: one thread for all Docker calls."""
        key = (self.stack, self.network_name)
        if key not in self._yards:
            self._yards[key] = Yard(Engine(self.stack), self.network_name)
        return self._yards[key]

    def docker(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """A Docker call, for the operator's own subclass; awaitable as in the parent, with a deadline."""
        return self.yard.engine.call(method, *args, **kwargs)

    @property
    def service(self) -> str:
        """The name of the service of the launch under way, or of the last one."""
        return service_spec.service_name(self.stack, self.launch_id)

    def wear(self, launch: LaunchSpec) -> None:
        """The image and the object's name, beside what every spawner sets."""
        super().wear(launch)
        self.image = launch.image
        self.object_name = self.service

    async def bring_up(self, launch: LaunchSpec, steps: Steps) -> str:
        """Mends: bind mounts, endless waiting, unnamed causes, services left behind."""
        start = Start(self.yard, launch, steps, self._build(launch), self.home_timeout)
        address = await start.run(self.start_concurrency, lambda: self._opening(launch, steps))
        self.object_id = start.service_id
        return f"{address}:{launch.interface.port}"

    def _build(self, launch: LaunchSpec) -> Any:
        site = service_spec.Site(self.stack, self.network_name, self._driver())
        extras = service_spec.Extras(
            self.extra_container_spec,
            self.extra_resources_spec,
            self.extra_placement_spec,
            self.extra_task_spec,
            self.extra_endpoint_spec,
            self.extra_create_kwargs,
            self.mounts,
        )
        hub = self.get_env()

        def build(image: str, cpus: float | None) -> dict[str, Any]:
            return service_spec.build(launch, site, image=image, hub=hub, cpus=cpus, extras=extras)

        return build

    def _driver(self) -> storage.Driver:
        return storage.Driver(self.volume_driver or "local", dict(self.volume_driver_options))

    @property
    def mounts(self) -> list[dict[str, Any]]:
        """The operator's `volumes`. Mends: a named volume became a bind, a driver an exception."""
        return [
            storage.operator_mount(source, vol["bind"], read_only=vol["mode"] == "ro", driver=self._driver())
            for source, vol in self.volume_binds.items()
        ]

    def _opening(self, launch: Any, steps: Steps) -> Opening:
        patience = Patience(self.placement_timeout, self.answer_timeout)
        path = f"{self.server.base_url}api"
        return Opening(self.yard, launch, steps, path, self.reach, patience)

    async def reach(self, state: Running) -> str:
        """The address at which the Hub and the proxy reach a task: its own, on the users' network."""
        return state.address

    def tear_down(self, launch_id: str) -> None:
        """Mends: a failed start left its service behind, as the Hub stops only what polls as running."""
        self.yard.reaper.begin(service_spec.service_name(self.stack, launch_id))

    async def stop(self, now: bool = False) -> None:
        """Return as soon as the engine has the order. The home is free when the container has ended.

        Mends: the parent's next start met the old container under the same name.
        """
        if not self.launch_id:
            return
        await self.store()
        self.journal.ended(self.launch_id, "stopped-by-user")
        await self.yard.reaper.remove(self.service)
        await self.journal.written()
        self.clear_state()

    async def poll(self) -> int | None:
        """None while it runs, and while nobody knows. Mends: HTTP 500, `new` and `assigned` meant "gone"."""
        if self._starting:
            return None
        if not self.launch_id:
            return await self._find_again()
        try:
            state = await self.yard.watcher.look(self.launch_id, max_age=FRESH)
        except (EngineDown, EngineRefused) as error:
            self.log.warning("The engine does not say whether %s runs: %s", self._log_name, error)
            return None
        if isinstance(state, Waiting | Running):
            return None
        return await self._ended(state)

    async def _ended(self, state: Failed | Ended | None) -> int:
        """Tell why, once, and remove the traces: the Hub does not stop what says it has ended."""
        await self.store()
        reason = await self._reason(state)
        launch_id, self.launch_id = self.launch_id, ""
        if launch_id:
            self.journal.ended(launch_id, reason)
            self.tear_down(launch_id)
        return int(state.args.get("status", 1)) if isinstance(state, Failed) else 0

    async def _reason(self, state: Failed | Ended | None) -> str:
        if isinstance(state, Failed):
            oom = state.code == "oom" or await out_of_memory(self.yard.engine, state)
            return "oom" if oom else "crashed"
        if state is not None and state.by_itself:
            return "stopped-by-user"  # such as "Shut Down" in the interface
        return "gone"

    # A Hub that was killed finds the truth again

    async def _find_again(self) -> int | None:
        """A server row without a state: the Hub died during the start. Take the start over, or close it.

        This object has never started anything, so what the domain calls current is from before.
        """
        if self._began or not self.name or self.server is None:
            return 0
        self._began = True
        store = await self.store()
        launch = await store.run(queries.current_launch, self.user.name, self.name)
        if launch is None or not launch.live:
            return 0
        self.launch_id = launch.id
        try:
            await self._take_over(launch)
        except LaunchFailed as failure:
            self._close(launch, failure)
            return 0
        return None

    async def _take_over(self, launch: LaunchView) -> None:
        steps = Steps(self.teller(launch.id, self.language))
        self._starting = True
        try:
            if not await self._service_exists(launch.id):
                raise LaunchFailed("interrupted", {}, "the Hub was restarted before there was a service")
            self.port = launch.environment.interface.port
            address = await self._opening(launch.environment, steps).wait(self.service)
        finally:
            self._starting = False
        self.server.ip, self.server.port = address, self.port
        self.orm_spawner.state = self.get_state()
        steps.finish()
        self.journal.ready(launch.id)

    async def _service_exists(self, launch_id: str) -> bool:
        """Ask until the engine says: a Hub that starts with the machine may be there first."""
        while True:
            try:
                return bool(await self.yard.engine.services(launch=launch_id))
            except EngineDown as error:
                self.log.warning("The engine does not say whether %s runs: %s", self._log_name, error)
                await asyncio.sleep(1)

    def _close(self, launch: LaunchView, failure: LaunchFailed) -> None:
        self.log.warning("Launch %s of %s: %s", launch.reference, self._log_name, failure)
        self.launch_id = ""
        if launch.state is LaunchState.READY:
            self.journal.ended(launch.id, "gone")
        else:
            self.journal.failed(launch.id, failure.code, failure.facts, failure.log_tail)
        self.tear_down(launch.id)

    def get_state(self) -> dict[str, Any]:
        """Enough to find the server again: the launch names the service, the Hub keeps the address."""
        return {"launch_id": self.launch_id} if self.launch_id else {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Called when the Hub comes back."""
        self.launch_id = state.get("launch_id", "")

    def clear_state(self) -> None:
        """Forget the server that was stopped."""
        super().clear_state()
        self.launch_id = ""
        self.object_id = ""
