"""The catalogue: environments applied from a specification, and given back as they were written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from difflib import unified_diff

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from environments.access import Right, reach
from environments.errors import Conflict, NotFound, NotYours, Problem, SlugTaken
from environments.models import Environment, Person, Revision
from environments.rules import check_create
from environments.spec import EnvironmentSpec
from environments.store import reads
from environments.texts import kept
from environments.values import Actor, Applied, EnvironmentView, Role
from environments.views import environment_view
from environments.writing import to_yaml


def apply(
    session: Session,
    actor: Actor,
    spec: EnvironmentSpec,
    *,
    source: str | None = None,
    expected_revision: int | None = None,
    reason: str = "",
    now: datetime,
) -> Applied:
    """Make the environment be as specified; `source` is the exact text its author wrote.

    `expected_revision` is the revision the author had read (0: there was none); None takes what is there.
    Raises Conflict when it is another one, SlugTaken when the slug is somebody else's, NotYours to students.
    """
    check_create(actor.role)
    text = to_yaml(spec) if source is None else source
    environment = _mine(session, actor, spec.slug)
    if environment is None:
        if expected_revision:
            raise NotFound
        return Applied(_create(session, actor, spec, text, reason, now), "created")
    current = environment.current
    if expected_revision not in (None, environment.revision):
        raise Conflict(diff=_diff(current.source, text), current_revision=environment.revision)
    if current.spec == spec.canonical() and (source is None or source == current.source):
        return Applied(environment_view(environment), "unchanged")
    environment.revision += 1
    environment.status, environment.updated_at = spec.status, now
    _add_revision(session, environment, actor, spec, text, reason, now)
    return Applied(environment_view(environment), "changed")


@reads
def export(session: Session, actor: Actor, slug: str) -> str:
    """The text of the current revision, comments and all. Raises NotFound or NotYours."""
    environment, _ = reach(session, slug, actor, Right.EDIT)
    return environment.current.source


@reads
def diff(session: Session, actor: Actor, spec: EnvironmentSpec, *, source: str | None = None) -> str:
    """What applying would change in the text, as a unified diff ("" when nothing).

    Raises SlugTaken or NotYours.
    """
    check_create(actor.role)
    environment = _mine(session, actor, spec.slug)
    text = to_yaml(spec) if source is None else source
    return _diff(environment.current.source if environment else "", text)


@reads
def list(session: Session, actor: Actor) -> tuple[EnvironmentView, ...]:
    """The environments the actor may edit, by slug."""
    query = select(Environment).order_by(Environment.slug)
    if actor.role is not Role.ADMIN:
        query = query.join(Person, Person.id == Environment.owner_id).where(Person.username == actor.username)
    rows: Iterable[Environment] = session.scalars(query) if actor.role is not Role.STUDENT else ()
    return tuple(environment_view(row) for row in rows)


def _mine(session: Session, actor: Actor, slug: str) -> Environment | None:
    """The environment to change, locked against other writers; None when the slug is free."""
    try:
        return reach(session, slug, actor, Right.EDIT, lock=True)[0]
    except (NotFound, NotYours):
        if session.scalar(select(Environment.id).where(Environment.slug == slug)) is not None:
            raise _taken(slug) from None
        return None


def _taken(slug: str) -> SlugTaken:
    fields = {"slug": slug}
    return SlugTaken([Problem("slug", SlugTaken.reason, SlugTaken.message, fields=fields)], slug=slug)


def _create(
    session: Session, actor: Actor, spec: EnvironmentSpec, text: str, reason: str, now: datetime
) -> EnvironmentView:
    owner = session.scalars(select(Person).where(Person.username == actor.username)).one_or_none()
    environment = Environment(
        slug=spec.slug, owner=owner, status=spec.status, revision=1, created_at=now, updated_at=now
    )
    try:
        with session.begin_nested():
            session.add(environment)
    except IntegrityError:
        raise _taken(spec.slug) from None
    _add_revision(session, environment, actor, spec, text, reason, now)
    return environment_view(environment)


def _add_revision(
    session: Session,
    environment: Environment,
    actor: Actor,
    spec: EnvironmentSpec,
    text: str,
    reason: str,
    now: datetime,
) -> None:
    revision = Revision(
        environment_id=environment.id,
        number=environment.revision,
        source=text,
        spec=spec.canonical(),
        author=actor.username,
        at=now,
        reason=kept(reason, 500),
    )
    session.add(revision)
    session.flush()
    session.refresh(environment, ["current"])


def _diff(old: str, new: str) -> str:
    lines = unified_diff(old.splitlines(), new.splitlines(), "current", "yours", lineterm="")
    return "\n".join(lines)
