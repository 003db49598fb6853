"""The sweep and the extension, on real launches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from environments import NotFound, Running, launching
from tests.environments.support import NOW, World, after


def test_from_the_warning_to_the_stop(world: World) -> None:
    world.joined(idle={"timeout": "60m", "max_duration": "12h", "warning": "10m"})
    launch_id = world.running().launch_id
    assert world.verdicts(after(minutes=49), idle_since=NOW)[0].decision == "keep"
    (warned,) = world.verdicts(after(minutes=50), idle_since=NOW)
    assert (warned.decision, warned.launch_id, warned.stops_at) == ("warn", launch_id, after(minutes=60))
    assert warned.stops_at is not None
    view = world.store.run_sync(launching.warn, launch_id, warned.stops_at, after(minutes=50))
    assert (view.warned_at, view.stops_at) == (after(minutes=50), after(minutes=60))
    assert world.verdicts(after(minutes=59), idle_since=NOW)[0].decision == "keep"
    (stopped,) = world.verdicts(after(minutes=60), idle_since=NOW)
    assert (stopped.decision, stopped.reason) == ("stop", "idle")


def test_a_wish_for_more_time(world: World) -> None:
    world.joined(idle={"timeout": "60m", "max_duration": "12h", "warning": "10m"})
    launch_id = world.running().launch_id
    world.store.run_sync(launching.warn, launch_id, after(minutes=60), after(minutes=50))
    view = world.store.run_sync(launching.extend, "sam", "lab", after(minutes=110), after(minutes=55))
    assert (view.keep_until, view.warned_at, view.stops_at) == (after(minutes=110), None, None)
    (kept,) = world.verdicts(after(minutes=61), idle_since=NOW)
    assert (kept.decision, kept.stops_at) == ("keep", after(minutes=110))
    assert world.verdicts(after(minutes=100), idle_since=NOW)[0].decision == "warn"


def test_no_wish_passes_the_longest_duration(world: World) -> None:
    world.joined(idle={"timeout": "60m", "max_duration": "2h", "warning": "10m"})
    launch_id = world.running().launch_id
    world.store.run_sync(launching.warn, launch_id, after(hours=2), after(minutes=110))
    view = world.store.run_sync(launching.extend, "sam", "lab", after(hours=5), after(minutes=111))
    assert view.keep_until == after(hours=2)
    assert view.stops_at == after(hours=2)
    (verdict,) = world.verdicts(after(hours=2), idle_since=after(minutes=119))
    assert (verdict.decision, verdict.reason) == ("stop", "max-duration")


def test_without_a_limit_any_wish_is_granted(world: World) -> None:
    world.joined(idle={"timeout": "60m", "max_duration": "7d"})
    world.running()
    view = world.store.run_sync(launching.extend, "sam", "lab", after(days=2), NOW)
    assert view.keep_until == after(days=2)


@pytest.mark.parametrize(("username", "slug"), [("carl", "lab"), ("sam", "other"), ("nobody-here", "lab")])
def test_only_ones_own_live_server_is_extended(world: World, username: str, slug: str) -> None:
    world.joined()
    world.running()
    with pytest.raises(NotFound):
        world.store.run_sync(launching.extend, username, slug, after(hours=1), NOW)


def test_a_server_that_never_stops_for_being_idle(world: World) -> None:
    world.joined(idle={"timeout": "off", "max_duration": "7d"})
    world.running()
    (verdict,) = world.verdicts(after(days=3), idle_since=None)
    assert (verdict.decision, verdict.reason) == ("keep", "max-duration")


def test_the_sweep_judges_only_what_it_knows(world: World) -> None:
    world.joined()
    ended = world.running()
    world.store.run_sync(launching.ended, ended.launch_id, "stopped-by-user", now=NOW)
    strangers = [
        Running("nobody", "lab", None, NOW),
        Running("sam", "lab", None, NOW),
        Running("sam", "", None, NOW),
    ]
    assert world.store.run_sync(launching.sweep, strangers, after(days=1)) == ()


def test_the_site_bounds_an_older_policy(world: World) -> None:
    world.joined(idle={"timeout": "off", "max_duration": "7d"})
    from_site = timedelta(hours=1)
    spec = world.resolve(ceilings=world.ceilings(max_duration=from_site))
    assert spec.idle.max_duration == from_site
    (verdict,) = world.verdicts(after(minutes=55), idle_since=None)
    assert verdict.decision == "warn"
