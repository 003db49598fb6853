"""Join links: issued, opened, redeemed, withdrawn."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from environments import (
    AccountDisabled,
    Actor,
    Closed,
    EnvironmentsError,
    Invalid,
    LinkExpired,
    LinkRevoked,
    LinkUnknown,
    LinkUsedUp,
    NotFound,
    NotPublished,
    NotYours,
    Role,
    accounts,
    catalogue,
    joining,
    names,
    people,
)
from environments.models import JoinLink
from tests.environments.support import NOW, World, after, at_once, make_spec

ADMIN = Actor("root", Role.ADMIN)


def uses(world: World) -> list[int]:
    return [link.uses for link in world.store.run_sync(joining.links, ADMIN, "lab")]


def test_a_link_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    world.apply()
    code = names.new_join_code()
    issued = world.store.run_sync(joining.issue, world.teacher, "lab", code=code, now=NOW)
    assert issued.code == code
    (listed,) = world.store.run_sync(joining.links, world.teacher, "lab")
    assert (listed.id, listed.code) == (issued.id, None)
    kept = world.store.run_sync(lambda session: session.scalars(select(JoinLink.code_hash)).all())
    assert code not in str(kept)


def test_looking_changes_nothing(world: World) -> None:
    world.apply()
    code = world.link()
    page = world.store.run_sync(joining.peek, code, "sam", NOW)
    assert (page.environment.slug, page.is_member, page.owner_name) == ("lab", False, "tess")
    assert world.store.run_sync(joining.peek, code, None, NOW).is_member is False
    assert world.store.run_sync(joining.peek, code, "never-seen", NOW).is_member is False
    assert uses(world) == [0]


def test_joining_is_done_once(world: World) -> None:
    world.apply()
    code = world.link()
    for _ in range(3):
        assert world.store.run_sync(joining.redeem, "sam", code, NOW).slug == "lab"
    assert uses(world) == [1]
    assert world.store.run_sync(joining.peek, code, "sam", NOW).is_member


def test_a_second_link_counts_no_member_twice(world: World) -> None:
    world.joined()
    world.store.run_sync(joining.redeem, "sam", world.link(), NOW)
    assert sorted(uses(world)) == [0, 1]


def test_two_clicks_at_once_are_one_member(world: World) -> None:
    world.apply()
    code = world.link()
    assert at_once([partial(redeem, world, code)] * 6) == []
    assert uses(world) == [1]


def test_the_last_place_goes_to_one(world: World) -> None:
    world.apply()
    code = world.link(max_uses=1)
    works = [partial(redeem, world, code, f"user{n}") for n in range(5)]
    raised = at_once(works)
    assert [type(each) for each in raised] == [LinkUsedUp] * 4
    assert uses(world) == [1]


@pytest.mark.parametrize(
    ("terms", "environment", "refusal", "reason"),
    [
        ({"expires_at": NOW}, {}, LinkExpired, "link-expired"),
        ({"max_uses": 0}, {}, LinkUsedUp, "link-used-up"),
        ({}, {"status": "draft"}, NotPublished, "not-published"),
        ({}, {"status": "archived"}, NotPublished, "not-published"),
        ({}, {"opening": {"until": "2026-01-01"}}, Closed, "closed"),
    ],
)
def test_why_a_link_does_not_open(
    world: World,
    terms: dict[str, Any],
    environment: dict[str, Any],
    refusal: type[EnvironmentsError],
    reason: str,
) -> None:
    world.apply(**environment)
    code = world.link(**terms)
    for look in (lambda: world.store.run_sync(joining.peek, code, "sam", NOW), lambda: redeem(world, code)):
        with pytest.raises(refusal) as refused:
            look()
        assert refused.value.reason == reason
    assert uses(world) == [0]


def redeem(world: World, code: str, username: str = "sam") -> None:
    world.store.run_sync(joining.redeem, username, code, NOW)


@pytest.mark.parametrize("code", ["", "nonsense", "a" * 26, "\ud800", "' OR 1=1 --"])
def test_an_unknown_code(world: World, code: str) -> None:
    world.apply()
    world.link()
    with pytest.raises(LinkUnknown) as refused:
        redeem(world, code)
    assert refused.value.reason == "link-unknown"


def test_a_withdrawn_link_keeps_its_members(world: World) -> None:
    world.apply()
    code = world.link()
    redeem(world, code)
    (link,) = world.store.run_sync(joining.links, world.teacher, "lab")
    first = world.store.run_sync(joining.revoke, world.teacher, link.id, NOW)
    assert world.store.run_sync(joining.revoke, world.teacher, link.id, after(days=1)) == first
    redeem(world, code)
    with pytest.raises(LinkRevoked):
        redeem(world, code, "newcomer")


def test_a_leaked_link_is_replaced_on_the_same_terms(world: World) -> None:
    world.apply()
    old = world.link(max_uses=3, expires_at=after(days=1))
    (link,) = world.store.run_sync(joining.links, world.teacher, "lab")
    code = names.new_join_code()
    fresh = world.store.run_sync(joining.rotate, world.teacher, link.id, code=code, now=NOW)
    assert (fresh.code, fresh.max_uses, fresh.expires_at) == (code, 3, after(days=1))
    redeem(world, code)
    with pytest.raises(LinkRevoked):
        redeem(world, old, "newcomer")


@pytest.mark.parametrize(("username", "refusal"), [("carl", NotFound), ("sam", NotYours)])
def test_links_are_made_by_who_may_edit(world: World, username: str, refusal: type[Exception]) -> None:
    world.joined()
    actor = Actor(username, Role.TEACHER if username == "carl" else Role.STUDENT)
    (link,) = world.store.run_sync(joining.links, world.teacher, "lab")
    for act in (
        lambda: world.store.run_sync(joining.issue, actor, "lab", code="x" * 26, now=NOW),
        lambda: world.store.run_sync(joining.revoke, actor, link.id, NOW),
        lambda: world.store.run_sync(joining.rotate, actor, link.id, code="x" * 26, now=NOW),
        lambda: world.store.run_sync(joining.links, actor, "lab"),
    ):
        with pytest.raises(refusal):
            act()
    with pytest.raises(LinkUnknown):
        world.store.run_sync(joining.revoke, actor, "nothing", NOW)
    assert world.store.run_sync(joining.links, world.teacher, "lab") == (link,)


def test_a_colleague_with_a_link_may_try_a_draft(world: World) -> None:
    world.apply(status="draft")
    code = world.link()
    redeem(world, code, "carl")
    assert world.resolve(username="carl").slug == "lab"
    with pytest.raises(NotPublished):
        redeem(world, code)


def test_a_member_is_told_that_it_is_closed(world: World) -> None:
    world.apply()
    code = world.link()
    redeem(world, code)
    world.store.run_sync(catalogue.apply, world.teacher, make_spec(opening={"until": "2026-11-01"}), now=NOW)
    with pytest.raises(Closed):
        redeem(world, code)


def test_a_closed_account_joins_nothing(world: World) -> None:
    world.apply()
    code = world.link()
    world.store.run_sync(people.ensure, "sam", now=NOW)
    world.store.run_sync(accounts.set_disabled, ADMIN, "sam", True)
    with pytest.raises(AccountDisabled):
        redeem(world, code)


@pytest.mark.parametrize("username", ["Sam", "ｓam", "sam\u200b", "../sam", "root", ""])
def test_nobody_joins_under_another_spelling(world: World, username: str) -> None:
    world.apply()
    with pytest.raises(Invalid):
        redeem(world, world.link(), username)
    assert uses(world) == [0]


def test_a_person_keeps_what_is_known_of_them(world: World) -> None:
    run = world.store.run_sync
    first = run(people.ensure, "ann", display_name="Ann", language="fr", now=NOW)
    assert run(people.ensure, "ann", now=after(days=1)) == first
    assert run(people.ensure, "ann", display_name="Ann B.", language="en", now=NOW).display_name == "Ann B."
    assert run(people.ensure, "ann", now=NOW).id == first.id
