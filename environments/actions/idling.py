"""The idle sweep: which running servers go on, are warned or stop; a person's wish for more time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from environments.errors import NotFound
from environments.models import Environment, Launch, Person
from environments.names import is_slug
from environments.rules import idle_verdict, latest_stop
from environments.store import locked, reads
from environments.values import IdlePolicy, LaunchView, Running, Verdict
from environments.views import launch_view


def extend(session: Session, username: str, slug: str, until: datetime, now: datetime) -> LaunchView:
    """Keep an unused server until then, never past its longest duration. Raises NotFound when none is live.

    A warning that this puts off is forgotten, so that another one comes in its time.
    """
    if not is_slug(slug):
        raise NotFound
    query = (
        select(Launch)
        .join(Launch.person.of_type(Person))
        .join(Launch.environment.of_type(Environment))
        .where(Person.username == username, Environment.slug == slug, Launch.ended_at.is_(None))
    )
    launch = session.scalars(locked(query, Launch)).one_or_none()
    if launch is None:
        raise NotFound
    latest = latest_stop(_span(launch.max_duration), launch.started_at or now)
    launch.keep_until = until if latest is None else min(until, latest)
    if launch.keep_until != latest:
        launch.warned_at = launch.stops_at = None
    return launch_view(launch)


@reads
def sweep(session: Session, running: Sequence[Running], now: datetime) -> tuple[Verdict, ...]:
    """A verdict on each running server whose launch we know; decides only, changes nothing."""
    live = session.scalars(select(Launch).where(Launch.ended_at.is_(None)))
    launches = {(launch.person.username, launch.environment.slug): launch for launch in live}
    pairs = ((server, launches.get((server.username, server.slug))) for server in running)
    return tuple(_verdict(server, launch, now) for server, launch in pairs if launch is not None)


def _verdict(server: Running, launch: Launch, now: datetime) -> Verdict:
    policy = IdlePolicy(
        _span(launch.idle_timeout), _span(launch.max_duration), timedelta(seconds=launch.warning)
    )
    verdict = idle_verdict(
        policy,
        started=server.started,
        last_activity=server.last_activity,
        keep_until=launch.keep_until,
        warned_at=launch.warned_at,
        now=now,
    )
    return Verdict(
        server.username, server.slug, launch.id, verdict.decision, verdict.reason, verdict.stops_at
    )


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
