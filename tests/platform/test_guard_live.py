"""The guard on a real engine: two servers, a hub and a proxy that are nothing but open ports."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hub.cli.host import networks
from hub.cli.host.images import ensure_images
from hub.cli.host.shell import docker
from hub.cli.host.waiting import wait_for

pytestmark = pytest.mark.swarm

# Prints, for each host:port of its arguments, how a connection from here ends.
TRY = """
import json, socket, sys
said = {}
for target in sys.argv[1:]:
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        said[target] = "open"
    except OSError as error:
        said[target] = type(error).__name__
print(json.dumps(said))
"""
# An echo request without any tool; the engine gives these containers the right to raw sockets.
PING = """
import socket, sys
probe = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
probe.settimeout(1)
probe.sendto(bytes.fromhex("0800f7fd00010001"), (sys.argv[1], 0))
try:
    print("reply" if probe.recv(99) else "")
except TimeoutError:
    print("silence")
"""

GUARD = (
    "--network host --cap-drop ALL --cap-add NET_ADMIN --cap-add SYS_ADMIN --env PAILLASSE_STACK={stack}"
    " --mount type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock"
    " --mount type=bind,source=/run/docker/netns,target=/run/docker/netns,bind-propagation=rslave"
)


@dataclass(frozen=True)
class Bench:
    """A stack of four listeners and a guard, and where each listens on the users network."""

    stack: str

    @property
    def network(self) -> str:
        return f"{self.stack}-users"

    def container(self, part: str) -> str:
        label = f"label=com.docker.swarm.service.name={self.stack}_{part}"
        return docker("ps", "--quiet", "--no-trunc", "--filter", label).partition("\n")[0]

    def address(self, part: str) -> str:
        facts = json.loads(docker("inspect", self.container(part)))[0]
        return str(facts["NetworkSettings"]["Networks"][self.network]["IPAddress"])

    def reach(self, part: str, *targets: str) -> dict[str, str]:
        said = docker("exec", "--interactive", self.container(part), "python3", "-", *targets, stdin=TRY)
        found: dict[str, str] = json.loads(said)
        return found

    def ping(self, part: str, address: str) -> str:
        return docker("exec", "--interactive", self.container(part), "python3", "-", address, stdin=PING)


def service(name: str, image: str, options: str, command: str) -> None:
    create = "service create --quiet --detach --no-resolve-image --restart-delay 0s --user 0"
    docker(*create.split(), "--name", name, *options.split(), image, *command.split())


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    image = ensure_images().platform
    bench = Bench(f"pt{secrets.token_hex(3)}")
    subnet = next(networks.free_subnets(networks.taken(), networks.PREFIX))
    docker("network", "create", "--driver", "overlay", "--subnet", str(subnet), bench.network)
    try:
        for part, port in (("hub", 8081), ("proxy", 8000), ("one", 8888), ("two", 8888)):
            options = f"--endpoint-mode dnsrr --network name={bench.network},alias={part}"
            service(f"{bench.stack}_{part}", image, options, f"python3 -m http.server {port}")
        service(f"{bench.stack}_guard", image, GUARD.format(stack=bench.stack), "python3 -m spawners.guard")
        parts = ("hub", "proxy", "one", "two", "guard")
        assert wait_for(lambda: all(bench.container(part) for part in parts), 60)
        yield bench
    finally:
        names = docker("service", "ls", "--filter", f"name={bench.stack}_", "--format", "{{.Name}}").split()
        docker("service", "rm", *names)
        wait_for(lambda: not docker("ps", "--quiet", "--filter", f"name={bench.stack}_"), 60)
        docker(
            "run", "--rm", "--network", "host", "--user", "0", "--cap-add", "NET_ADMIN",
            "--env", f"PAILLASSE_STACK={bench.stack}", image, "python3", "-m", "spawners.guard", "--remove",
        )  # fmt: skip
        wait_for(lambda: _gone(bench.network), 30, pause=0.5)


def _gone(network: str) -> bool:
    return subprocess.run(["docker", "network", "rm", network], capture_output=True).returncode == 0


def test_hub_and_proxy_reach_servers_and_servers_reach_the_hub_api_alone(bench: Bench) -> None:
    hub, proxy, one, two = (bench.address(part) for part in ("hub", "proxy", "one", "two"))
    opened = f"{one}:8888"
    assert wait_for(lambda: bench.reach("proxy", opened)[opened] == "open", 20)
    assert bench.reach("hub", opened, f"{two}:8888") == {opened: "open", f"{two}:8888": "open"}
    targets = (f"{hub}:8081", f"{two}:8888", f"{proxy}:8000", f"{hub}:22")
    assert bench.reach("one", *targets) == {
        f"{hub}:8081": "open",
        f"{two}:8888": "TimeoutError",
        f"{proxy}:8000": "TimeoutError",
        f"{hub}:22": "TimeoutError",
    }


def test_servers_do_not_even_answer_each_others_ping(bench: Bench) -> None:
    assert bench.ping("hub", bench.address("one")) == "silence"
    assert bench.ping("one", bench.address("two")) == "silence"


def test_the_machine_is_out_of_reach(bench: Bench) -> None:
    gateway = docker(
        "network", "inspect", "docker_gwbridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    )
    targets = [f"{gateway}:{port}" for port in (22, 2377, 7946)] + ["169.254.169.254:80"]
    assert set(bench.reach("one", *targets).values()) == {"TimeoutError"}


def test_a_hub_with_a_new_address_is_let_in_within_two_seconds(bench: Bench) -> None:
    before = bench.address("hub")
    docker("kill", bench.container("hub"))
    assert wait_for(lambda: bool(bench.container("hub")), 20, pause=0.05)
    began = time.monotonic()
    assert wait_for(lambda: bench.reach("one", "hub:8081")["hub:8081"] == "open", 10, pause=0.05)
    assert time.monotonic() - began <= 2
    assert bench.address("hub") != before
    # What was the hub's address is nobody's now.
    assert bench.reach("one", f"{before}:8081") == {f"{before}:8081": "TimeoutError"}
