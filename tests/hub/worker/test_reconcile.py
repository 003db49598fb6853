"""Reconciliation as a table: what the engine holds, what the Hub runs, what we recorded, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from environments import LaunchState, LaunchView, launching, queries
from hub.hubapi import HubServer
from hub.keeper_client import KeptServer
from hub.worker.chores import Chores
from hub.worker.reconcile import CloseLaunch, RemoveTrace, StopServer, compare
from tests.hub.portal.conftest import Site

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
OLD, NEW = NOW - timedelta(minutes=2), NOW - timedelta(seconds=2)


def trace(launch_id: str, created_at: datetime = OLD) -> KeptServer:
    return KeptServer(launch_id, f"paillasse-{launch_id}", "p1", "e1", "", created_at, "running")


@pytest.fixture(scope="module")
def launch(running_site: Site) -> Iterator[LaunchView]:
    """A live launch, asked for two minutes before NOW."""
    member, slug = running_site.member()
    made = running_site.store.run_sync(launching.request, member.username, slug, now=OLD)
    yield made
    running_site.store.run_sync(launching.ended, made.id, "stopped-by-user", now=NOW)


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("age", [OLD, NEW])
@pytest.mark.parametrize("hub", ["ready", "pending", "absent"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_recorded_launch(launch: LaunchView, ready: bool, age: datetime, hub: str, kept: bool) -> None:
    state = LaunchState.READY if ready else LaunchState.STARTING
    open_launch = replace(launch, state=state, started_at=age)
    key = (launch.username, launch.environment.slug)
    server = HubServer(*key, hub == "ready", None if hub == "ready" else "spawn", NOW, NOW)
    found = compare(
        [trace(launch.id, age)] if kept else [], [] if hub == "absent" else [server], [open_launch], NOW
    )
    if hub != "absent" or age is NEW:
        assert found == frozenset()
        return
    close = CloseLaunch(launch.id, "gone" if ready else "interrupted", failed=not ready)
    assert found == ({close, RemoveTrace(launch.id)} if kept else {close})


def test_what_nobody_recorded_goes_when_it_is_old() -> None:
    assert compare([trace("a"), trace("b", NEW)], [], [], NOW) == {RemoveTrace("a")}


@pytest.mark.parametrize(
    ("ready", "pending", "stopped"), [(True, None, True), (False, "spawn", False), (True, "stop", False)]
)
def test_a_server_whose_launch_is_over_is_stopped(ready: bool, pending: str | None, stopped: bool) -> None:
    server = HubServer("lea", "calcul", ready, pending, OLD, OLD)
    assert compare([], [server], [], NOW) == ({StopServer("lea", "calcul")} if stopped else set())


async def test_repairs_are_made_at_the_second_look(site: Site, chores: Chores) -> None:
    for other in await site.store.run(queries.open_launches):
        await site.store.run(launching.ended, other.id, "gone", now=datetime.now(UTC))
    member, slug = site.member()
    lost = await site.store.run(
        launching.request, member.username, slug, now=datetime.now(UTC) - timedelta(minutes=1)
    )
    old = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    rest = {"person": "", "environment": "", "home": "", "created_at": old, "state": "running"}
    site.double.traces = [{"launch": each, "service": each} | rest for each in (lost.id, "nobodys")]
    site.double.run("ghost", "left-over")
    assert await chores.reconcile()
    assert len(site.double.traces) == 2
    assert ("ghost", "left-over") in site.double.servers
    assert not await chores.reconcile()
    assert site.double.traces == []
    assert site.double.servers == {}
    closed = await site.store.run(queries.current_launch, member.username, slug)
    assert closed is not None
    assert (closed.state, closed.failure) == (LaunchState.FAILED, "interrupted")
    assert not await chores.reconcile()
