"""One start against an engine that keeps the contract: the way up, every way down, and what is left."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from environments import Interface
from spawners import service_spec
from spawners.engine import Engine
from spawners.errors import LaunchFailed
from spawners.opening import Opening, Patience
from spawners.service_spec import Site
from spawners.start import Start
from spawners.steps import Steps
from spawners.task_state import Running, Waiting
from spawners.yard import Yard
from tests.spawners.conftest import Web
from tests.spawners.double import EngineDouble, api_error
from tests.spawners.launches import LAUNCH, launch, resources
from tests.spawners.support import NETWORK, STACK

SITE = Site(STACK, NETWORK)


class Attempt:
    """A start and the story it tells."""

    def __init__(self, yard: Yard, port: int, **changes: Any) -> None:
        self.yard = yard
        self.launch = launch(interface=Interface("lab", port, "/lab"), **changes)
        self.patience = Patience(placement=0.5, answer=2.0)
        self.home_timeout = 2.0
        self.told: list[tuple[str, str, str]] = []
        self.facts: list[dict[str, Any]] = []
        self.steps = Steps(self._tell)

    def _tell(self, step: str, state: str, code: str, args: Any) -> None:
        self.told.append((step, state, code))
        self.facts.append(dict(args))

    async def run(self, concurrency: int = 0) -> str:
        def build(image: str, cpus: float | None) -> dict[str, Any]:
            return service_spec.build(self.launch, SITE, image=image, hub={}, cpus=cpus)

        start = Start(self.yard, self.launch, self.steps, build, self.home_timeout)
        return await start.run(concurrency, self.opening)

    def opening(self) -> Opening:
        return Opening(self.yard, self.launch, self.steps, "/user/ada/python-intro/api", reach, self.patience)

    async def fails(self) -> LaunchFailed:
        with pytest.raises(LaunchFailed) as failed:
            await self.run()
        return failed.value


async def reach(state: Waiting | Running) -> str:
    return state.address


async def test_the_way_up(yard: Yard, web: Web) -> None:
    attempt = Attempt(yard, web.port)
    assert await attempt.run() == "127.0.0.1"
    assert web.paths == ["/user/ada/python-intro/api"]
    order = ["requested", "queued", "placed", "software", "files"]
    assert [step for step, state, _ in attempt.told if state == "done"][:5] == order


async def test_nobody_is_asked_before_the_container_runs(yard: Yard, web: Web, docker: EngineDouble) -> None:
    docker.plan, docker.early = ("pending", "assigned", "preparing"), True
    await Attempt(yard, web.port).fails()
    assert web.paths == []


async def test_polling_is_one_call_a_tick_however_many_wait(
    yard: Yard, web: Web, docker: EngineDouble
) -> None:
    docker.plan = ("pending",) * 8 + ("running",)
    ids = [f"launch{n:06d}".replace("0", "a").replace("1", "b") for n in range(8)]
    attempts = [Attempt(yard, web.port, launch_id=f"{id_}{n}", home_volume=None) for n, id_ in enumerate(ids)]
    await asyncio.gather(*(attempt.run(concurrency=50) for attempt in attempts))
    listings = docker.calls.count("tasks")
    assert listings < 15, f"eight starts of about nine ticks took {listings} listings"


@pytest.mark.parametrize(
    ("plan", "err", "exit_code", "code", "facts"),
    [
        (
            ("pending", "assigned", "rejected"),
            "No such image: nowhere:1",
            0,
            "image-missing",
            {"image": LAUNCH.image},
        ),
        (("pending", "starting", "failed"), "task: non-zero exit (3)", 3, "exit", {"status": 3}),
        (("starting", "running", "complete"), "", 0, "exit", {"status": 0}),
        (
            ("starting", "failed"),
            "starting container failed: error while mounting volume",
            128,
            "volume-down",
            {},
        ),
        (("starting", "running", "shutdown"), "", 0, "interrupted", {}),
    ],
)
async def test_what_cannot_work_ends_at_once_with_its_cause(
    yard: Yard,
    docker: EngineDouble,
    plan: tuple[str, ...],
    err: str,
    exit_code: int,
    code: str,
    facts: dict[str, Any],
) -> None:
    docker.plan, docker.err, docker.exit_code = plan, err, exit_code
    docker.log = "line 1\nline 2\n"
    attempt = Attempt(yard, port=9)
    began = time.monotonic()
    failed = await attempt.fails()
    assert (failed.code, failed.facts) == (code, facts)
    assert time.monotonic() - began < 1.5
    assert failed.log_tail == ("line 1\nline 2\n" if "starting" in plan else "")


async def test_out_of_memory_is_told_as_such(yard: Yard, docker: EngineDouble) -> None:
    docker.plan, docker.err, docker.exit_code = ("running", "failed"), "task: non-zero exit (137)", 137
    docker.oom = True
    failed = await Attempt(yard, port=9).fails()
    assert (failed.code, failed.facts) == ("oom", {"memory": LAUNCH.resources.memory_limit})


async def test_killed_by_somebody_is_not_out_of_memory(yard: Yard, docker: EngineDouble) -> None:
    docker.plan, docker.err, docker.exit_code = ("running", "failed"), "task: non-zero exit (137)", 137
    failed = await Attempt(yard, port=9).fails()
    assert (failed.code, failed.facts) == ("exit", {"status": 137})


async def test_full_files(yard: Yard, docker: EngineDouble) -> None:
    docker.plan, docker.err, docker.exit_code = ("running", "failed"), "task: non-zero exit (1)", 1
    docker.log = "OSError: [Errno 28] No space left on device: '/home/student/.jupyter'"
    assert (await Attempt(yard, port=9).fails()).code == "volume-full"


async def test_no_room_is_told_at_once_and_given_up_later(yard: Yard, docker: EngineDouble) -> None:
    docker.plan, docker.err = ("pending",), "no suitable node (insufficient resources on 1 node)"
    attempt = Attempt(yard, port=9)
    failed = await attempt.fails()
    wanted = {"memory": LAUNCH.resources.memory_reservation, "cpu": LAUNCH.resources.cpu_reservation}
    assert (failed.code, failed.facts) == ("capacity", wanted)
    assert ("placed", "running", "capacity") in attempt.told


async def test_room_that_comes_free_is_taken(yard: Yard, docker: EngineDouble, web: Web) -> None:
    docker.plan = ("pending",) * 3 + ("assigned", "running")
    docker.err = "no suitable node (insufficient resources on 1 node)"
    assert await Attempt(yard, web.port).run() == "127.0.0.1"


async def test_a_port_that_never_answers(yard: Yard, docker: EngineDouble) -> None:
    docker.log = "Listening on the wrong port"
    attempt = Attempt(yard, port=9)
    attempt.patience = Patience(placement=0.5, answer=0.8)
    failed = await attempt.fails()
    assert (failed.code, failed.facts) == ("port-timeout", {"port": 9, "seconds": 1})
    assert failed.log_tail == "Listening on the wrong port"


async def test_an_image_that_is_slow_to_come(yard: Yard, docker: EngineDouble) -> None:
    docker.plan = ("pending", "preparing")
    attempt = Attempt(yard, port=9)
    attempt.patience = Patience(placement=0.5, answer=0.6)
    assert (await attempt.fails()).code == "pull-timeout"


async def test_an_answer_of_500_is_not_ready(yard: Yard, web: Web) -> None:
    web.status = "503 Service Unavailable"
    attempt = Attempt(yard, web.port)
    running = asyncio.create_task(attempt.run())
    await asyncio.sleep(0.8)
    assert not running.done()
    web.status = "200 OK"
    assert await running == "127.0.0.1"


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [
        (400, "invalid memory value 1024: Must be at least 4MiB", "oom"),
        (400, 'ContainerSpec: "Bad:::image" is not a valid repository/tag', "image-missing"),
        (500, "network t-users not found", "internal"),
        (500, "rpc error: something is broken", "engine-down"),
    ],
)
async def test_a_service_the_engine_refuses(
    yard: Yard, docker: EngineDouble, status: int, words: str, code: str
) -> None:
    def broken(method: str) -> None:
        if method == "create_service":
            raise api_error(status, words)

    docker.broken = broken
    failed = await Attempt(yard, port=9).fails()
    assert failed.code == code
    assert words in failed.words


async def test_an_engine_that_does_not_answer(docker: EngineDouble) -> None:
    def silent(method: str) -> None:
        raise OSError("connection refused")

    docker.broken = silent
    engine = Engine(STACK, lambda: docker)
    failed = await Attempt(Yard(engine, NETWORK), port=9).fails()
    assert failed.code == "engine-down"


async def test_a_leftover_of_the_same_server_is_removed_before(
    yard: Yard, docker: EngineDouble, web: Web
) -> None:
    await Attempt(yard, web.port, launch_id="oldoldoldold").run()
    await Attempt(yard, web.port, launch_id="newnewnewnew").run()
    assert docker.running() == [f"{STACK}-newnewnewnew"]


async def test_a_home_is_free_only_when_the_old_container_has_ended(
    yard: Yard, docker: EngineDouble, web: Web
) -> None:
    docker.linger = 25
    await Attempt(yard, web.port, launch_id="oldoldoldold").run()
    await yard.reaper.remove(f"{STACK}-oldoldoldold")
    attempt = Attempt(yard, web.port, launch_id="newnewnewnew")
    running = asyncio.create_task(attempt.run())
    await asyncio.sleep(0.2)
    assert docker.running() == [], "no second container while the first may write"
    await running
    assert ("queued", "running", "home-closing") in attempt.told


async def test_a_container_that_never_ends_keeps_its_home(yard: Yard, docker: EngineDouble, web: Web) -> None:
    docker.linger = 1000
    await Attempt(yard, web.port, launch_id="oldoldoldold").run()
    attempt = Attempt(yard, web.port, launch_id="newnewnewnew")
    attempt.home_timeout = 0.4
    assert (await attempt.fails()).code == "volume-busy"
    assert docker.running() == []


async def test_a_personal_home_in_use_by_another_environment(
    yard: Yard, docker: EngineDouble, web: Web
) -> None:
    await Attempt(yard, web.port, launch_id="oldoldoldold", environment_id="other", slug="r-stats").run()
    failed = await Attempt(yard, web.port, launch_id="newnewnewnew").fails()
    assert (failed.code, failed.facts) == ("volume-busy", {"environment": "r-stats"})
    assert docker.running() == [f"{STACK}-oldoldoldold"]


async def test_a_dead_server_of_another_environment_does_not_keep_the_home(
    yard: Yard, docker: EngineDouble, web: Web
) -> None:
    await Attempt(yard, web.port, launch_id="oldoldoldold", environment_id="other", slug="r-stats").run()
    docker.kept["id0"].plan = ["failed"]
    assert await Attempt(yard, web.port, launch_id="newnewnewnew").run() == "127.0.0.1"


async def test_two_environments_starting_at_once_on_one_personal_home(
    yard: Yard, docker: EngineDouble, web: Web
) -> None:
    one = Attempt(yard, web.port, launch_id="oneoneoneone")
    two = Attempt(yard, web.port, launch_id="twotwotwotwo", environment_id="other", slug="r-stats")
    first, second = await asyncio.gather(one.run(), two.fails())
    assert first == "127.0.0.1"
    assert (second.code, second.facts) == ("volume-busy", {"environment": "python-intro"})
    assert docker.running() == [f"{STACK}-oneoneoneone"]


async def test_starts_wait_for_a_turn_and_know_their_rank(yard: Yard, docker: EngineDouble, web: Web) -> None:
    attempts = [
        Attempt(yard, web.port, launch_id=f"launch{n}", person_id=f"p{n}", home_volume=None) for n in range(3)
    ]
    await asyncio.gather(*(attempt.run(concurrency=1) for attempt in attempts))
    ranks = [facts["rank"] for facts in attempts[2].facts if facts]
    assert ranks == [2, 1]


async def test_three_starts_for_two_cpus_unless_told(yard: Yard, docker: EngineDouble, web: Web) -> None:
    docker.cpus = 2
    attempts = [
        Attempt(yard, web.port, launch_id=f"launch{n}", person_id=f"p{n}", home_volume=None) for n in range(4)
    ]
    await asyncio.gather(*(attempt.run() for attempt in attempts))
    assert [any(facts for facts in attempt.facts) for attempt in attempts] == [False, False, False, True]


async def test_an_image_of_this_node_is_asked_for_by_id(yard: Yard, docker: EngineDouble, web: Web) -> None:
    docker.local_images = {LAUNCH.image: "sha256:local"}
    await Attempt(yard, web.port).run()
    assert docker.kept["id0"].spec["task_template"]["ContainerSpec"]["Image"] == "sha256:local"


async def test_a_limit_above_the_nodes_is_lowered(yard: Yard, docker: EngineDouble, web: Web) -> None:
    await Attempt(yard, web.port, resources=resources(cpu_limit=64)).run()
    assert docker.kept["id0"].spec["task_template"]["Resources"]["Limits"]["NanoCPUs"] == 2_000_000_000
