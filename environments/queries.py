"""Read models of the pages; the number of statements depends on no number of people."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from environments.models import Environment, HomeRow, Launch, LaunchEvent, Member, Person
from environments.names import is_slug
from environments.store import reads
from environments.values import (
    EnvironmentView,
    EventView,
    HomeKind,
    HomePage,
    HomeView,
    LaunchView,
    Role,
    Status,
    Text,
)
from environments.views import environment_view, event_view, home_view, launch_view, spec_of, text_of

USUAL_STARTS = 20  # the usual time is the median of that many


@reads
def events_after(session: Session, after_id: int, launch_ids: Sequence[str]) -> tuple[EventView, ...]:
    """The events of these launches with a greater id, in order: what a stream has yet to show."""
    query = (
        select(LaunchEvent, Launch.reference)
        .join(Launch, Launch.id == LaunchEvent.launch_id)
        .where(LaunchEvent.launch_id.in_(launch_ids), LaunchEvent.id > after_id)
        .order_by(LaunchEvent.id)
    )
    return tuple(event_view(event, reference) for event, reference in session.execute(query))


@reads
def current_launch(session: Session, username: str, slug: str) -> LaunchView | None:
    """The person's latest launch of this environment, live or not; None before the first."""
    if not is_slug(slug):
        return None
    query = (
        select(Launch)
        .join(Person, Person.id == Launch.person_id)
        .join(Environment, Environment.id == Launch.environment_id)
        .where(Person.username == username, Environment.slug == slug)
        .order_by(Launch.requested_at.desc(), Launch.ended_at.is_(None).desc())
        .limit(1)
    )
    launch = session.scalars(query).one_or_none()
    return launch_view(launch) if launch else None


@reads
def open_launches(session: Session) -> tuple[LaunchView, ...]:
    """Every live launch, oldest first."""
    rows = session.scalars(select(Launch).where(Launch.ended_at.is_(None)).order_by(Launch.requested_at))
    return tuple(launch_view(row) for row in rows)


@reads
def home_page(session: Session, username: str) -> HomePage:
    """The person's live launches, newest first, and the environments of theirs, last used first."""
    person = session.scalars(select(Person).where(Person.username == username)).one_or_none()
    if person is None:
        return HomePage()
    live = session.scalars(
        select(Launch)
        .where(Launch.person_id == person.id, Launch.ended_at.is_(None))
        .order_by(Launch.requested_at.desc())
    )
    launches = tuple(launch_view(row) for row in live)
    return HomePage(launches=launches, memberships=_memberships(session, person))


@reads
def usual_seconds(session: Session, environment_id: str) -> float | None:
    """The usual time from the request to the first answer, in seconds; None before the first start."""
    query = (
        select(Launch.requested_at, Launch.ready_at)
        .where(Launch.environment_id == environment_id, Launch.ready_at.is_not(None))
        .order_by(Launch.ready_at.desc())
        .limit(USUAL_STARTS)
    )
    times = [(ready - asked).total_seconds() for asked, ready in session.execute(query) if ready is not None]
    return median(times) if times else None


@reads
def homes(session: Session, username: str) -> tuple[HomeView, ...]:
    """The person's homes, last used first, each with the environments that see it."""
    person = session.scalars(select(Person).where(Person.username == username)).one_or_none()
    if person is None:
        return ()
    used = exists().where(Launch.home_id == HomeRow.id, Launch.ended_at.is_(None))
    query = select(HomeRow, used).where(HomeRow.person_id == person.id)
    rows = session.execute(query.order_by(HomeRow.last_used_at.desc(), HomeRow.id)).all()
    shared = _titles_of_personal(session, person)
    return tuple(
        home_view(row, (_title(row.environment),) if row.environment else shared, bool(in_use))
        for row, in_use in rows
    )


def _memberships(session: Session, person: Person) -> tuple[EnvironmentView, ...]:
    last_used = (
        select(func.max(Launch.requested_at))
        .where(Launch.person_id == person.id, Launch.environment_id == Environment.id)
        .scalar_subquery()
    )
    query = (
        select(Environment)
        .outerjoin(Member, (Member.environment_id == Environment.id) & (Member.person_id == person.id))
        .where(
            or_(Member.person_id.is_not(None), Environment.owner_id == person.id),
            Environment.status.in_(_startable(person)),
        )
        .order_by(func.coalesce(last_used, Member.joined_at, Environment.created_at).desc(), Environment.slug)
    )
    return tuple(environment_view(row) for row in session.scalars(query))


def _startable(person: Person) -> tuple[Status, ...]:
    return (Status.PUBLISHED,) if person.role is Role.STUDENT else (Status.PUBLISHED, Status.DRAFT)


def _titles_of_personal(session: Session, person: Person) -> tuple[Text, ...]:
    rows = _memberships(session, person)
    return tuple(view.title for view in rows if view.home.kind is HomeKind.PERSONAL)


def _title(environment: Environment) -> Text:
    return text_of(spec_of(environment.current.spec).title)
