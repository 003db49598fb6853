"""Pure: what the engine, the Hub and our records say, compared; and what has to be done about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from environments import LaunchState, LaunchView
from hub.hubapi import HubServer
from hub.keeper_client import KeptServer

GRACE = timedelta(seconds=15)  # a launch is asked for, taken up and created within this time


@dataclass(frozen=True, slots=True)
class RemoveTrace:
    """The engine holds something of a launch that nobody waits for."""

    launch_id: str


@dataclass(frozen=True, slots=True)
class CloseLaunch:
    """Our records call a launch live that nobody runs: it ends, as a failure when it never was ready."""

    launch_id: str
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class StopServer:
    """The Hub runs a server whose launch is over."""

    username: str
    slug: str


Repair = RemoveTrace | CloseLaunch | StopServer


def compare(
    kept: Collection[KeptServer],
    running: Collection[HubServer],
    launches: Sequence[LaunchView],
    now: datetime,
) -> frozenset[Repair]:
    """The differences. `kept` must have been read before `running`, and that before `launches`.

    In that order a start under way is never taken for a left-over: its launch is recorded before
    the engine hears of it, and the Hub knows it before either.
    """
    alive = {(server.username, server.slug): server for server in running}
    open_ids = {launch.id: launch for launch in launches}
    repairs: set[Repair] = set()
    for trace in kept:
        launch = open_ids.get(trace.launch)
        if now - trace.created_at > GRACE and (launch is None or _key(launch) not in alive):
            repairs.add(RemoveTrace(trace.launch))
    for launch in launches:
        if _key(launch) not in alive and now - (launch.started_at or launch.requested_at) > GRACE:
            ready = launch.state is LaunchState.READY
            repairs.add(CloseLaunch(launch.id, "gone" if ready else "interrupted", failed=not ready))
    wanted = {_key(launch) for launch in launches}
    for key, server in alive.items():
        if server.ready and server.pending is None and key not in wanted:
            repairs.add(StopServer(*key))
    return frozenset(repairs)


def _key(launch: LaunchView) -> tuple[str, str]:
    return launch.username, launch.environment.slug
