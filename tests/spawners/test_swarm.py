"""SwarmEnvironmentSpawner against an engine that keeps the contract; the parent fails each of these."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from dockerspawner import SwarmSpawner

from environments import LaunchState
from spawners import swarm
from spawners.engine import Engine
from spawners.errors import EngineFailed
from spawners.swarm import SwarmEnvironmentSpawner
from spawners.yard import Yard
from tests.spawners.conftest import Web
from tests.spawners.double import EngineDouble, api_error
from tests.spawners.support import NETWORK, STACK, School, spawner

Make = Callable[..., SwarmEnvironmentSpawner]


@pytest.fixture
def make(school: School, yard: Yard, web: Web, monkeypatch: pytest.MonkeyPatch) -> Make:
    """What the Hub would make for ada's server; the environment listens where `web` does."""
    school.publish("python-intro", port=web.port)
    monkeypatch.setattr(SwarmEnvironmentSpawner, "_yards", {(STACK, NETWORK): yard})
    monkeypatch.setattr(swarm, "FRESH", 0.0)

    def made(**traits: object) -> SwarmEnvironmentSpawner:
        return spawner(SwarmEnvironmentSpawner, school, "python-intro", network_name=NETWORK, **traits)

    return made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the double has no event
            await asyncio.sleep(0.01)


async def test_start_poll_stop(make: Make, school: School, docker: EngineDouble, web: Web) -> None:
    made = make()
    assert await made.poll() == 0
    assert await made.start() == f"http://127.0.0.1:{web.port}"
    assert docker.running() == [f"{STACK}-{made.launch_id}"]
    assert made.object_name == f"{STACK}-{made.launch_id}"
    assert await made.poll() is None
    await made.stop()
    assert docker.running() == []
    assert await made.poll() == 0
    assert school.current().end_reason == "stopped-by-user"


async def test_the_service_carries_the_hubs_token_and_no_image_is_inspected_for_its_command(
    make: Make, docker: EngineDouble
) -> None:
    await make().start()
    container = docker.kept["id0"].spec["task_template"]["ContainerSpec"]
    assert "JUPYTERHUB_API_TOKEN=secret-token" in container["Env"]
    assert container["Args"] is None


@pytest.mark.parametrize("state", ["new", "assigned", "accepted", "ready", "starting", "running", "odd"])
async def test_a_task_on_its_way_is_running(make: Make, docker: EngineDouble, state: str) -> None:
    made = make()
    await made.start()
    docker.kept["id0"].plan = [state]
    assert await made.poll() is None


@pytest.mark.parametrize("error", [api_error(500, "no leader"), api_error(503, "busy"), OSError("no socket")])
async def test_an_engine_that_does_not_answer_stops_nobody(
    make: Make, docker: EngineDouble, error: Exception
) -> None:
    made = make()
    await made.start()

    def broken(method: str) -> None:
        raise error

    docker.broken = broken
    assert await made.poll() is None
    docker.broken = None
    assert await made.poll() is None


@pytest.mark.parametrize(
    ("state", "exit_code", "oom", "reason", "status"),
    [
        ("failed", 137, True, "oom", 137),
        ("failed", 137, False, "crashed", 137),
        ("failed", 1, False, "crashed", 1),
        ("complete", 0, False, "stopped-by-user", 0),
        ("shutdown", 0, False, "gone", 0),
    ],
)
async def test_a_later_death_is_told_once_and_leaves_nothing(
    make,
    school: School,
    docker: EngineDouble,
    state: str,
    exit_code: int,
    oom: bool,
    reason: str,
    status: int,
) -> None:
    made = make()
    await made.start()
    kept = docker.kept["id0"]
    kept.plan, kept.exit_code, kept.oom = [state], exit_code, oom
    kept.err = f"task: non-zero exit ({exit_code})" if exit_code else ""
    assert await made.poll() == status
    assert await made.poll() == 0
    await made.journal.written()
    assert school.current().end_reason == reason
    await until(lambda: docker.running() == [])


async def test_a_service_removed_behind_our_back_is_gone(
    make: Make, school: School, docker: EngineDouble
) -> None:
    made = make()
    await made.start()
    docker.kept.clear()
    assert await made.poll() == 0
    await made.journal.written()
    assert school.current().end_reason == "gone"


async def test_a_failed_start_leaves_no_service(make: Make, docker: EngineDouble) -> None:
    docker.plan, docker.err = ("pending", "rejected"), "No such image: x"
    made = make()
    with pytest.raises(EngineFailed):
        await made.start()
    await until(lambda: docker.running() == [])
    assert await made.poll() == 0


