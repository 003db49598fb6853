"""People: one row each, found by username, known everywhere else by an id that never changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from environments.errors import N_, Invalid, Problem
from environments.models import Person
from environments.names import parse_username
from environments.texts import kept
from environments.values import PersonView, Role
from environments.views import person_view


def ensure(
    session: Session, username: str, *, display_name: str = "", language: str = "", now: datetime
) -> PersonView:
    """The person of this name, made on first sight as a student; what is given and differs is taken over."""
    person = row_of(session, username, now)
    person.display_name = kept(display_name, 200) or person.display_name
    person.language = kept(language, 8) or person.language
    return person_view(person)


def row_of(session: Session, username: str, now: datetime) -> Person:
    """The row of this person, made when missing; for actions only.

    Only the one true spelling of a name is taken: `Ａlice` must not come by the files of `alice`.
    """
    if parse_username(username) != username:
        raise Invalid(
            [Problem("username", "username", N_("Write the name in lower-case unaccented letters."))]
        )
    person = session.scalars(select(Person).where(Person.username == username)).one_or_none()
    if person is not None:
        return person
    person = Person(
        username=username, role=Role.STUDENT, display_name="", language="", created_at=now, account=None
    )
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError:
        return session.scalars(select(Person).where(Person.username == username)).one()
    return person
