"""A part killed during 20 starts: all end, nothing is orphaned or doubled, earlier servers stay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from tests.faults import kills
from tests.support.person import Person
from tests.support.platform import Platform

pytestmark = pytest.mark.platform

SLUG = "jupyterlab-python"
STARTS = 20


@pytest.fixture(scope="module")
def earlier(platform: Platform) -> Iterator[list[Person]]:
    """Two people at work before anything breaks."""
    people = kills.people_for(platform, 2, "early")
    for person in people:
        person.join(platform.join_link)
        person.wait_ready(SLUG)
    yield people
    leave(people)


@pytest.mark.parametrize("part", kills.PARTS)
def test_every_start_ends_when_a_part_is_killed(platform: Platform, earlier: list[Person], part: str) -> None:
    people = kills.people_for(platform, STARTS, part)
    try:
        outcome = kills.run(platform, part, people, earlier, SLUG)
    finally:
        leave(people)
    assert outcome.good, outcome
    assert outcome.ready + sum(outcome.failed.values()) == STARTS
    assert set(outcome.failed) <= {"interrupted", "engine-down"}, outcome


def leave(people: list[Person]) -> None:
    """Stop what runs; a start that ended with a named failure has nothing to stop."""
    for person in people:
        with contextlib.suppress(httpx.HTTPError, AssertionError):
            person.stop(SLUG)
        person.close()