async def test_a_cancelled_start_leaves_no_service(make: Make, docker: EngineDouble) -> None:
    docker.plan = ("preparing",)
    made = make()
    starting = asyncio.create_task(made.start())
    await until(lambda: docker.running() != [])
    assert await made.poll() is None
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await until(lambda: docker.running() == [])


async def test_stop_is_fast_though_the_container_lingers(make: Make, docker: EngineDouble) -> None:
    docker.linger = 10_000
    made = make()
    await made.start()
    await asyncio.wait_for(made.stop(), 1)


async def test_polls_of_a_moment_share_one_listing(
    make: Make, docker: EngineDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make()
    await made.start()
    monkeypatch.setattr(swarm, "FRESH", 60.0)
    await made.poll()
    before = len(docker.calls)
    for _ in range(100):
        assert await made.poll() is None
    assert len(docker.calls) == before


async def test_a_restarted_hub_finds_a_running_server(make: Make, docker: EngineDouble) -> None:
    made = make()
    await made.start()
    again = make()
    again.load_state(made.get_state())
    assert await again.poll() is None
    await again.stop()
    assert docker.running() == []


async def test_a_hub_killed_during_a_start_takes_it_over(
    make: Make, school: School, docker: EngineDouble, web: Web
) -> None:
    docker.plan = ("pending", "preparing", "preparing", "starting", "running")
    dead = make()
    starting = asyncio.create_task(dead.start())
    await until(lambda: watched(docker))
    kill_without_cleaning(dead)
    starting.cancel()
    await asyncio.wait({starting})

    again = make()
    again.load_state({})
    again.server.ip, again.server.port = "", 0
    assert await again.poll() is None
    assert (again.server.ip, again.server.port) == ("127.0.0.1", web.port)
    await again.journal.written()
    assert school.current().state is LaunchState.READY
    assert docker.running() == [f"{STACK}-{again.launch_id}"]
    assert again.orm_spawner.state == {"launch_id": again.launch_id}


def watched(docker: EngineDouble) -> bool:
    """The service exists, and the Hub follows it."""
    calls = list(docker.calls)
    return "create_service" in calls and "tasks" in calls[calls.index("create_service") :]


def kill_without_cleaning(made: SwarmEnvironmentSpawner) -> None:
    """A killed process runs no handler."""
    made._give_up = lambda launch, failure: None


async def test_a_hub_killed_before_there_was_a_service_says_so(
    make: Make, school: School, docker: EngineDouble
) -> None:
    dead = make()

    def silent(method: str) -> None:
        raise OSError("not yet")

    docker.broken = silent
    kill_without_cleaning(dead)
    with pytest.raises(EngineFailed):
        await dead.start()
    docker.broken = None
    again = make()
    again.load_state({})
    assert await again.poll() == 0
    await again.journal.written()
    assert school.current().failure == "interrupted"


async def test_a_take_over_that_fails_is_named_and_leaves_nothing(
    make: Make, school: School, docker: EngineDouble
) -> None:
    docker.plan = ("preparing",)
    dead = make()
    starting = asyncio.create_task(dead.start())
    await until(lambda: watched(docker))
    kill_without_cleaning(dead)
    starting.cancel()
    await asyncio.wait({starting})
    kept = docker.kept["id0"]
    kept.plan, kept.err = ["rejected"], "No such image: x"

    again = make()
    again.load_state({})
    assert await again.poll() == 0
    await again.journal.written()
    assert school.current().failure == "image-missing"
    await until(lambda: docker.running() == [])


async def test_the_state_of_a_server_that_never_was_is_empty(make: Make) -> None:
    assert make().get_state() == {}


async def test_the_operators_volumes_are_volumes(make: Make, docker: EngineDouble) -> None:
    made = make(
        volumes={"shared": "/shared", "/data": "/data"},
        read_only_volumes={"books": "/books"},
        volume_driver="local",
        volume_driver_options={"type": "nfs"},
    )
    await made.start()
    mounts = docker.kept["id0"].spec["task_template"]["ContainerSpec"]["Mounts"]
    kinds = {mount.get("Source", mount["Target"]): (mount["Type"], mount.get("ReadOnly")) for mount in mounts}
    assert kinds["shared"] == ("volume", False)
    assert kinds["books"] == ("volume", True)
    assert kinds["/data"] == ("bind", False)


async def test_trait_names_are_those_operators_know() -> None:
    ours = set(SwarmEnvironmentSpawner.class_trait_names(config=True))
    assert set(SwarmSpawner.class_trait_names(config=True)) <= ours


async def test_the_operators_own_docker_calls_have_a_deadline(
    make: Make, docker: EngineDouble, engine: Engine
) -> None:
    assert (await make().docker("nodes"))[0]["Status"]["State"] == "ready"
