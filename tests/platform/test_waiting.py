"""The wait for the parts: what counts as dead, and when waiting is hopeless."""

from __future__ import annotations

from hub.cli.host.waiting import TOO_OFTEN, Deaths, Task


def task(number: int, state: str = "Failed 2 seconds ago", part: str = "hub") -> Task:
    return Task(
        id=f"id{number}", part=part, image="sha256:1", desired="Shutdown", state=state, error="non-zero exit"
    )


def test_a_part_that_dies_again_and_again_is_beyond_hope_though_the_swarm_shows_one_death() -> None:
    deaths = Deaths([])
    for number in range(TOO_OFTEN - 1):
        assert deaths.beyond_hope([task(number)]) == []
        assert deaths.beyond_hope([task(number)]) == []
    assert deaths.beyond_hope([task(TOO_OFTEN)]) == [task(TOO_OFTEN)]


def test_deaths_before_this_deployment_do_not_count() -> None:
    old = [task(number) for number in range(9)]
    assert Deaths(old).beyond_hope(old) == []


def test_an_orderly_end_is_no_death_and_parts_are_counted_apart() -> None:
    deaths = Deaths([])
    ended = [task(number, state="Shutdown 1 second ago") for number in range(9)]
    spread = [
        task(10 + number, part=part) for number, part in enumerate(("hub", "portal", "worker", "keeper"))
    ]
    assert deaths.beyond_hope([*ended, *spread]) == []
