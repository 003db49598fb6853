"""Homes: one per person and environment, or one personal home; never a second for the same owner.

Deleting is in two steps. A home is first given a date, and a start before that date saves it. At its date the
row goes away together with the right to the volume: the next start makes a new home under a new name, so that
the volume can be removed without a race, and one that is left behind is never given to anybody else.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from environments.models import Environment, HomeRow, Launch, Person
from environments.names import home_volume, new_id
from environments.store import locked
from environments.values import HomeKind, HomeView, Text
from environments.views import home_view, spec_of, text_of


def schedule(session: Session, username: str, slug: str | None, *, delete_after: datetime) -> tuple[str, ...]:
    """Give the home of this server, or with no slug all of the person's homes, a date of deletion.

    A personal home serves other environments too, so that removing one server never schedules it.
    Returns the volumes concerned.
    """
    query = select(HomeRow).join(Person, Person.id == HomeRow.person_id).where(Person.username == username)
    if slug is not None:
        query = query.where(HomeRow.environment.has(Environment.slug == slug))
    rows = session.scalars(locked(query, HomeRow)).all()
    for row in rows:
        row.delete_after = row.delete_after or delete_after
    return tuple(row.volume for row in rows)


def take_due(session: Session, now: datetime) -> tuple[HomeView, ...]:
    """Forget the homes whose date has come and which no live launch uses; their volumes may be removed."""
    used = exists().where(Launch.home_id == HomeRow.id, Launch.ended_at.is_(None))
    due = session.scalars(locked(select(HomeRow).where(HomeRow.delete_after <= now, ~used), HomeRow)).all()
    views = tuple(home_view(row, _titles(row), in_use=False) for row in due)
    for row in due:
        session.delete(row)
    return views


def claim(
    session: Session, person: Person, environment: Environment, kind: HomeKind, now: datetime
) -> HomeRow | None:
    """The home for one start, made when missing; a start takes back a deletion. For actions only."""
    if kind is HomeKind.NONE:
        return None
    owner = environment.id if kind is HomeKind.ENVIRONMENT else None
    home = _find(session, person, owner) or _add(session, person, owner, kind, now)
    home.delete_after = None
    home.last_used_at = now
    return home


def release(session: Session, home_id: str | None, now: datetime) -> None:
    """Note that a server has left its home. For actions only."""
    home = session.get(HomeRow, home_id) if home_id else None
    if home is not None:
        home.last_used_at = now


def _find(session: Session, person: Person, environment_id: str | None) -> HomeRow | None:
    query = select(HomeRow).where(
        HomeRow.person_id == person.id, HomeRow.environment_id.is_not_distinct_from(environment_id)
    )
    return session.scalars(locked(query, HomeRow)).one_or_none()


def _add(
    session: Session, person: Person, environment_id: str | None, kind: HomeKind, now: datetime
) -> HomeRow:
    home_id = new_id()
    home = HomeRow(
        id=home_id,
        volume=home_volume(session.info["stack"], home_id),
        person_id=person.id,
        environment_id=environment_id,
        kind=kind,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(home)
    except IntegrityError:
        found = _find(session, person, environment_id)
        assert found is not None  # noqa: S101 - the index that refused ours says so
        return found
    return home


def _titles(row: HomeRow) -> tuple[Text, ...]:
    return (text_of(spec_of(row.environment.current.spec).title),) if row.environment else ()
