"""The client of Docker: parallel, bounded in time, and never taking silence for an answer."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from docker.errors import NotFound

from spawners.engine import Engine
from spawners.errors import EngineDown, EngineRefused
from tests.spawners.double import EngineDouble, api_error
from tests.spawners.support import STACK

SPEC = {"name": f"{STACK}-x", "labels": {"paillasse.stack": STACK}, "task_template": {}}


async def test_calls_run_side_by_side_off_the_loop(docker: EngineDouble, engine: Engine) -> None:
    together = threading.Barrier(10, timeout=5)

    def wait_for_nine_others(method: str) -> None:
        together.wait()

    docker.broken = wait_for_nine_others
    await asyncio.gather(*(engine.call("nodes") for _ in range(10)))


async def test_a_call_has_a_deadline(docker: EngineDouble, engine: Engine) -> None:
    let_go = threading.Event()
    docker.broken = lambda method: let_go.wait(5) and None
    began = time.monotonic()
    with pytest.raises(EngineDown):
        await engine.call("nodes", deadline=0.2)
    assert time.monotonic() - began < 1
    let_go.set()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (api_error(404, "no such thing"), NotFound),
        (api_error(400, "bad request"), EngineRefused),
        (api_error(500, "network x not found"), EngineRefused),
        (api_error(500, "the manager has no leader"), EngineDown),
        (api_error(503, "not ready"), EngineDown),
        (OSError("no socket"), EngineDown),
    ],
)
async def test_only_404_means_gone(
    docker: EngineDouble, engine: Engine, error: Exception, expected: type[Exception]
) -> None:
    def broken(method: str) -> None:
        raise error

    docker.broken = broken
    with pytest.raises(expected):
        await engine.call("nodes")


async def test_a_creation_given_up_leaves_nothing(docker: EngineDouble, engine: Engine) -> None:
    let_go = threading.Event()

    def slow(method: str) -> None:
        if method == "create_service":
            let_go.wait(5)

    docker.broken = slow
    creating = asyncio.create_task(engine.create_service(SPEC))
    await asyncio.sleep(0.1)
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    let_go.set()
    async with asyncio.timeout(5):
        while "remove_service" not in docker.calls:  # noqa: ASYNC110 - the double has no event
            await asyncio.sleep(0.02)
    assert docker.running() == []


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(engine: Engine) -> None:
    """`asyncio.wait_for` of Python 3.11 returns the answer and goes on."""
    for turns in range(40):
        calling = asyncio.create_task(engine.call("nodes"))
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.002)  # noqa: ASYNC251 - the answer arrives while the loop is away
        if not calling.done():
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling


async def test_a_log_that_cannot_be_had_is_empty(docker: EngineDouble, engine: Engine) -> None:
    assert await engine.log_tail(f"{STACK}-unknown") == ""


async def test_a_long_log_is_cut_at_its_beginning(docker: EngineDouble, engine: Engine) -> None:
    docker.log = "x" * 20_000 + "the end"
    await engine.create_service(SPEC)
    text = await engine.log_tail(f"{STACK}-x")
    assert len(text) == 8192
    assert text.endswith("the end")


async def test_objects_of_another_stack_are_not_seen(docker: EngineDouble) -> None:
    other, ours = Engine(f"{STACK}-2", lambda: docker), Engine(STACK, lambda: docker)
    await ours.create_service(SPEC)
    assert len(await ours.services()) == 1
    assert await other.services() == []
    assert await other.tasks() == []


async def test_a_container_of_another_node_is_left_to_swarm(docker: EngineDouble, engine: Engine) -> None:
    def gone(method: str) -> Any:
        raise api_error(404, "No such container")

    docker.broken = gone
    await engine.terminate("elsewhere")
    assert await engine.inspect("elsewhere") is None
