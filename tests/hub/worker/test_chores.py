"""The idle sweep, the proxy's memory, homes past their time, and patience with what is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from environments import LaunchState, homes, launching, queries
from hub.hubapi import HubDown
from hub.worker import loops
from hub.worker.chores import Chores
from tests.hub.portal.conftest import Site, Visitor


async def run(site: Site, *, active: timedelta) -> tuple[Visitor, str]:
    """A running server, last used so long ago."""
    member, slug = site.member()
    began = datetime.now(UTC) - active
    launch = await site.store.run(launching.request, member.username, slug, now=began)
    await site.store.run(launching.resolve, member.username, slug, began, ceilings=site.portal.ceilings)
    await site.store.run(launching.ready, launch.id, now=began)
    site.double.run(member.username, slug)
    server = site.double.servers[member.username, slug]
    server["started"] = server["last_activity"] = began.isoformat()
    return member, slug


async def test_the_unused_are_warned_and_then_stopped(site: Site, chores: Chores) -> None:
    member, slug = await run(site, active=timedelta(hours=1))
    busy, other = await run(site, active=timedelta(minutes=3))
    await chores.sweep()
    warned = await site.store.run(queries.current_launch, member.username, slug)
    assert warned is not None
    assert warned.stops_at is not None
    assert "Will stop:" in member.get("/").text
    assert (member.username, slug) in site.double.servers
    # The five minutes that the warning promised have gone by.
    past = datetime.now(UTC) - timedelta(minutes=6)
    await site.store.run(launching.warn, warned.id, past + timedelta(minutes=5), past)
    await chores.sweep()
    stopped = await site.store.run(queries.current_launch, member.username, slug)
    assert stopped is not None
    assert (stopped.state, stopped.end_reason) == (LaunchState.ENDED, "idle")
    assert (member.username, slug) not in site.double.servers
    assert (busy.username, other) in site.double.servers


async def test_who_extends_is_left_alone(site: Site, chores: Chores) -> None:
    member, slug = await run(site, active=timedelta(hours=1))
    await chores.sweep()
    member.post(f"/servers/{slug}/extend")
    await chores.sweep()
    kept = await site.store.run(queries.current_launch, member.username, slug)
    assert kept is not None
    assert kept.stops_at is None
    assert (member.username, slug) in site.double.servers


async def test_a_proxy_that_forgot_is_taught_again(site: Site, chores: Chores) -> None:
    await chores.repair_proxy()
    assert ("POST", "/hub/api/proxy") not in site.double.calls
    # What a proxy that was just started knows: the default route it gives itself.
    del site.double.routes["/services/portal"]
    await chores.repair_proxy()
    assert ("POST", "/hub/api/proxy") in site.double.calls
    assert "/services/portal" in site.double.routes


async def test_homes_go_when_their_time_has_come(site: Site, chores: Chores) -> None:
    member, slug = await run(site, active=timedelta(minutes=1))
    (home,) = await site.store.run(queries.homes, member.username)
    site.double.homes[home.volume] = (1, 1)
    past = datetime.now(UTC) - timedelta(days=1)
    await site.store.run(homes.schedule, member.username, slug, delete_after=past)
    await chores.clear_homes()
    assert home.volume in site.double.homes  # a server still uses it
    launch = await site.store.run(queries.current_launch, member.username, slug)
    assert launch is not None
    await site.store.run(launching.ended, launch.id, "stopped-by-user", now=datetime.now(UTC))
    await chores.clear_homes()
    assert home.volume not in site.double.homes
    assert await site.store.run(queries.homes, member.username) == ()


async def test_everyones_servers_are_read_page_by_page(site: Site, chores: Chores) -> None:
    for number in range(5):
        site.double.run(f"person{number}", "calcul")
        site.double.run(f"person{number}", "analyse")
    assert len(await chores.hub.all_servers(chores.token)) == 10


async def test_a_chore_outlives_every_trouble() -> None:
    pauses: list[float] = []
    away = [HubDown("away"), HubDown("away"), httpx.ConnectError("away")]
    trouble: list[Exception | None] = [*away, ValueError("broken"), None, None]

    async def chore() -> float | None:
        if not trouble:
            raise asyncio.CancelledError
        if error := trouble.pop(0):
            raise error
        return None if trouble else 0.5

    async def rest(seconds: float) -> None:
        pauses.append(seconds)

    with pytest.raises(asyncio.CancelledError):
        await loops.forever("a chore", chore, 2, rest)
    assert pauses == [2, 4, 6, 30, 2, 0.5]
