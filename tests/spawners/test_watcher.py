"""One loop for all starts, one listing for all polls; silence is not news."""

from __future__ import annotations

import asyncio

import pytest

from spawners.engine import Engine
from spawners.errors import EngineDown
from spawners.task_state import Running, TaskState, Waiting
from spawners.watcher import Watcher
from tests.spawners.double import EngineDouble, api_error
from tests.spawners.support import NETWORK, STACK


@pytest.fixture
def watcher(engine: Engine) -> Watcher:
    return Watcher(engine, NETWORK, tick=0.01)


async def begin(engine: Engine, launch: str) -> str:
    marks = {"paillasse.stack": STACK, "paillasse.launch": launch}
    name = f"{STACK}-{launch}"
    await engine.create_service({"name": name, "labels": marks, "task_template": {}})
    return name


async def follow_to_the_end(watcher: Watcher, service: str) -> list[TaskState]:
    seen: list[TaskState] = []
    ended = asyncio.Event()

    def tell(state: TaskState) -> None:
        seen.append(state)
        if isinstance(state, Running):
            ended.set()

    with watcher.follow(service, tell):
        await asyncio.wait_for(ended.wait(), 5)
    return seen


async def test_each_change_is_told_once(watcher: Watcher, engine: Engine, docker: EngineDouble) -> None:
    docker.plan = ("pending", "pending", "preparing", "preparing", "running")
    seen = await follow_to_the_end(watcher, await begin(engine, "abc"))
    assert [type(state) for state in seen] == [Waiting, Waiting, Running]


async def test_a_name_that_begins_alike_is_another(
    watcher: Watcher, engine: Engine, docker: EngineDouble
) -> None:
    await begin(engine, "abc2")
    seen: list[TaskState] = []
    with watcher.follow(f"{STACK}-abc", seen.append):
        await asyncio.sleep(0.2)
    assert seen == []


async def test_an_engine_that_is_silent_for_a_while_ends_nothing(
    watcher: Watcher, engine: Engine, docker: EngineDouble
) -> None:
    service = await begin(engine, "abc")
    failures = iter([api_error(500, "no leader"), OSError("no socket")])

    def broken(method: str) -> None:
        if error := next(failures, None):
            raise error

    docker.broken = broken
    assert isinstance((await follow_to_the_end(watcher, service))[-1], Running)


async def test_nobody_waiting_costs_nothing(watcher: Watcher, engine: Engine, docker: EngineDouble) -> None:
    await follow_to_the_end(watcher, await begin(engine, "abc"))
    await asyncio.sleep(0.05)
    before = len(docker.calls)
    await asyncio.sleep(0.2)
    assert len(docker.calls) == before


async def test_a_start_younger_than_the_snapshot_is_not_missing(
    watcher: Watcher, engine: Engine, docker: EngineDouble
) -> None:
    assert await watcher.look("abc", max_age=60) is None
    docker.plan = ("running",)
    await begin(engine, "abc")
    assert isinstance(await watcher.look("abc", max_age=60), Running)


async def test_many_who_look_share_one_listing(
    watcher: Watcher, engine: Engine, docker: EngineDouble
) -> None:
    await begin(engine, "abc")
    docker.calls.clear()
    await asyncio.gather(*(watcher.look("abc", max_age=5) for _ in range(50)))
    assert docker.calls == ["tasks"]


async def test_an_engine_that_is_down_is_not_an_answer(watcher: Watcher, docker: EngineDouble) -> None:
    def broken(method: str) -> None:
        raise OSError("no socket")

    docker.broken = broken
    with pytest.raises(EngineDown):
        await watcher.look("abc", max_age=5)
