"""Join links: issued and withdrawn by teachers, opened and redeemed by students."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from environments.access import Right, reach, reach_by_code, standing_of
from environments.actions import people
from environments.errors import AccountDisabled, LinkUnknown
from environments.models import JoinLink, Member, Person
from environments.names import code_hash, is_id
from environments.rules import LinkTerms, Standing, check_link, check_open
from environments.store import reads
from environments.values import Actor, EnvironmentView, JoinLinkView, JoinPageView, Role, Window
from environments.views import environment_view, link_view, spec_of, window_of


def issue(
    session: Session,
    actor: Actor,
    slug: str,
    *,
    code: str,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
    now: datetime,
) -> JoinLinkView:
    """A new join link; only a hash of `code` is kept, so the view returned is the last to show it."""
    environment, _ = reach(session, slug, actor, Right.EDIT)
    link = JoinLink(
        environment=environment,
        code_hash=code_hash(code),
        created_by=actor.username,
        created_at=now,
        expires_at=expires_at,
        max_uses=max_uses,
        uses=0,
    )
    session.add(link)
    session.flush()
    return link_view(link, code)


def revoke(session: Session, actor: Actor, link_id: str, now: datetime) -> JoinLinkView:
    """Withdraw a link; who has joined by it stays a member. Withdrawing again changes nothing."""
    link = session.get(JoinLink, link_id) if is_id(link_id) else None
    if link is None:
        raise LinkUnknown
    reach(session, link.environment.slug, actor, Right.EDIT)
    link.revoked_at = link.revoked_at or now
    return link_view(link)


def rotate(session: Session, actor: Actor, link_id: str, *, code: str, now: datetime) -> JoinLinkView:
    """Withdraw a link that has leaked and issue another on the same terms, its uses counted anew."""
    old = revoke(session, actor, link_id, now)
    return issue(
        session, actor, old.slug, code=code, expires_at=old.expires_at, max_uses=old.max_uses, now=now
    )


@reads
def links(session: Session, actor: Actor, slug: str) -> tuple[JoinLinkView, ...]:
    """All links of an environment, newest first."""
    environment, _ = reach(session, slug, actor, Right.EDIT)
    rows = session.scalars(
        select(JoinLink)
        .where(JoinLink.environment_id == environment.id)
        .order_by(JoinLink.created_at.desc(), JoinLink.id)
    )
    return tuple(link_view(row) for row in rows)


@reads
def peek(session: Session, code: str, username: str | None, now: datetime) -> JoinPageView:
    """What the person who opens the link may see; changes nothing. Raises as `redeem` does."""
    link = reach_by_code(session, code)
    person = session.scalars(select(Person).where(Person.username == username)).one_or_none()
    standing = _admit(session, link, person, now)
    owner = link.environment.owner
    owner_name = (owner.display_name or owner.username) if owner else ""
    return JoinPageView(environment_view(link.environment), standing.belongs, owner_name)


def redeem(session: Session, username: str, code: str, now: datetime) -> EnvironmentView:
    """Make the person a member. A member may come back by any link of theirs, and counts no second use.

    Raises LinkUnknown, LinkRevoked, LinkExpired, LinkUsedUp, NotPublished, Closed or AccountDisabled.
    """
    link = reach_by_code(session, code, lock=True)
    person = people.row_of(session, username, now)
    if not _admit(session, link, person, now).is_member:
        _add_member(session, link, person, now)
    return environment_view(link.environment)


def _admit(session: Session, link: JoinLink, person: Person | None, now: datetime) -> Standing:
    """What the person is to the link's environment; for who belongs to it the link's own terms are past."""
    standing = Standing(Role.STUDENT)
    if person is not None:
        standing = standing_of(session, link.environment, Actor(person.username, person.role))
        if person.account is not None and person.account.disabled:
            raise AccountDisabled
    if not standing.belongs:
        check_link(LinkTerms(link.expires_at, link.max_uses, link.uses, link.revoked_at), now)
        # The link makes a member of its holder: what matters is what that member may do.
        invited = Standing(standing.role, is_member=True)
        check_open(link.environment.status, _window(link), invited, now)
        return standing
    check_open(link.environment.status, _window(link), standing, now)
    return standing


def _window(link: JoinLink) -> Window:
    return window_of(spec_of(link.environment.current.spec))


def _add_member(session: Session, link: JoinLink, person: Person, now: datetime) -> None:
    member = Member(environment_id=link.environment_id, person_id=person.id, link_id=link.id, joined_at=now)
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError:
        return  # joined by another link at the same moment
    link.uses += 1
