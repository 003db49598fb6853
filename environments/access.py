"""The one way to an environment: finds it, checks the right, raises.

Who may not know of an environment learns nothing: "does not exist" and "not for you" are the same NotFound.
A published environment is not a secret (its title is on the board); who has not joined it gets NotAMember.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from environments.errors import LinkUnknown, NotFound
from environments.models import Environment, JoinLink, Member, Person
from environments.names import code_hash, is_slug
from environments.rules import Standing, check_edit
from environments.store import locked
from environments.values import Actor, Status


class Right(StrEnum):
    """What somebody wants to do with an environment."""

    START = "start"
    EDIT = "edit"


def reach(
    session: Session, slug: str, actor: Actor, right: Right, *, lock: bool = False
) -> tuple[Environment, Standing]:
    """The environment and what the actor is to it.

    Raises NotFound, or NotYours to members who want to edit. With `lock`, writers wait for each other here.
    """
    if not is_slug(slug):
        raise NotFound
    query = select(Environment).where(Environment.slug == slug)
    if lock:
        # By itself first: a row that was waited for must be read together with its new revision.
        session.execute(select(Environment.id).where(Environment.slug == slug).with_for_update())
        query = query.execution_options(populate_existing=True)
    environment = session.scalars(query).one_or_none()
    if environment is None:
        raise NotFound
    standing = standing_of(session, environment, actor)
    if right is Right.EDIT:
        check_edit(standing)
    elif environment.status is Status.DRAFT and not standing.belongs:
        raise NotFound
    return environment, standing


def reach_by_code(session: Session, code: str, *, lock: bool = False) -> JoinLink:
    """The link of this code, with its environment: who holds the code may know of it. Raises LinkUnknown."""
    query = select(JoinLink).where(JoinLink.code_hash == code_hash(code))
    if lock:
        query = locked(query, JoinLink)
    link = session.scalars(query).one_or_none()
    if link is None:
        raise LinkUnknown
    return link


def standing_of(session: Session, environment: Environment, actor: Actor) -> Standing:
    """What the actor is to this environment."""
    member = exists().where(Member.environment_id == environment.id, Member.person_id == Person.id)
    found = session.execute(select(Person.id, member).where(Person.username == actor.username)).one_or_none()
    person_id, is_member = found or (None, False)
    owner = person_id is not None and person_id == environment.owner_id
    return Standing(actor.role, is_owner=owner, is_member=bool(is_member))
