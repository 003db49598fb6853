"""What happens to a launch once it is asked for: its steps, its success, its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from environments.actions import homes
from environments.errors import NotFound
from environments.models import Launch, LaunchEvent
from environments.store import locked
from environments.texts import kept, kept_end, kept_fields
from environments.values import LaunchState, LaunchView, Scalar, Step, StepState
from environments.views import launch_view

LOG_LIMIT = 16_000  # characters of a log that are kept with a launch
# Any number will do that no other user of advisory locks in this database has.
EVENT_LOCK = 7_261_002


def record(
    session: Session,
    launch_id: str,
    step: Step,
    state: StepState,
    code: str = "",
    args: Mapping[str, Scalar] | None = None,
    *,
    now: datetime,
) -> None:
    """Append a step to a launch; what comes after its end is dropped. Raises NotFound."""
    launch = _launch(session, launch_id)
    if launch.ended_at is None:
        append(session, launch, step, state, code, args or {}, now)


def ready(session: Session, launch_id: str, *, now: datetime) -> LaunchView:
    """The server answers. Does nothing to a launch that is ready already or has ended. Raises NotFound."""
    launch = _launch(session, launch_id)
    if launch.ended_at is None and launch.state is not LaunchState.READY:
        launch.state, launch.ready_at = LaunchState.READY, now
        append(session, launch, "ready", "done", "", {}, now)
    return launch_view(launch)


def failed(
    session: Session,
    launch_id: str,
    reason: str,
    args: Mapping[str, Scalar] | None = None,
    log_tail: str = "",
    *,
    now: datetime,
) -> LaunchView:
    """The start came to nothing, for this reason. Never overwrites an earlier end. Raises NotFound."""
    launch = _launch(session, launch_id)
    if launch.ended_at is None:
        fail(session, launch, reason, args or {}, log_tail, now)
    return launch_view(launch)


def ended(session: Session, launch_id: str, reason: str, *, now: datetime) -> LaunchView:
    """The server is no more, for this reason. Never overwrites an earlier end. Raises NotFound."""
    launch = _launch(session, launch_id)
    if launch.ended_at is None:
        end(session, launch, reason, now)
    return launch_view(launch)


def warn(session: Session, launch_id: str, stops_at: datetime, now: datetime) -> LaunchView:
    """Note that the person is told when the server stops. Raises NotFound."""
    launch = _launch(session, launch_id)
    if launch.ended_at is None:
        launch.warned_at, launch.stops_at = now, stops_at
    return launch_view(launch)


def append(
    session: Session,
    launch: Launch,
    step: str,
    state: StepState,
    code: str,
    args: Mapping[str, Scalar],
    now: datetime,
) -> None:
    """Write an event. For actions only, and as their last write."""
    if session.get_bind().dialect.name == "postgresql":
        # Ids are drawn before the commit: without this queue a reader could pass an id that appears later.
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": EVENT_LOCK})
    event = LaunchEvent(
        launch_id=launch.id, at=now, step=step, state=state, code=kept(code, 40), args=kept_fields(args)
    )
    session.add(event)
    session.flush()


def fail(
    session: Session, launch: Launch, reason: str, args: Mapping[str, Scalar], log_tail: str, now: datetime
) -> None:
    """End a live launch as a failure, at the step it had come to. For actions only."""
    _close(session, launch, LaunchState.FAILED, reason, now)
    launch.reason_args = kept_fields(args)
    launch.log_tail = kept_end(log_tail, LOG_LIMIT)
    last = session.scalars(
        select(LaunchEvent).where(LaunchEvent.launch_id == launch.id).order_by(LaunchEvent.id.desc()).limit(1)
    ).one_or_none()
    if last is None or last.state != "failed":
        append(session, launch, last.step if last else "requested", "failed", reason, args, now)


def end(session: Session, launch: Launch, reason: str, now: datetime) -> None:
    """End a live launch that has done its work. For actions only."""
    _close(session, launch, LaunchState.ENDED, reason, now)


def _close(session: Session, launch: Launch, state: LaunchState, reason: str, now: datetime) -> None:
    launch.state, launch.reason, launch.ended_at = state, kept(reason, 40), now
    homes.release(session, launch.home_id, now)


def _launch(session: Session, launch_id: str) -> Launch:
    query = select(Launch).where(Launch.id == launch_id)
    launch = session.scalars(locked(query, Launch)).one_or_none()
    if launch is None:
        raise NotFound
    return launch
