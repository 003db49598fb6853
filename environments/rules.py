"""Pure decisions: `check_*` raises a refusal or returns nothing; the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from environments.errors import (
    AccountDisabled,
    Closed,
    EnvironmentsError,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    NotAMember,
    NotFound,
    NotPublished,
    NotYours,
    QuotaReached,
)
from environments.values import IdlePolicy, IdleVerdict, Role, Status, Window


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is to one environment. A teacher among the members is a colleague who may try a draft."""

    role: Role
    is_owner: bool = False
    is_member: bool = False
    disabled: bool = False

    @property
    def may_edit(self) -> bool:
        """Its owner, while a teacher; any administrator."""
        return self.role is Role.ADMIN or (self.is_owner and self.role is Role.TEACHER)

    @property
    def may_try(self) -> bool:
        """Whether a draft starts for this person."""
        return self.may_edit or (self.is_member and self.role is Role.TEACHER)

    @property
    def belongs(self) -> bool:
        """Whether this environment is one of the person's."""
        return self.is_member or self.may_edit


@dataclass(frozen=True, slots=True)
class LinkTerms:
    """What a join link allows, and how much of it is used."""

    expires_at: datetime | None
    max_uses: int | None
    uses: int
    revoked_at: datetime | None


def check_link(terms: LinkTerms, now: datetime) -> None:
    """Raises LinkRevoked, LinkExpired or LinkUsedUp, in this order."""
    if terms.revoked_at is not None:
        raise LinkRevoked
    if terms.expires_at is not None and terms.expires_at <= now:
        raise LinkExpired(expires_at=terms.expires_at.isoformat())
    if terms.max_uses is not None and terms.uses >= terms.max_uses:
        raise LinkUsedUp(max_uses=terms.max_uses)


def check_open(status: Status, window: Window, standing: Standing, now: datetime) -> None:
    """Raises NotPublished or Closed. Who may try a draft may also try it outside its opening period."""
    if status is Status.ARCHIVED or (status is Status.DRAFT and not standing.may_try):
        raise NotPublished(status=str(status))
    if standing.may_try:
        return
    early = window.opens_at is not None and now < window.opens_at
    late = window.closes_at is not None and now >= window.closes_at
    if early or late:
        raise Closed(
            when="before" if early else "after",
            opens_at=window.opens_at.isoformat() if window.opens_at else "",
            closes_at=window.closes_at.isoformat() if window.closes_at else "",
        )


def check_launch(
    standing: Standing, status: Status, window: Window, *, others: int, limit: int, now: datetime
) -> None:
    """Who may start what. `others` counts the person's other live launches; `limit` 0 sets no quota.

    Raises AccountDisabled, NotAMember, NotPublished, Closed or QuotaReached.
    """
    if standing.disabled:
        raise AccountDisabled
    if not standing.belongs:
        raise NotAMember
    check_open(status, window, standing, now)
    if limit and others >= limit:
        raise QuotaReached(used=others, limit=limit)


def check_edit(standing: Standing) -> None:
    """Raises NotYours for who may know of it, NotFound for everybody else."""
    if standing.may_edit:
        return
    refusal: type[EnvironmentsError] = NotYours if standing.belongs else NotFound
    raise refusal


def check_create(role: Role) -> None:
    """Students define no environments: raises NotYours."""
    if role is Role.STUDENT:
        raise NotYours


def idle_verdict(
    policy: IdlePolicy,
    *,
    started: datetime,
    last_activity: datetime | None,
    keep_until: datetime | None,
    warned_at: datetime | None,
    now: datetime,
) -> IdleVerdict:
    """Whether a running server goes on, is warned, or stops.

    Nobody is stopped without a warning and the whole time it promises: after a gap (the worker was down, a
    clock jumped) people are warned late rather than stopped at once. Activity makes a warning void.
    """
    stops_at, reason = _stop(policy, started, last_activity, keep_until)
    if stops_at is None:
        return IdleVerdict("keep", "", None)
    opens = stops_at - policy.warning
    if now < opens:
        return IdleVerdict("keep", reason, stops_at)
    if not policy.warning:
        return IdleVerdict("stop", reason, stops_at)
    if warned_at is None or warned_at < opens:
        return IdleVerdict("warn", reason, max(stops_at, now + policy.warning))
    stops_at = max(stops_at, warned_at + policy.warning)
    return IdleVerdict("stop" if now >= stops_at else "keep", reason, stops_at)


def latest_stop(max_duration: timedelta | None, started: datetime) -> datetime | None:
    """The moment no extension passes."""
    return started + max_duration if max_duration is not None else None


def _stop(
    policy: IdlePolicy, started: datetime, last_activity: datetime | None, keep_until: datetime | None
) -> tuple[datetime | None, str]:
    ends = []
    if policy.timeout is not None:
        idle = max(started, last_activity or started) + policy.timeout
        ends.append((max(idle, keep_until or idle), "idle"))
    latest = latest_stop(policy.max_duration, started)
    if latest is not None:
        ends.append((latest, "max-duration"))
    return min(ends) if ends else (None, "")
