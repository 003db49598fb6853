"""The pure decisions, by table."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from environments import Closed, IdlePolicy, Role, Status, Window
from environments import errors as no
from environments.rules import (
    LinkTerms,
    Standing,
    check_create,
    check_edit,
    check_launch,
    check_link,
    check_open,
    idle_verdict,
)
from tests.environments.support import NOW, after

ALWAYS = Window(None, None)
STRANGER = Standing(Role.STUDENT)
MEMBER = Standing(Role.STUDENT, is_member=True)
OWNER = Standing(Role.TEACHER, is_owner=True)
COLLEAGUE = Standing(Role.TEACHER, is_member=True)
OTHER_TEACHER = Standing(Role.TEACHER)
FORMER_TEACHER = Standing(Role.STUDENT, is_owner=True)
ADMIN = Standing(Role.ADMIN)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (LinkTerms(None, None, 0, None), None),
        (LinkTerms(after(seconds=1), 2, 1, None), None),
        (LinkTerms(NOW, None, 0, None), no.LinkExpired),
        (LinkTerms(after(days=-1), None, 0, None), no.LinkExpired),
        (LinkTerms(None, 2, 2, None), no.LinkUsedUp),
        (LinkTerms(None, 2, 3, None), no.LinkUsedUp),
        (LinkTerms(None, None, 0, NOW), no.LinkRevoked),
        (LinkTerms(after(days=-1), 1, 1, NOW), no.LinkRevoked),
    ],
)
def test_a_link_lets_in_or_says_why_not(terms: LinkTerms, refusal: type[Exception] | None) -> None:
    if refusal is None:
        check_link(terms, NOW)
    else:
        with pytest.raises(refusal):
            check_link(terms, NOW)


@pytest.mark.parametrize(
    ("standing", "status", "refusal"),
    [
        (MEMBER, Status.PUBLISHED, None),
        (OWNER, Status.PUBLISHED, None),
        (ADMIN, Status.PUBLISHED, None),
        (STRANGER, Status.PUBLISHED, no.NotAMember),
        (OTHER_TEACHER, Status.PUBLISHED, no.NotAMember),
        (FORMER_TEACHER, Status.PUBLISHED, no.NotAMember),
        (MEMBER, Status.DRAFT, no.NotPublished),
        (OWNER, Status.DRAFT, None),
        (COLLEAGUE, Status.DRAFT, None),
        (ADMIN, Status.DRAFT, None),
        (OTHER_TEACHER, Status.DRAFT, no.NotAMember),
        (MEMBER, Status.ARCHIVED, no.NotPublished),
        (OWNER, Status.ARCHIVED, no.NotPublished),
        (ADMIN, Status.ARCHIVED, no.NotPublished),
        (Standing(Role.STUDENT, is_member=True, disabled=True), Status.PUBLISHED, no.AccountDisabled),
        (Standing(Role.ADMIN, disabled=True), Status.PUBLISHED, no.AccountDisabled),
    ],
)
def test_who_may_start_what(standing: Standing, status: Status, refusal: type[Exception] | None) -> None:
    if refusal is None:
        check_launch(standing, status, ALWAYS, others=0, limit=1, now=NOW)
    else:
        with pytest.raises(refusal):
            check_launch(standing, status, ALWAYS, others=0, limit=1, now=NOW)


@pytest.mark.parametrize(
    ("window", "when"),
    [
        (Window(NOW, None), None),
        (Window(None, after(seconds=1)), None),
        (Window(after(seconds=1), None), "before"),
        (Window(None, NOW), "after"),
        (Window(after(days=-2), after(days=-1)), "after"),
    ],
)
def test_the_opening_period(window: Window, when: str | None) -> None:
    if when is None:
        check_open(Status.PUBLISHED, window, MEMBER, NOW)
        return
    with pytest.raises(Closed) as refused:
        check_open(Status.PUBLISHED, window, MEMBER, NOW)
    assert refused.value.fields["when"] == when
    check_open(Status.PUBLISHED, window, OWNER, NOW)


@pytest.mark.parametrize(
    ("others", "limit", "refused"), [(0, 1, False), (1, 1, True), (5, 4, True), (99, 0, False)]
)
def test_the_quota_counts_the_other_servers(others: int, limit: int, refused: bool) -> None:
    if not refused:
        check_launch(MEMBER, Status.PUBLISHED, ALWAYS, others=others, limit=limit, now=NOW)
        return
    with pytest.raises(no.QuotaReached) as reached:
        check_launch(MEMBER, Status.PUBLISHED, ALWAYS, others=others, limit=limit, now=NOW)
    assert reached.value.fields == {"used": others, "limit": limit}


@pytest.mark.parametrize(
    ("standing", "refusal"),
    [
        (OWNER, None),
        (ADMIN, None),
        (COLLEAGUE, no.NotYours),
        (MEMBER, no.NotYours),
        (OTHER_TEACHER, no.NotFound),
        (STRANGER, no.NotFound),
        (FORMER_TEACHER, no.NotFound),
    ],
)
def test_who_may_edit(standing: Standing, refusal: type[Exception] | None) -> None:
    if refusal is None:
        check_edit(standing)
    else:
        with pytest.raises(refusal):
            check_edit(standing)


def test_students_define_nothing() -> None:
    check_create(Role.TEACHER)
    check_create(Role.ADMIN)
    with pytest.raises(no.NotYours):
        check_create(Role.STUDENT)


HOUR = timedelta(hours=1)
POLICY = IdlePolicy(timeout=HOUR, max_duration=12 * HOUR, warning=timedelta(minutes=10))
STARTED = after(hours=-2)


def verdict(
    policy: IdlePolicy = POLICY,
    started: datetime = STARTED,
    idle: float | None = 0,
    keep: float | None = None,
    warned: float | None = None,
) -> tuple[str, str, float | None]:
    """Decision, reason, minutes until the stop; `idle` and `warned` are minutes ago, `keep` ahead."""
    found = idle_verdict(
        policy,
        started=started,
        last_activity=None if idle is None else after(minutes=-idle),
        keep_until=None if keep is None else after(minutes=keep),
        warned_at=None if warned is None else after(minutes=-warned),
        now=NOW,
    )
    left = None if found.stops_at is None else (found.stops_at - NOW).total_seconds() / 60
    return found.decision, found.reason, left


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"idle": 0}, ("keep", "idle", 60)),
        ({"idle": 49}, ("keep", "idle", 11)),
        ({"idle": 50}, ("warn", "idle", 10)),
        ({"idle": 55}, ("warn", "idle", 10)),  # a late sweep still gives the whole time
        ({"idle": 55, "warned": 5}, ("keep", "idle", 5)),
        ({"idle": 60, "warned": 10}, ("stop", "idle", 0)),
        ({"idle": 600}, ("warn", "idle", 10)),  # the worker was away, or the clock jumped
        ({"idle": 70, "warned": 4}, ("keep", "idle", 6)),
        ({"idle": 74, "warned": 10}, ("stop", "idle", 0)),
        ({"idle": 2, "warned": 5}, ("keep", "idle", 58)),  # back at work: the warning is void
        ({"idle": 52, "warned": 55}, ("warn", "idle", 10)),  # and a later spell has its own
        ({"idle": -5}, ("keep", "idle", 65)),  # a clock that went back
        ({"idle": None}, ("warn", "idle", 10)),  # never any activity since the start
        ({"idle": None, "started": after(minutes=-5)}, ("keep", "idle", 55)),
        ({"idle": 300, "started": after(minutes=-5)}, ("keep", "idle", 55)),  # activity of an earlier start
        ({"idle": 59, "keep": 30}, ("keep", "idle", 30)),
        ({"idle": 59, "keep": 10}, ("warn", "idle", 10)),
        ({"idle": 10, "keep": 5}, ("keep", "idle", 50)),
        ({"started": after(hours=-11.9)}, ("warn", "max-duration", 10)),
        ({"started": after(hours=-12), "warned": 10}, ("stop", "max-duration", 0)),
        ({"started": after(hours=-12), "warned": 10, "keep": 300}, ("stop", "max-duration", 0)),
        ({"started": after(hours=-12), "warned": 60}, ("warn", "max-duration", 10)),
    ],
)
def test_idle_verdicts(given: dict[str, object], expected: tuple[str, str, float]) -> None:
    assert verdict(**given) == pytest.approx(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "idle", "expected"),
    [
        (IdlePolicy(None, None, HOUR), 9999, ("keep", "", None)),
        (IdlePolicy(None, 3 * HOUR, timedelta(0)), 9999, ("keep", "max-duration", 60)),
        (IdlePolicy(HOUR, None, timedelta(0)), 59, ("keep", "idle", 1)),
        (IdlePolicy(HOUR, None, timedelta(0)), 60, ("stop", "idle", 0)),
    ],
)
def test_policies_without_a_limit_or_a_warning(
    policy: IdlePolicy, idle: float, expected: tuple[str, str, float | None]
) -> None:
    assert verdict(policy, idle=idle) == expected
