"""The worker's chores: each is one round of one concern, and may be done again at any time."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from environments import Running, Store, Verdict, homes, launching, queries
from hub.hubapi import HubApi
from hub.keeper_client import HomeInUse, Keeper
from hub.worker.reconcile import CloseLaunch, RemoveTrace, Repair, StopServer, compare

PORTAL = "/services/portal"

log = logging.getLogger("paillasse.worker")

PORTAL = "/services/portal"  # the route that tells whether the Hub has written its own


@dataclass
class Chores:
    """What the worker can reach, and the token it does it with."""

    store: Store
    hub: HubApi
    keeper: Keeper
    proxy: httpx.AsyncClient
    token: str
    proxy_token: str
    _suspected: frozenset[Repair] = field(default_factory=frozenset)
    _doomed: set[str] = field(default_factory=set)

    async def sweep(self) -> None:
        """Warn and stop the servers that nobody uses, or that have run for as long as they may."""
        servers = [
            server for server in await self.hub.all_servers(self.token) if server.ready and not server.pending
        ]
        running = [
            Running(server.username, server.slug, server.last_activity, server.started)
            for server in servers
            if server.started is not None
        ]
        for verdict in await self.store.run(launching.sweep, running, now=_now()):
            await self._carry_out(verdict)

    async def _carry_out(self, verdict: Verdict) -> None:
        if verdict.decision == "warn" and verdict.stops_at is not None:
            await self.store.run(launching.warn, verdict.launch_id, verdict.stops_at, now=_now())
        elif verdict.decision == "stop":
            log.info("stopping %s (%s): %s", verdict.slug, verdict.launch_id, verdict.reason)
            # The reason first: the spawner, told to stop, would call it the person's own wish.
            await self.store.run(launching.ended, verdict.launch_id, verdict.reason, now=_now())
            await self.hub.stop(self.token, verdict.username, verdict.slug)

    async def reconcile(self) -> bool:
        """Mend what two rounds in a row find broken; true when something was found for the first time."""
        kept = await self.keeper.servers()
        running = await self.hub.all_servers(self.token)
        launches = await self.store.run(queries.open_launches)
        found = compare(kept, running, launches, _now())
        for repair in found & self._suspected:
            log.warning("reconciliation: %s", repair)
            await self._mend(repair)
        fresh = found - self._suspected
        self._suspected = fresh
        return bool(fresh)

    async def _mend(self, repair: Repair) -> None:
        match repair:
            case RemoveTrace(launch_id):
                await self.keeper.remove(launch_id)
            case CloseLaunch(launch_id, reason, failed=True):
                await self.store.run(launching.failed, launch_id, reason, {}, "", now=_now())
            case CloseLaunch(launch_id, reason):
                await self.store.run(launching.ended, launch_id, reason, now=_now())
            case StopServer(username, slug):
                await self.hub.stop(self.token, username, slug)

    async def repair_proxy(self) -> None:
        """A proxy that was restarted has forgotten every route; the Hub writes them again when asked."""
        answer = await self.proxy.get("/api/routes", headers={"Authorization": f"token {self.proxy_token}"})
        answer.raise_for_status()
        # Not `/`: the proxy gives itself that one at its start. Only the Hub writes the portal's.
        if not any(route.startswith(PORTAL) for route in answer.json()):
            log.warning("the proxy has forgotten its routes: having the Hub write them again")
            await self.hub.repair_routes(self.token)

    async def clear_homes(self) -> None:
        """Remove for good the homes whose grace period is over; what the keeper refuses is tried again."""
        await self.keeper.servers()  # a keeper that is away must not cost us the record of what to remove
        self._doomed |= {home.volume for home in await self.store.run(homes.take_due, _now())}
        for volume in sorted(self._doomed):
            try:
                await self.keeper.delete_home(volume)
            except HomeInUse:
                log.warning("home %s is still in use", volume)
                continue
            log.info("home %s removed", volume)
            self._doomed.discard(volume)


def _now() -> datetime:
    return datetime.now(UTC)
