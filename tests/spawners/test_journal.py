"""The story is written in order, in the background, and survives an entry that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from environments import queries
from spawners.journal import Journal
from tests.spawners.support import School


async def test_in_order_and_in_few_transactions(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = school.request()
    before = school.store.run_sync(queries.events_after, 0, [launch])
    runs = 0
    run = school.store.run

    async def counted(*args: Any, **kw: Any) -> Any:
        nonlocal runs
        runs += 1
        return await run(*args, **kw)

    monkeypatch.setattr(school.store, "run", counted)
    journal = Journal(school.store)
    for n in range(20):
        journal.record(launch, "queued", "running", "rank", {"rank": 20 - n})
    await journal.written()
    events = school.store.run_sync(queries.events_after, before[-1].id if before else 0, [launch])
    assert [event.args["rank"] for event in events] == list(range(20, 0, -1))
    assert runs <= 2


async def test_an_entry_that_is_refused_takes_no_other_with_it(school: School) -> None:
    launch = school.request()
    journal = Journal(school.store)
    journal.record("unknown", "queued", "running")
    journal.failed(launch, "exit", {"status": 3}, "the end")
    journal.ended("unknown", "gone")
    await journal.written()
    assert school.current().failure == "exit"


async def test_a_database_that_is_away_for_a_moment_loses_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = school.request()
    run = school.store.run
    errors = [OSError("disk"), OSError("disk")]

    async def flaky(*args: Any, **kw: Any) -> Any:
        if errors:
            raise errors.pop()
        return await run(*args, **kw)

    monkeypatch.setattr(school.store, "run", flaky)
    journal = Journal(school.store)
    journal.failed(launch, "exit", {"status": 3})
    await journal.written()
    assert school.current().failure == "exit"
