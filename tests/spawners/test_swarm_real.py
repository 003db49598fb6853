"""The spawner on a real Swarm: limits, files, causes, and never two containers on one home."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import docker
import pytest

from spawners import swarm
from spawners.engine import Engine
from spawners.errors import EngineFailed
from spawners.swarm import SwarmEnvironmentSpawner
from spawners.task_state import Running, Waiting
from spawners.yard import Yard
from tests.spawners import real
from tests.spawners.support import STACK, School, spawner

pytestmark = pytest.mark.swarm
MB = 2**20
RUNS = 10
Make = Callable[..., SwarmEnvironmentSpawner]


class OnTheHost(SwarmEnvironmentSpawner):
    """Reaches tasks through the gateway bridge, as the tests are not on the overlay."""

    async def reach(self, state: Waiting | Running) -> str:
        return await real.through_the_gateway(self.yard.engine)(state)


@pytest.fixture
async def make(
    machine: docker.APIClient, school: School, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """What the Hub would make for ada, and another user, of a slug."""
    engine = Engine(STACK)
    yards = {(STACK, real.NETWORK): Yard(engine, real.NETWORK)}
    monkeypatch.setattr(SwarmEnvironmentSpawner, "_yards", yards)
    monkeypatch.setattr(swarm, "FRESH", 0.0)

    def made(slug: str = "python-intro", **traits: Any) -> SwarmEnvironmentSpawner:
        return spawner(OnTheHost, school, slug, network_name=real.NETWORK, **traits)

    yield made
    await nothing_left(machine)
    engine.close()


async def nothing_left(machine: docker.APIClient) -> None:
    """No test leaves a service, and none leaves a container that runs.

    A failed start is told before its traces are gone: the spawner removes them meanwhile.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while machine.services(filters=real.MARK):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    left = machine.services(filters=real.MARK)
    for service in left:
        machine.remove_service(service["ID"])
    async with asyncio.timeout(20):
        while machine.containers(filters=real.MARK):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert [service["Spec"]["Name"] for service in left] == []


def container_of(machine: docker.APIClient, made: SwarmEnvironmentSpawner) -> dict[str, Any]:
    mark = {"label": f"paillasse.launch={made.launch_id}"}
    (container,) = machine.containers(filters=mark)
    return dict(machine.inspect_container(container["Id"]))


def shell(command: str) -> list[str]:
    """The command of an environment."""
    return ["sh", "-c", command]


def little(cpu: float) -> dict[str, Any]:
    """Resources of an environment with this CPU limit, which reserves none."""
    return {"cpu": cpu, "cpu_reservation": 0, "memory": "64M"}


def run(machine: docker.APIClient, container: dict[str, Any], command: str) -> str:
    """The output of a shell command inside."""
    job = machine.exec_create(container["Id"], ["sh", "-c", command])
    return str(machine.exec_start(job["Id"]).decode()).strip()


async def test_a_server_has_its_limits_and_nothing_more(make: Make, machine: docker.APIClient) -> None:
    made = make()
    url = await made.start()
    assert url.endswith(":8888")
    assert await made.poll() is None
    found = container_of(machine, made)
    host = found["HostConfig"]
    assert host["Memory"] == 64 * MB
    assert host["NanoCpus"] == 1_500_000_000
    assert host["PidsLimit"] == 128
    assert host["CapDrop"] == ["ALL"]
    assert host["Init"] is True
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert not host["Privileged"]
    assert machine.inspect_service(made.service)["Spec"]["EndpointSpec"]["Mode"] == "dnsrr"
    assert found["Config"]["Hostname"] == "python-intro"
    status = run(machine, found, "cat /proc/self/status")
    assert "CapEff:\t0000000000000000" in status
    assert run(machine, found, "busybox df -k /dev/shm | busybox tail -1").split()[1] == str(16 * 1024)
    if machine.api_version >= "1.44":
        assert "NoNewPrivs:\t1" in status
    await made.stop()


async def test_files_are_kept_in_a_named_volume_of_the_person(make: Make, machine: docker.APIClient) -> None:
    made = make()
    await made.start()
    run(machine, container_of(machine, made), "echo tomorrow > /home/student/file")
    (mount,) = [mount for mount in container_of(machine, made)["Mounts"] if mount["Type"] == "volume"]
    volume = machine.inspect_volume(mount["Name"])
    assert volume["Labels"]["paillasse.stack"] == STACK
    await made.stop()
    again = make()
    await again.start()
    assert run(machine, container_of(machine, again), "cat /home/student/file") == "tomorrow"
    await again.stop()


@pytest.mark.parametrize(
    ("more", "code", "args", "log"),
    [
        ({"image": f"{STACK}/none:1"}, "image-missing", {"image": f"{STACK}/none:1"}, ""),
        ({"command": shell("echo bad luck; exit 3")}, "exit", {"status": 3}, "bad luck"),
        ({"command": ["/bin/nowhere"]}, "exit", {"status": 127}, "nowhere"),
        (
            {"command": shell("exec dd if=/dev/zero of=/dev/null bs=200M")},
            "oom",
            {"memory": 64 * MB},
            "",
        ),
        ({"command": ["sleep", "60"]}, "port-timeout", {"port": 8888, "seconds": 3}, ""),
    ],
)
async def test_what_cannot_work_is_named_and_leaves_nothing(
    make: Make, school: School, more: dict[str, Any], code: str, args: dict[str, Any], log: str
) -> None:
    school.publish("broken", **more)
    school.admit("ada", "broken")
    made = make("broken", answer_timeout=3)
    began = time.monotonic()
    with pytest.raises(EngineFailed):
        await made.start()
    assert time.monotonic() - began < 8
    launch = school.current("broken")
    assert (launch.failure, launch.failure_args) == (code, args)
    assert log in launch.log_tail


