"""Homes: one for each owner, deleted in two steps, never given to anybody else."""

from __future__ import annotations

from functools import partial

from environments import Actor, HomeKind, HomeView, Role, Store, catalogue, homes, launching, queries
from tests.environments.support import NOW, World, after, at_once, make_spec

ADMIN = Actor("root", Role.ADMIN)


def stop(world: World, slug: str = "lab", username: str = "sam") -> None:
    launch = world.store.run_sync(queries.current_launch, username, slug)
    assert launch is not None
    world.store.run_sync(launching.ended, launch.id, "stopped-by-user", now=NOW)


def mine(world: World, username: str = "sam") -> list[HomeView]:
    return list(world.store.run_sync(queries.homes, username))


def start(world: World, slug: str = "lab", username: str = "sam") -> str | None:
    """The volume of one start, which is stopped again."""
    volume = world.running(slug, username).home_volume
    stop(world, slug, username)
    return volume


def test_the_same_home_at_every_start(world: World) -> None:
    world.joined()
    assert start(world) == start(world)
    assert len(mine(world)) == 1


def test_no_home_where_none_is_wanted(world: World) -> None:
    world.joined(home="none")
    assert start(world) is None
    assert mine(world) == []


def test_homes_of_people_and_environments_are_apart(world: World) -> None:
    world.joined("a")
    world.joined("b")
    world.joined("a", "carl")
    volumes = [start(world, "a"), start(world, "b"), start(world, "a", "carl")]
    assert len(set(volumes)) == 3


def test_the_personal_home_is_shared_and_one(world: World) -> None:
    for slug in ("a", "b"):
        world.joined(slug, home="personal", title=slug.upper())
    assert start(world, "a") == start(world, "b")
    (home,) = mine(world)
    assert home.kind is HomeKind.PERSONAL
    assert sorted(title.en for title in home.titles) == ["A", "B"]


def test_an_environment_that_changes_its_kind_keeps_both_homes(world: World) -> None:
    world.joined()
    own = start(world)
    world.apply(home="personal")
    personal = start(world)
    world.apply(home="environment")
    assert start(world) == own != personal
    assert len(mine(world)) == 2


def test_starts_at_once_make_no_second_home(world: World) -> None:
    for slug in ("a", "b", "c"):
        world.joined(slug, home="personal")
    works = [partial(world.resolve, slug) for slug in ("a", "b")]
    assert at_once(works) == []
    assert len(mine(world)) == 1


def test_in_use_while_a_launch_lives(world: World) -> None:
    world.joined()
    world.running()
    assert mine(world)[0].in_use
    stop(world)
    assert not mine(world)[0].in_use


def test_a_start_takes_back_a_deletion(world: World) -> None:
    world.joined()
    volume = start(world)
    assert world.store.run_sync(homes.schedule, "sam", "lab", delete_after=after(days=30)) == (volume,)
    assert mine(world)[0].delete_after == after(days=30)
    assert start(world) == volume
    assert mine(world)[0].delete_after is None
    assert world.store.run_sync(homes.take_due, after(days=31)) == ()


def test_the_first_date_of_a_deletion_stands(world: World) -> None:
    world.joined()
    start(world)
    for days in (30, 60):
        world.store.run_sync(homes.schedule, "sam", "lab", delete_after=after(days=days))
    assert mine(world)[0].delete_after == after(days=30)


def test_a_home_goes_at_its_date_and_its_name_never_comes_back(world: World) -> None:
    world.joined()
    volume = start(world)
    world.store.run_sync(homes.schedule, "sam", "lab", delete_after=after(days=30))
    assert world.store.run_sync(homes.take_due, after(days=29)) == ()
    (due,) = world.store.run_sync(homes.take_due, after(days=30))
    assert (due.volume, due.titles[0].en) == (volume, "Lab")
    assert mine(world) == []
    assert start(world) != volume
    launch = world.store.run_sync(queries.current_launch, "sam", "lab")
    assert launch is not None


def test_a_home_in_use_is_not_due(world: World) -> None:
    world.joined()
    world.running()
    world.store.run_sync(homes.schedule, "sam", "lab", delete_after=NOW)
    assert world.store.run_sync(homes.take_due, after(days=1)) == ()
    stop(world)
    assert len(world.store.run_sync(homes.take_due, after(days=1))) == 1


def test_removing_a_server_spares_the_personal_home(world: World) -> None:
    world.joined("a", home="personal")
    world.joined("b")
    start(world, "a")
    start(world, "b")
    assert world.store.run_sync(homes.schedule, "sam", "a", delete_after=NOW) == ()
    assert len(world.store.run_sync(homes.schedule, "sam", None, delete_after=NOW)) == 2
    assert world.store.run_sync(homes.schedule, "nobody-here", None, delete_after=NOW) == ()


def test_homes_outlive_their_environments_end(world: World) -> None:
    world.joined()
    start(world)
    world.store.run_sync(catalogue.apply, world.teacher, make_spec(status="archived"), now=NOW)
    assert [home.titles[0].en for home in mine(world)] == ["Lab"]


def test_volumes_begin_with_the_stack(sqlite_store: Store) -> None:
    named = World(Store(str(sqlite_store.engine.url), stack="other"), ADMIN)
    named.joined()
    volume = named.resolve().home_volume
    named.store.dispose()
    assert volume is not None
    assert volume.startswith("other-home-")
