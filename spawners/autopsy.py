"""Why a server ended: the engine's words, the kernel's (out of memory) and the end of its log, together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from environments import Interface, Resources
from spawners import task_state
from spawners.engine import Engine
from spawners.errors import EngineDown, EngineRefused, LaunchFailed
from spawners.task_state import Args, Ended, Failed

KILLED = 137  # 128 + SIGKILL


class Wanted(Protocol):
    """What was to run: a LaunchSpec, or the EnvironmentView of a start that is taken over."""

    @property
    def image(self) -> str: ...
    @property
    def interface(self) -> Interface: ...
    @property
    def resources(self) -> Resources: ...


async def autopsy(engine: Engine, state: Failed | Ended, launch: Wanted, service: str) -> LaunchFailed:
    """The failure of a start whose task ended."""
    if isinstance(state, Ended):
        code, args, words = "exit", Args({"status": 0}), "it left by itself"
        if not state.by_itself:
            code, args, words = "interrupted", {}, "the engine was told to stop it"
        state = Failed(code, args, words, state.container)
    log_tail = await engine.log_tail(service) if state.container else ""
    if await out_of_memory(engine, state):
        state = Failed("oom", {}, state.words, state.container)
    state = task_state.blame_log(state, log_tail)
    return LaunchFailed(state.code, facts(state.code, state.args, launch), state.words, log_tail)


async def out_of_memory(engine: Engine, state: Failed) -> bool:
    """True when the kernel ended it for its memory limit.

    A task says only 137. The container knows, on its own node; of another node 137 is all there is,
    and nothing else kills a server of ours with SIGKILL while it is wanted.
    """
    if state.code != "exit":
        return False
    try:
        container = await engine.inspect(state.container) if state.container else None
    except (EngineDown, EngineRefused):
        container = None
    if container is not None:
        return bool(container["State"].get("OOMKilled"))
    return state.args.get("status") == KILLED


def facts(code: str, args: Mapping[str, str | int | float], launch: Wanted) -> Args:
    """What the start page needs to make its sentence."""
    own: dict[str, Args] = {
        "capacity": {"memory": launch.resources.memory_reservation, "cpu": launch.resources.cpu_reservation},
        "image-missing": {"image": launch.image},
        "image-auth": {"image": launch.image},
        "pull-timeout": {"image": launch.image},
        "oom": {"memory": launch.resources.memory_limit},
        "port-timeout": {"port": launch.interface.port},
    }
    return {**own.get(code, {}), **args}