async def test_full_files_are_named(make: Make, school: School) -> None:
    """A volume with driver options, too: here one of a megabyte in memory."""
    school.publish("full", command=shell("dd if=/dev/zero of=/home/student/big bs=64k count=64"))
    school.admit("ada", "full")
    small = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000"}
    with pytest.raises(EngineFailed):
        await make("full", volume_driver_options=small).start()
    assert school.current("full").failure == "volume-full"


async def test_no_room(make: Make, school: School) -> None:
    school.publish("large", resources={"memory": "8T", "memory_reservation": "8T"})
    school.admit("ada", "large")
    with pytest.raises(Exception, match="capacity"):
        await make("large", placement_timeout=0.5).start()
    assert school.current("large").failure == "capacity"


async def test_a_cpu_limit_throttles_and_never_kills(
    make: Make, school: School, machine: docker.APIClient
) -> None:
    """Eight loops in half a CPU: slow, and all of them end well."""
    loop = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"
    job = f"for n in 1 2 3 4 5 6 7 8; do ({loop}) & done; wait; echo all done; exec httpd -f -p 8888"
    school.publish("parallel", resources=little(0.5), command=shell(job))
    school.admit("ada", "parallel")
    made = make("parallel")
    await made.start()
    found = container_of(machine, made)
    assert found["HostConfig"]["NanoCpus"] == 500_000_000
    assert b"all done" in machine.logs(found["Id"])
    assert throttled(machine, found) > 0
    await made.stop()


def throttled(machine: docker.APIClient, container: dict[str, Any]) -> int:
    """How often the kernel has held the container back."""
    stats = machine.stats(container["Id"], stream=False)
    return int(stats["cpu_stats"]["throttling_data"]["throttled_periods"])


async def test_a_cpu_limit_above_the_machine_starts(
    make: Make, school: School, machine: docker.APIClient
) -> None:
    school.publish("greedy", resources=little(64))
    school.admit("ada", "greedy")
    made = make("greedy")
    await made.start()
    assert f"OMP_NUM_THREADS={machine.info()['NCPU']}" in container_of(machine, made)["Config"]["Env"]
    await made.stop()


@pytest.mark.parametrize(("memory_hog", "reason"), [(True, "oom"), (False, "crashed")])
async def test_a_later_death_is_told(
    make: Make, school: School, machine: docker.APIClient, memory_hog: bool, reason: str
) -> None:
    eat = "exec dd if=/dev/zero of=/dev/null bs=200M" if memory_hog else "exit 7"
    job = f"httpd -p 8888; while [ ! -e /tmp/now ] && [ ! -e /home/student/now ]; do sleep 0.1; done; {eat}"
    school.publish("mortal", command=shell(job))
    school.admit("ada", "mortal")
    made = make("mortal")
    await made.start()
    run(machine, container_of(machine, made), "echo > /home/student/now")
    async with asyncio.timeout(10):
        while await made.poll() is None:  # noqa: ASYNC110 - as the Hub does
            await asyncio.sleep(0.1)
    await made.journal.written()
    assert school.current("mortal").end_reason == reason


async def test_quick_stops_and_starts_never_meet_in_one_home(
    make: Make, school: School, machine: docker.APIClient
) -> None:
    """Each run appends its numbered lines; whoever runs is seen by sampling the engine all the while."""
    write = "n=0; while true; do n=$((n+1)); echo $n >> /home/student/lines; sleep 0.05; done"
    job = f"({write}) & exec httpd -f -p 8888"
    school.publish("quick", command=shell(job))
    school.admit("ada", "quick")
    most = 0
    over = asyncio.Event()

    async def sample() -> None:
        nonlocal most
        while not over.is_set():
            running = await asyncio.to_thread(machine.containers, filters=real.MARK)
            most = max(most, len(running))
            await asyncio.sleep(0.05)

    sampling = asyncio.create_task(sample())
    for _ in range(RUNS):
        made = make("quick")
        await made.start()
        began = time.monotonic()
        await made.stop()
        assert time.monotonic() - began < 2, "stopping must not keep a person waiting"
    over.set()
    await sampling
    assert most == 1
    school.publish("quick")
    made = make("quick")
    await made.start()
    lines = [
        int(line) for line in run(machine, container_of(machine, made), "cat /home/student/lines").split()
    ]
    await made.stop()
    assert lines.count(1) == RUNS
    assert all(line in (1, before + 1) for before, line in pairwise([0, *lines])), "a line is lost or doubled"


async def test_a_cancelled_start_leaves_nothing(make: Make, machine: docker.APIClient) -> None:
    made = make()
    starting = asyncio.create_task(made.start())
    async with asyncio.timeout(10):
        while not machine.services(filters=real.MARK):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with asyncio.timeout(5):
        while machine.services(filters=real.MARK):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_stop_frees_the_home_within_a_second(make: Make, machine: docker.APIClient) -> None:
    """The engine alone takes 3.3 s: its agent waits for gossip before it says SIGTERM."""
    made = make()
    await made.start()
    began = time.monotonic()
    service = made.service
    await made.stop()
    await made.yard.reaper.gone(service)
    assert time.monotonic() - began < 2
