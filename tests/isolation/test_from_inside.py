"""From inside a student's server: nothing of the platform or of other people can be reached."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.person import Person
from tests.support.platform import Platform, docker

pytestmark = pytest.mark.platform

SLUG = "jupyterlab-python"
PROBE = (Path(__file__).parent / "probe.py").read_text()


@dataclass(frozen=True)
class Inside:
    """A running server, seen from its inside."""

    person: Person
    container: str

    def addresses(self) -> list[str]:
        networks = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", self.container))
        return [network["IPAddress"] for network in networks.values() if network["IPAddress"]]

    def probe(self, targets: list[tuple[str, str, int]]) -> dict[str, Any]:
        done = subprocess.run(
            ["docker", "exec", "-i", self.container, "python3", "-c", PROBE],
            input=json.dumps(targets),
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture(scope="module")
def two(platform: Platform) -> Iterator[tuple[Inside, Inside]]:
    """Two students of one environment, both at work."""
    inside = []
    for prefix in ("mallory", "alice"):
        before = set(platform.servers())
        person = Person(platform.url, *platform.add_person(prefix))
        person.join(platform.join_link)
        person.wait_ready(SLUG)
        (container,) = set(platform.servers()) - before
        inside.append(Inside(person, container))
    yield inside[0], inside[1]
    for each in inside:
        each.person.stop(SLUG)
        each.person.close()


def addresses_of_part(platform: Platform, name: str) -> list[str]:
    networks = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", platform.part(name)))
    return [network["IPAddress"] for network in networks.values() if network["IPAddress"]]


def test_the_neighbour_is_out_of_reach(two: tuple[Inside, Inside]) -> None:
    mallory, alice = two
    targets = [
        (f"{address}:{port}", address, port)
        for address in alice.addresses()
        for port in (22, 80, 8888, 8889, 5900, 9999)
    ]
    assert targets
    assert mallory.probe(targets)["reached"] == []
    # The probe itself can see: the same address answers from where the proxy stands.
    own = [(f"own:{address}", address, 8888) for address in mallory.addresses()[:1]]
    assert mallory.probe(own)["reached"] == [own[0][0]]


def test_the_platform_shows_servers_the_hub_api_and_nothing_else(
    platform: Platform, two: tuple[Inside, Inside]
) -> None:
    mallory, _ = two
    ports = {
        "proxy": (8000, 8001),
        "portal": (8100,),
        "keeper": (8090,),
        "worker": (22, 80, 8000),
        "hub": (22, 8080),
    }
    targets = [
        (f"{part}:{port}", address, port)
        for part, listened in ports.items()
        for port in listened
        for address in addresses_of_part(platform, part)
    ]
    reached = mallory.probe(targets)["reached"]
    # The proxy's public port is public; a refusal by the hub's or proxy's own address shows no door.
    doors = [label for label in reached if "refused" not in label and label != "proxy:8000"]
    assert doors == []


def test_no_engine_and_no_manager_port(two: tuple[Inside, Inside]) -> None:
    found = two[0].probe([("docker0", "172.17.0.1", port) for port in (22, 2375, 2377, 7946)])
    assert found["sockets"] == []
    assert found["gateways"]
    assert found["reached"] == []
    assert found["uid"] != 0


def test_the_server_runs_without_privileges(two: tuple[Inside, Inside]) -> None:
    mallory, _ = two
    status = mallory.probe([])["status"]
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["Seccomp"] == "2"
    (facts,) = json.loads(docker("inspect", mallory.container))
    host = facts["HostConfig"]
    assert not host["Privileged"]
    assert host["PidsLimit"] == 512
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["LogConfig"]["Config"]["max-size"]
    assert [mount["Type"] for mount in facts["Mounts"] if mount["Type"] == "bind"] == []


@pytest.fixture
def api(platform: Platform, two: tuple[Inside, Inside]) -> Iterator[httpx.Client]:
    """The Hub's API, called with the token found in the first server."""
    token = two[0].probe([])["token"]
    assert token
    with httpx.Client(
        base_url=f"{platform.url}/hub/api", headers={"Authorization": f"token {token}"}, timeout=30
    ) as client:
        yield client


def test_the_token_in_it_reports_activity_and_does_nothing_else(
    two: tuple[Inside, Inside], api: httpx.Client
) -> None:
    mallory, alice = two
    me, other = mallory.person.username, alice.person.username
    seen = api.get("/user").json()
    assert seen["name"] == me
    assert (
        api.post(
            f"/users/{me}/activity",
            json={"servers": {SLUG: {"last_activity": "2026-01-01T00:00:00Z"}}},
        ).status_code
        == 200
    )
    forbidden = [
        ("GET", "/users"),
        ("GET", f"/users/{other}"),
        ("GET", "/groups"),
        ("GET", "/proxy"),
        ("POST", "/proxy"),
        ("POST", "/shutdown"),
        ("GET", "/services"),
        ("GET", f"/users/{me}/tokens"),
        ("POST", f"/users/{me}/tokens"),
        ("POST", f"/users/{me}/servers/another"),
        ("POST", f"/users/{me}/servers/{SLUG}"),
        ("DELETE", f"/users/{me}/servers/{SLUG}"),
        ("DELETE", f"/users/{other}/servers/{SLUG}"),
        ("POST", f"/users/{other}/activity"),
        ("POST", "/users/mallory-two"),
        ("PATCH", f"/users/{me}"),
        ("GET", f"/shares/{me}"),
    ]
    allowed = [(verb, path) for verb, path in forbidden if api.request(verb, path, json={}).status_code < 400]
    assert allowed == []
