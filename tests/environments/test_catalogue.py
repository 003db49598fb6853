"""Applying environments: created, changed, unchanged; whose they are; two people at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from environments import (
    Actor,
    Applied,
    Conflict,
    EnvironmentSpec,
    NotFound,
    NotYours,
    Role,
    SlugTaken,
    Status,
    Store,
    catalogue,
    joining,
    parse_yaml,
)
from environments.models import Revision
from tests.environments.support import CEILINGS, NOW, World, after, at_once, make_spec

ADMIN = Actor("root", Role.ADMIN)
CARL = Actor("carl", Role.TEACHER)
SAM = Actor("sam", Role.STUDENT)
TEXT = "# for the first year\nslug: lab\ntitle: Lab   # short\nimage: paillasse/lab:1\n"


def apply(world: World, spec: EnvironmentSpec, actor: Actor | None = None, **more: Any) -> Applied:
    return world.store.run_sync(catalogue.apply, actor or world.teacher, spec, now=NOW, **more)


def test_created_then_changed_then_unchanged(world: World) -> None:
    first = apply(world, make_spec())
    assert (first.outcome, first.view.revision, first.view.owner) == ("created", 1, "tess")
    changed = apply(world, make_spec(title="Other", status="draft"))
    assert (changed.outcome, changed.view.revision, changed.view.id) == ("changed", 2, first.view.id)
    assert changed.view.status is Status.DRAFT
    assert changed.view.title_in("fr") == "Other"
    again = apply(world, make_spec(title="Other", status="draft"))
    assert (again.outcome, again.view) == ("unchanged", changed.view)


def test_the_text_comes_back_as_it_was_written(world: World) -> None:
    spec = parse_yaml(TEXT, CEILINGS)
    apply(world, spec, source=TEXT)
    assert world.store.run_sync(catalogue.export, world.teacher, "lab") == TEXT
    assert apply(world, spec, source=TEXT).outcome == "unchanged"
    assert apply(world, spec).outcome == "unchanged"
    commented = TEXT + "# another remark\n"
    assert apply(world, spec, source=commented).outcome == "changed"
    assert world.store.run_sync(catalogue.export, world.teacher, "lab") == commented


def test_what_was_made_in_a_form_is_exported_as_yaml(world: World) -> None:
    spec = make_spec(resources={"memory": "1.5G"}, idle={"timeout": "90m"})
    apply(world, spec)
    text = world.store.run_sync(catalogue.export, world.teacher, "lab")
    assert "memory: 1.5G" in text
    assert "timeout: 90m" in text
    assert parse_yaml(text, CEILINGS) == spec


def test_every_revision_is_kept(world: World) -> None:
    apply(world, make_spec(), reason="first")
    apply(world, make_spec(title="Other"), ADMIN, reason="typo")

    def history(session: Session) -> list[tuple[int, str, str]]:
        rows = session.scalars(select(Revision).order_by(Revision.number))
        return [(row.number, row.author, row.reason) for row in rows]

    assert world.store.run_sync(history) == [(1, "tess", "first"), (2, "root", "typo")]


def test_the_operators_environments_belong_to_the_site(world: World) -> None:
    view = apply(world, make_spec(), ADMIN).view
    assert view.owner == ""
    with pytest.raises(SlugTaken):
        apply(world, make_spec(title="Mine"))


def test_an_edit_from_an_old_reading_is_a_conflict(world: World) -> None:
    apply(world, make_spec())
    apply(world, make_spec(title="Theirs"), expected_revision=1)
    with pytest.raises(Conflict) as refused:
        apply(world, make_spec(title="Mine"), expected_revision=1)
    assert refused.value.fields["current_revision"] == 2
    diff = str(refused.value.fields["diff"])
    assert "-title: Theirs" in diff
    assert "+title: Mine" in diff
    assert "revision 2" in str(refused.value)
    assert apply(world, make_spec(title="Mine"), expected_revision=2).outcome == "changed"


def test_to_create_only(world: World) -> None:
    assert apply(world, make_spec(), expected_revision=0).outcome == "created"
    with pytest.raises(Conflict):
        apply(world, make_spec(), expected_revision=0)
    with pytest.raises(NotFound):
        apply(world, make_spec("gone"), expected_revision=3)


@pytest.mark.parametrize("same", [True, False], ids=["same text", "other text"])
def test_two_people_apply_the_same_revision_at_once(world: World, same: bool) -> None:
    apply(world, make_spec())
    specs = [make_spec(title="One"), make_spec(title="One" if same else "Two")]
    works = [partial(apply, world, spec, expected_revision=1) for spec in specs]
    (refusal,) = at_once(works)
    assert isinstance(refusal, Conflict)
    assert world.store.run_sync(catalogue.list, ADMIN)[0].revision == 2


def test_two_people_create_the_same_slug_at_once(world: World) -> None:
    works = [partial(apply, world, make_spec(), actor) for actor in (world.teacher, CARL)]
    (refusal,) = at_once(works)
    assert isinstance(refusal, SlugTaken)
    assert len(world.store.run_sync(catalogue.list, ADMIN)) == 1


def test_edits_without_a_revision_follow_each_other(world: World) -> None:
    apply(world, make_spec())
    works = [partial(apply, world, make_spec(title=f"T{n}")) for n in range(6)]
    assert at_once(works) == []
    assert world.store.run_sync(catalogue.list, ADMIN)[0].revision == 7


def test_a_slug_belongs_to_who_took_it(world: World) -> None:
    apply(world, make_spec())
    with pytest.raises(SlugTaken) as refused:
        apply(world, make_spec(title="Mine"), CARL)
    assert refused.value.problems[0].path == "slug"
    assert apply(world, make_spec(title="Admin's"), ADMIN).view.owner == "tess"


def test_students_apply_nothing(world: World) -> None:
    with pytest.raises(NotYours):
        apply(world, make_spec(), SAM)
    with pytest.raises(NotYours):
        world.store.run_sync(catalogue.diff, SAM, make_spec())
    assert world.store.run_sync(catalogue.list, SAM) == ()


@pytest.mark.parametrize(
    ("actor", "member", "refusal"), [(CARL, False, NotFound), (SAM, False, NotFound), (SAM, True, NotYours)]
)
def test_an_export_is_for_who_may_edit(
    world: World, actor: Actor, member: bool, refusal: type[Exception]
) -> None:
    apply(world, make_spec())
    if member:
        world.store.run_sync(joining.redeem, actor.username, world.link(), NOW)
    with pytest.raises(refusal):
        world.store.run_sync(catalogue.export, actor, "lab")
    with pytest.raises(NotFound):
        world.store.run_sync(catalogue.export, actor, "nothing-of-that-name")


def test_a_diff_shows_what_would_change(world: World) -> None:
    run = world.store.run_sync
    assert "+title: Lab" in run(catalogue.diff, world.teacher, make_spec())
    apply(world, make_spec())
    assert run(catalogue.diff, world.teacher, make_spec()) == ""
    assert "-title: Lab" in run(catalogue.diff, world.teacher, make_spec(title="Other"))
    assert run(catalogue.list, world.teacher)[0].revision == 1


def test_everyone_lists_what_they_may_edit(world: World) -> None:
    apply(world, make_spec("b"))
    apply(world, make_spec("a"))
    apply(world, make_spec("c"), CARL)
    run = world.store.run_sync
    assert [view.slug for view in run(catalogue.list, world.teacher)] == ["a", "b"]
    assert [view.slug for view in run(catalogue.list, CARL)] == ["c"]
    assert [view.slug for view in run(catalogue.list, ADMIN)] == ["a", "b", "c"]


def test_a_running_server_keeps_the_policy_it_began_under(world: World) -> None:
    world.joined(idle={"timeout": "60m"})
    spec = world.running()
    apply(world, make_spec(idle={"timeout": "2h"}))
    from_sweep = world.verdicts(after(minutes=55), idle_since=NOW)
    assert spec.revision == 1
    assert [each.decision for each in from_sweep] == ["warn"]


def test_the_database_outlives_the_process(sqlite_store: Store) -> None:
    sqlite_store.run_sync(catalogue.apply, ADMIN, make_spec(), now=NOW)
    again = Store(str(sqlite_store.engine.url))
    assert again.run_sync(catalogue.list, ADMIN)[0].slug == "lab"
    again.dispose()
