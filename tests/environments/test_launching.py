"""Starts: one at a time, through one gate; steps in order; an end is an end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from environments import (
    AccountDisabled,
    Actor,
    Closed,
    EnvironmentsError,
    ImageNotAllowed,
    LaunchState,
    LaunchView,
    NotAMember,
    NotFound,
    NotPublished,
    QuotaReached,
    Role,
    accounts,
    catalogue,
    joining,
    launching,
    people,
    queries,
)
from tests.environments.support import CEILINGS, NOW, World, after, at_once, make_spec

ADMIN = Actor("root", Role.ADMIN)


def current(world: World, slug: str = "lab", username: str = "sam") -> LaunchView:
    launch = world.store.run_sync(queries.current_launch, username, slug)
    assert launch is not None
    return launch


def story(world: World, launch_id: str) -> list[tuple[str, str, str]]:
    return [
        (each.step, each.state, each.code)
        for each in world.store.run_sync(queries.events_after, 0, [launch_id])
    ]


def test_from_the_click_to_the_end(world: World) -> None:
    world.joined(environment={"SEED": 7}, home="environment")
    asked = world.request(suffix="tree/TP1.ipynb")
    assert (asked.state, asked.suffix, asked.live) == (LaunchState.REQUESTED, "tree/TP1.ipynb", True)
    spec = world.resolve(now=after(seconds=1))
    assert (spec.launch_id, spec.reference) == (asked.id, asked.reference)
    assert (spec.username, spec.slug, spec.language, spec.revision) == ("sam", "lab", "fr", 1)
    assert spec.environment == (("SEED", "7"),)
    assert spec.home_volume is not None
    assert spec.home_volume.startswith("paillasse-home-")
    run = world.store.run_sync
    run(launching.record, asked.id, "placed", "done", args={"node": "a"}, now=after(seconds=2))
    ready = run(launching.ready, asked.id, now=after(seconds=3))
    assert (ready.state, ready.started_at, ready.ready_at) == (
        LaunchState.READY,
        after(seconds=1),
        after(seconds=3),
    )
    ended = run(launching.ended, asked.id, "stopped-by-user", now=after(hours=1))
    assert (ended.state, ended.end_reason, ended.failure) == (LaunchState.ENDED, "stopped-by-user", None)
    assert not ended.live
    assert story(world, asked.id) == [
        ("requested", "done", ""),
        ("placed", "done", ""),
        ("ready", "done", ""),
    ]


def test_asking_twice_is_asking_once(world: World) -> None:
    world.joined()
    first = world.request()
    second = world.request(suffix="lab/tree/b.ipynb", now=after(seconds=5))
    assert second == replace(first, suffix="lab/tree/b.ipynb")
    world.running()
    assert world.request(now=after(minutes=5)).id == first.id
    assert story(world, first.id).count(("requested", "done", "")) == 1


def test_clicks_at_the_same_moment_are_one_launch(world: World) -> None:
    world.joined()
    assert at_once([world.request] * 6) == []
    assert len(world.store.run_sync(queries.open_launches)) == 1
    assert story(world, current(world).id) == [("requested", "done", "")]


def test_a_start_from_the_hubs_own_page_makes_its_launch(world: World) -> None:
    world.joined()
    spec = world.resolve()
    assert current(world).id == spec.launch_id
    assert current(world).state is LaunchState.STARTING


@pytest.mark.parametrize(
    ("ready", "state", "reason"),
    [(False, LaunchState.FAILED, "interrupted"), (True, LaunchState.ENDED, "gone")],
)
def test_a_server_that_was_lost_gives_way_to_a_new_launch(
    world: World, ready: bool, state: LaunchState, reason: str
) -> None:
    world.joined()
    lost = world.running() if ready else world.resolve()
    again = world.resolve(now=after(minutes=1))
    assert again.launch_id != lost.launch_id
    assert again.home_volume == lost.home_volume
    old = world.store.run_sync(launching.ended, lost.launch_id, "idle", now=after(minutes=2))
    assert (old.state, old.failure or old.end_reason) == (state, reason)


REFUSALS: list[tuple[dict[str, Any], type[EnvironmentsError], str]] = [
    ({"status": "draft"}, NotPublished, "not-published"),
    ({"status": "archived"}, NotPublished, "not-published"),
    ({"opening": {"from": "2030-01-01"}}, Closed, "closed"),
    ({"opening": {"until": "2020-01-01"}}, Closed, "closed"),
]


@pytest.mark.parametrize(("change", "refusal", "reason"), REFUSALS)
def test_a_launch_that_the_gate_refuses_ends_with_the_reason(
    world: World, change: dict[str, Any], refusal: type[EnvironmentsError], reason: str
) -> None:
    world.joined()
    asked = world.request()
    world.store.run_sync(catalogue.apply, world.teacher, make_spec(**change), now=NOW)
    with pytest.raises(refusal):
        world.resolve()
    launch = current(world)
    assert (launch.id, launch.state, launch.failure) == (asked.id, LaunchState.FAILED, reason)
    assert story(world, asked.id)[-1] == ("requested", "failed", reason)
    with pytest.raises(refusal):
        world.request()
    assert current(world) == launch


def test_a_stranger_starts_nothing_and_leaves_no_trace(world: World) -> None:
    world.apply()
    for act in (world.request, world.resolve):
        with pytest.raises(NotAMember):
            act()
        with pytest.raises(NotFound):
            act("nothing-of-that-name")
    assert world.store.run_sync(queries.current_launch, "sam", "lab") is None
    assert world.store.run_sync(queries.homes, "sam") == ()


def test_a_draft_is_a_secret(world: World) -> None:
    world.apply(status="draft")
    for username in ("sam", "carl"):
        with pytest.raises(NotFound):
            world.resolve(username=username)
    assert world.resolve(username="tess").slug == "lab"


def test_a_closed_account_starts_nothing(world: World) -> None:
    world.joined()
    world.store.run_sync(accounts.set_disabled, ADMIN, "sam", True)
    with pytest.raises(AccountDisabled):
        world.resolve()


def test_an_image_that_is_no_longer_allowed(world: World) -> None:
    world.joined()
    world.request()
    with pytest.raises(ImageNotAllowed) as refused:
        world.resolve(ceilings=replace(CEILINGS, allowed_images=("trusted/*",)))
    assert refused.value.fields["image"] == "paillasse/lab:1"
    assert current(world).failure == "image-not-allowed"


def test_lowered_ceilings_hold_at_the_next_start(world: World) -> None:
    world.joined(resources={"cpu": 4, "memory": "8G", "memory_reservation": "4G", "cpu_reservation": 2})
    low = replace(CEILINGS, cpu=1, memory=2**30, pids=100, shm=2**20)
    resources = world.resolve(ceilings=low).resources
    assert (resources.cpu_limit, resources.cpu_reservation) == (1, 1)
    assert (resources.memory_limit, resources.memory_reservation) == (2**30, 2**30)
    assert (resources.pids_limit, resources.shm_size) == (100, 2**20)


def test_the_quota_counts_other_live_servers(world: World) -> None:
    for slug in ("a", "b", "c"):
        world.joined(slug)
    first, _ = world.resolve("a"), world.resolve("b")
    with pytest.raises(QuotaReached) as refused:
        world.resolve("c")
    assert refused.value.fields == {"used": 2, "limit": 2}
    with pytest.raises(QuotaReached):
        world.request("c", ceilings=CEILINGS)
    world.resolve("a")
    launch = current(world, "a")
    assert launch.id != first.launch_id
    world.store.run_sync(launching.ended, launch.id, "stopped-by-user", now=NOW)
    assert world.resolve("c").slug == "c"


@pytest.mark.parametrize("first", ["failed", "ended"])
def test_an_end_is_never_overwritten(world: World, first: str) -> None:
    world.joined()
    launch_id = world.resolve().launch_id
    run = world.store.run_sync
    if first == "failed":
        kept = run(launching.failed, launch_id, "exit", {"code": 3}, "bye\n", now=NOW)
        assert (kept.failure, kept.failure_args, kept.log_tail) == ("exit", {"code": 3}, "bye\n")
    else:
        kept = run(launching.ended, launch_id, "idle", now=NOW)
    later = after(minutes=1)
    assert run(launching.failed, launch_id, "oom", {}, "", now=later) == kept
    assert run(launching.ended, launch_id, "gone", now=later) == kept
    assert run(launching.ready, launch_id, now=later) == kept
    assert run(launching.warn, launch_id, later, later) == kept
    told = story(world, launch_id)
    run(launching.record, launch_id, "opening", "running", now=later)
    assert story(world, launch_id) == told


def test_a_failure_is_told_at_the_step_it_had_come_to(world: World) -> None:
    world.joined()
    launch_id = world.resolve().launch_id
    run = world.store.run_sync
    run(launching.record, launch_id, "software", "running", now=NOW)
    run(launching.failed, launch_id, "image-missing", {"image": "x"}, now=NOW)
    assert story(world, launch_id)[-1] == ("software", "failed", "image-missing")


def test_a_failure_that_was_told_already_is_not_told_twice(world: World) -> None:
    world.joined()
    launch_id = world.resolve().launch_id
    run = world.store.run_sync
    run(launching.record, launch_id, "software", "failed", "image-missing", now=NOW)
    run(launching.failed, launch_id, "image-missing", now=NOW)
    assert [state for _, state, _ in story(world, launch_id)].count("failed") == 1


def test_a_log_is_kept_short_and_clean(world: World) -> None:
    world.joined()
    launch_id = world.resolve().launch_id
    log = "x" * 50_000 + "last\0 \ud800words"
    launch = world.store.run_sync(launching.failed, launch_id, "exit", {}, log, now=NOW)
    assert launch.log_tail.endswith("last ?words")
    assert len(launch.log_tail) <= 16_000
    assert current(world).log_tail == launch.log_tail


HOSTILE = ["\0", "a\0b", "\ud800", "../etc", "' OR 1=1 --", "x" * 5000, ""]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_slug_is_nothing_of_that_name(world: World, text: str) -> None:
    run = world.store.run_sync
    for act in (
        lambda: world.request(text),
        lambda: world.resolve(text),
        lambda: run(launching.extend, "sam", text, after(hours=1), NOW),
        lambda: run(catalogue.export, world.teacher, text),
        lambda: run(joining.issue, world.teacher, text, code="x" * 26, now=NOW),
        lambda: run(joining.revoke, world.teacher, text, NOW),
    ):
        with pytest.raises(NotFound):
            act()
    assert run(queries.current_launch, "sam", text) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_kept_as_far_as_they_can_be(world: World, text: str) -> None:
    world.joined()
    launch_id = world.request(suffix=f"tree/{text}").id
    run = world.store.run_sync
    run(launching.record, launch_id, "software", "running", text, {"image": text}, now=NOW)
    run(launching.failed, launch_id, "exit", {"words": text}, text, now=NOW)
    launch = current(world)
    assert launch.suffix.startswith("tree/")
    assert not {"\0", "\ud800"} & set(launch.suffix + launch.log_tail + str(launch.failure_args["words"]))
    assert run(people.ensure, "sam", display_name=text, now=NOW).username == "sam"


def test_ready_is_told_once(world: World) -> None:
    world.joined()
    launch_id = world.resolve().launch_id
    for second in (1, 2):
        view = world.store.run_sync(launching.ready, launch_id, now=after(seconds=second))
        assert view.ready_at == after(seconds=1)
    assert story(world, launch_id).count(("ready", "done", "")) == 1


def test_what_nobody_asked_for(world: World) -> None:
    run = world.store.run_sync
    for act in (
        lambda: run(launching.record, "nothing", "placed", "done", now=NOW),
        lambda: run(launching.ready, "nothing", now=NOW),
        lambda: run(launching.failed, "nothing", "oom", now=NOW),
        lambda: run(launching.ended, "nothing", "idle", now=NOW),
        lambda: run(launching.warn, "nothing", NOW, NOW),
    ):
        with pytest.raises(NotFound):
            act()


def test_references_differ_and_stay(world: World) -> None:
    world.joined()
    first = world.running()
    world.store.run_sync(launching.ended, first.launch_id, "stopped-by-user", now=NOW)
    second = world.resolve(now=after(minutes=1))
    assert first.reference != second.reference
    assert {each.reference for each in world.store.run_sync(queries.events_after, 0, [first.launch_id])} == {
        first.reference
    }


def test_archiving_keeps_the_history(world: World) -> None:
    world.joined()
    spec = world.running()
    world.store.run_sync(catalogue.apply, world.teacher, make_spec(status="archived"), now=NOW)
    assert current(world).id == spec.launch_id
    assert world.store.run_sync(launching.ended, spec.launch_id, "idle", now=NOW).end_reason == "idle"
    assert story(world, spec.launch_id)


def test_events_of_many_writers_have_growing_ids(world: World) -> None:
    world.joined()
    launch_id = world.resolve().launch_id
    run = world.store.run_sync
    works = [
        partial(run, launching.record, launch_id, "starting", "running", str(n), now=NOW) for n in range(8)
    ]
    assert at_once(works) == []
    ids = [each.id for each in world.store.run_sync(queries.events_after, 0, [launch_id])]
    assert len(ids) == 9
    assert ids == sorted(set(ids))
    assert [each.id for each in world.store.run_sync(queries.events_after, ids[4], [launch_id])] == ids[5:]
