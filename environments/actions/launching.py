"""Launches: asked for by a person, resolved for the spawner – the one gate of every start."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from environments import ceilings as site
from environments.access import Right, reach
from environments.actions import homes, people
from environments.actions.following import append, end, ended, fail, failed, ready, record, warn
from environments.actions.idling import extend, sweep
from environments.errors import EnvironmentsError
from environments.models import Environment, HomeRow, Launch, Person
from environments.names import is_slug, new_id, new_reference
from environments.rules import Standing, check_launch
from environments.store import locked
from environments.texts import kept
from environments.values import Actor, Ceilings, IdlePolicy, LaunchSpec, LaunchState, LaunchView
from environments.views import (
    home_of,
    idle_of,
    interface_of,
    launch_view,
    resources_of,
    spec_of,
    text_of,
    window_of,
)

__all__ = ["ended", "extend", "failed", "ready", "record", "request", "resolve", "sweep", "warn"]


def request(
    session: Session,
    username: str,
    slug: str,
    *,
    suffix: str = "",
    language: str = "",
    now: datetime,
    ceilings: Ceilings | None = None,
) -> LaunchView:
    """Ask for a start. Asking again while it lives changes nothing but the page to open (`suffix`).

    Raises NotFound or what `check_launch` raises; without `ceilings` the quota is left to `resolve`.
    """
    person = people.row_of(session, username, now)
    launch = _live(session, person, slug)
    if launch is None:
        environment, standing = _reach(session, person, slug)
        limit = ceilings.servers_per_user if ceilings else 0
        _check(session, person, environment, standing, limit, now)
        launch = _begin(session, person, environment, language, now)
    if suffix:
        launch.suffix = kept(suffix, 2000)
    return launch_view(launch)


def resolve(session: Session, username: str, slug: str, now: datetime, *, ceilings: Ceilings) -> LaunchSpec:
    """The one gate, asked by the spawner at every start: everything the start needs, or a refusal.

    Takes over the launch that was asked for, or makes one; a refusal ends the one that was asked for. A
    launch found starting or ready belongs to a server that was lost: the Hub starts nothing twice.
    Raises NotFound, ImageNotAllowed or what `check_launch` raises.
    """
    person = people.row_of(session, username, now)
    launch = _live(session, person, slug)
    try:
        environment, standing = _reach(session, person, slug)
        _check(session, person, environment, standing, ceilings.servers_per_user, now)
        site.check_image(spec_of(environment.current.spec).image, ceilings)
    except EnvironmentsError as refusal:
        if launch is not None and launch.state is LaunchState.REQUESTED:
            fail(session, launch, refusal.reason, refusal.fields, "", now)
            refusal.keep = True
        raise
    if launch is not None and launch.state is not LaunchState.REQUESTED:
        _give_up(session, launch, now)
        launch = None
    launch = launch or _begin(session, person, environment, person.language, now)
    return _start(session, launch, ceilings, now)


def _reach(session: Session, person: Person, slug: str) -> tuple[Environment, Standing]:
    return reach(session, slug, Actor(person.username, person.role), Right.START)


def _check(
    session: Session, person: Person, environment: Environment, standing: Standing, limit: int, now: datetime
) -> None:
    others = session.scalar(
        select(func.count()).where(
            Launch.person_id == person.id,
            Launch.environment_id != environment.id,
            Launch.ended_at.is_(None),
        )
    )
    disabled = person.account is not None and person.account.disabled
    standing = Standing(standing.role, standing.is_owner, standing.is_member, disabled)
    window = window_of(spec_of(environment.current.spec))
    check_launch(standing, environment.status, window, others=others or 0, limit=limit, now=now)


def _live(session: Session, person: Person, slug: str) -> Launch | None:
    if not is_slug(slug):
        return None
    query = (
        select(Launch)
        .join(Environment, Environment.id == Launch.environment_id)
        .where(Launch.person_id == person.id, Environment.slug == slug, Launch.ended_at.is_(None))
    )
    return session.scalars(locked(query, Launch)).one_or_none()


def _begin(
    session: Session, person: Person, environment: Environment, language: str, now: datetime
) -> Launch:
    launch = Launch(
        id=new_id(),
        reference=new_reference(),
        person=person,
        environment=environment,
        revision=environment.revision,
        state=LaunchState.REQUESTED,
        language=kept(language, 8),
        suffix="",
        requested_at=now,
        reason="",
        reason_args={},
        log_tail="",
    )
    try:
        with session.begin_nested():
            session.add(launch)
    except IntegrityError:
        # Two clicks at once: the other one has made the launch.
        return session.scalars(
            select(Launch).where(
                Launch.person_id == person.id,
                Launch.environment_id == environment.id,
                Launch.ended_at.is_(None),
            )
        ).one()
    append(session, launch, "requested", "done", "", {}, now)
    return launch


def _give_up(session: Session, launch: Launch, now: datetime) -> None:
    """Close the books on a server that was lost without a word."""
    if launch.state is LaunchState.READY:
        end(session, launch, "gone", now)
    else:
        fail(session, launch, "interrupted", {}, "", now)
    session.flush()


def _start(session: Session, launch: Launch, ceilings: Ceilings, now: datetime) -> LaunchSpec:
    environment = launch.environment
    spec = spec_of(environment.current.spec)
    home = homes.claim(session, launch.person, environment, spec.home.kind, now)
    idle = site.shortened(idle_of(spec), ceilings)
    launch.state, launch.started_at, launch.revision = LaunchState.STARTING, now, environment.revision
    launch.home_id = home.id if home else None
    launch.idle_timeout, launch.max_duration = _seconds(idle.timeout), _seconds(idle.max_duration)
    launch.warning = _seconds(idle.warning) or 0
    return _spec(launch, home, idle, ceilings)


def _spec(launch: Launch, home: HomeRow | None, idle: IdlePolicy, ceilings: Ceilings) -> LaunchSpec:
    environment, person = launch.environment, launch.person
    spec = spec_of(environment.current.spec)
    language = launch.language or person.language
    return LaunchSpec(
        launch_id=launch.id,
        reference=launch.reference,
        username=person.username,
        person_id=person.id,
        environment_id=environment.id,
        slug=environment.slug,
        revision=launch.revision,
        title=text_of(spec.title).in_language(language),
        image=spec.image,
        command=spec.command,
        environment=tuple(spec.environment.items()),
        interface=interface_of(spec),
        resources=site.lowered(resources_of(spec), ceilings),
        home=home_of(spec),
        home_volume=home.volume if home else None,
        idle=idle,
        language=language,
    )


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
