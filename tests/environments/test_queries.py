"""What the pages read: right, and at a cost that no number of people changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert, text

from environments import HomePage, Role, Store, catalogue, launching, people, queries
from environments.models import Launch, Member, Person
from environments.names import new_id, new_reference
from environments.values import LaunchState
from tests.environments.support import NOW, World, after, make_spec


def test_a_home_page(world: World) -> None:
    for slug in ("a", "b", "c", "hidden"):
        world.joined(slug, title=slug)
    world.running("b", now=after(seconds=1))
    world.resolve("c", now=after(minutes=1))
    world.store.run_sync(catalogue.apply, world.teacher, make_spec("hidden", status="draft"), now=NOW)
    page = world.store.run_sync(queries.home_page, "sam")
    assert [launch.environment.slug for launch in page.launches] == ["c", "b"]
    assert [view.slug for view in page.memberships] == ["c", "b", "a"]


def test_a_teachers_home_page_has_their_drafts(world: World) -> None:
    world.apply("mine", status="draft")
    world.apply("old", status="archived")
    page = world.store.run_sync(queries.home_page, "tess")
    assert [view.slug for view in page.memberships] == ["mine"]
    assert world.store.run_sync(queries.home_page, "carl").memberships == ()


def test_a_stranger_has_an_empty_page(world: World) -> None:
    run = world.store.run_sync
    assert run(queries.home_page, "never-seen") == HomePage()
    assert run(queries.homes, "never-seen") == ()
    assert run(queries.current_launch, "never-seen", "lab") is None
    assert run(queries.usual_seconds, "never-seen") is None
    assert run(queries.events_after, 0, []) == ()


def test_the_current_launch_is_the_latest(world: World) -> None:
    world.joined()
    first = world.running()
    world.store.run_sync(launching.failed, first.launch_id, "oom", now=NOW)
    latest = world.store.run_sync(queries.current_launch, "sam", "lab")
    assert latest is not None
    assert (latest.id, latest.state) == (first.launch_id, LaunchState.FAILED)
    second = world.resolve(now=NOW)  # at the same moment: the live one counts
    latest = world.store.run_sync(queries.current_launch, "sam", "lab")
    assert latest is not None
    assert latest.id == second.launch_id


def test_the_usual_time_is_the_median_of_the_last_starts(world: World) -> None:
    environment = world.joined()
    for minute, seconds in enumerate([50] * 10 + [4] * 11 + [9] * 9):
        asked = world.request(now=after(minutes=minute))
        world.store.run_sync(launching.ready, asked.id, now=after(minutes=minute, seconds=seconds))
        world.store.run_sync(
            launching.ended, asked.id, "stopped-by-user", now=after(minutes=minute, seconds=seconds)
        )
    assert world.store.run_sync(queries.usual_seconds, environment.id) == 4


def test_open_launches_are_the_live_ones(world: World) -> None:
    world.joined("a")
    world.joined("b")
    world.joined("b", "carl")
    gone = world.running("a")
    world.store.run_sync(launching.ended, gone.launch_id, "idle", now=NOW)
    world.resolve("b", now=after(minutes=2))
    world.request("b", "carl", now=after(minutes=1))
    live = world.store.run_sync(queries.open_launches)
    assert [(each.username, each.state) for each in live] == [
        ("carl", LaunchState.REQUESTED),
        ("sam", LaunchState.STARTING),
    ]


def test_events_of_several_launches_come_in_one_stream(world: World) -> None:
    world.joined("a")
    world.joined("b")
    world.joined("c")
    ids = [world.request(slug).id for slug in ("a", "b", "c")]
    events = world.store.run_sync(queries.events_after, 0, ids[:2])
    assert [each.launch_id for each in events] == ids[:2]
    assert world.store.run_sync(queries.events_after, events[-1].id, ids[:2]) == ()


def crowd(store: Store, world: World, size: int) -> None:
    """That many members of `lab`, a third of them with a live launch and all with one behind them."""
    environment = world.apply()
    people_rows = [
        {
            "id": new_id(),
            "username": f"user{n}",
            "display_name": "",
            "role": Role.STUDENT,
            "language": "",
            "created_at": NOW,
        }
        for n in range(size)
    ]
    common = {
        "environment_id": environment.id,
        "revision": 1,
        "reason": "",
        "reason_args": {},
        "log_tail": "",
        "warning": 0,
    }
    launches = [
        {
            **common,
            "id": new_id(),
            "reference": new_reference(),
            "person_id": person["id"],
            "state": LaunchState.ENDED if ended else LaunchState.READY,
            "requested_at": NOW,
            "ready_at": after(seconds=2),
            "ended_at": NOW if ended else None,
            "suffix": "",
            "language": "",
        }
        for n, person in enumerate(people_rows)
        for ended in ((True, False) if n % 3 == 0 else (True,))
    ]
    members = [
        {"environment_id": environment.id, "person_id": person["id"], "joined_at": NOW}
        for person in people_rows
    ]
    with store.engine.begin() as connection:
        connection.execute(insert(Person), people_rows)
        connection.execute(insert(Member), members)
        connection.execute(insert(Launch), launches)


@pytest.mark.parametrize("size", [3, 300])
def test_no_page_pays_for_the_others(
    store: Store, world: World, statements: Callable[..., int], size: int
) -> None:
    crowd(store, world, size)
    for slug in ("x", "y"):
        world.joined(slug, "user0")
    world.running("x", "user0")
    launch = store.run_sync(queries.current_launch, "user0", "x")
    assert launch is not None
    costs = {
        "home_page": statements(queries.home_page, "user0"),
        "homes": statements(queries.homes, "user0"),
        "events_after": statements(queries.events_after, 0, [launch.id]),
        "current_launch": statements(queries.current_launch, "user0", "x"),
        "usual_seconds": statements(queries.usual_seconds, launch.environment.id),
        "open_launches": statements(queries.open_launches),
        "sweep": statements(launching.sweep, [], NOW),
    }
    assert costs == {
        "home_page": 3,
        "homes": 3,
        "events_after": 1,
        "current_launch": 1,
        "usual_seconds": 1,
        "open_launches": 1,
        "sweep": 1,
    }
    assert statements(people.ensure, "user0", now=NOW) == 1


PLANS = {
    "events": "SELECT * FROM launch_events WHERE launch_id IN ('a', 'b') AND id > 3 ORDER BY id",
    "live launches of a person": "SELECT * FROM launches WHERE person_id = 'a' AND ended_at IS NULL",
    "latest launch": "SELECT * FROM launches WHERE person_id = 'a' AND environment_id = 'b'",
    "usual time": "SELECT * FROM launches WHERE environment_id = 'a' AND ready_at IS NOT NULL",
    "memberships": "SELECT * FROM members WHERE person_id = 'a'",
    "homes": "SELECT * FROM homes WHERE person_id = 'a' AND environment_id IS NULL",
    "a home in use": "SELECT * FROM launches WHERE home_id = 'a' AND ended_at IS NULL",
    "a link": "SELECT * FROM join_links WHERE code_hash = 'a'",
    "a person": "SELECT * FROM people WHERE username = 'a'",
}


@pytest.mark.parametrize("name", PLANS)
def test_every_hot_question_has_an_index(sqlite_store: Store, name: str) -> None:
    with sqlite_store.engine.connect() as connection:
        plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {PLANS[name]}"))]
    assert plan[0].startswith("SEARCH"), plan
