"""What nodes can hold, and by which name an image is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from spawners import nodes
from spawners.engine import Engine
from spawners.nodes import Node, Nodes
from tests.spawners.double import EngineDouble, api_error
from tests.spawners.launches import resources

GB = 2**30


def node(cpus: float, *, state: str = "ready", availability: str = "active") -> dict[str, Any]:
    return {
        "Status": {"State": state},
        "Spec": {"Availability": availability},
        "Description": {"Resources": {"NanoCPUs": int(cpus * 1e9), "MemoryBytes": 8 * GB}},
    }


def test_only_nodes_that_take_servers_count() -> None:
    listed = [node(4), node(8, state="down"), node(16, availability="drain")]
    assert nodes.ready(listed) == (Node(4, 8 * GB),)


@pytest.mark.parametrize(
    ("reserved", "ceiling"), [(0.1, 2.0), (2.0, 2.0), (2.5, 16.0), (20.0, None)], ids=str
)
def test_the_ceiling_is_the_smallest_node_that_holds_the_reservation(
    reserved: float, ceiling: float | None
) -> None:
    wanted = resources(cpu_limit=32, cpu_reservation=reserved)
    assert nodes.cpu_ceiling([Node(2, 8 * GB), Node(16, 8 * GB)], wanted) == ceiling


@pytest.mark.parametrize(("cpus", "starts"), [(0.5, 1), (1, 2), (2, 3), (8, 12)])
async def test_starts_follow_the_cpus(engine: Engine, docker: EngineDouble, cpus: float, starts: int) -> None:
    docker.cpus = cpus
    assert await Nodes(engine).starts() == starts


async def test_nodes_are_remembered(engine: Engine, docker: EngineDouble) -> None:
    known = Nodes(engine)
    await known.ready()
    await known.ready()
    assert docker.calls == ["nodes"]


async def test_an_image_has_its_id_on_one_node_and_its_digest_on_many(
    engine: Engine, docker: EngineDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.local_images = {"lab:1": "sha256:local"}
    assert await Nodes(engine).image("lab:1") == "sha256:local"
    assert await Nodes(engine).image("unknown:1") == "unknown:1"
    monkeypatch.setattr(docker, "nodes", lambda: [node(2), node(2)])
    assert await Nodes(engine).image("lab:1") == "lab@sha256:digest"


async def test_a_silent_engine_leaves_the_name_as_it_is(engine: Engine, docker: EngineDouble) -> None:
    def broken(method: str) -> None:
        raise api_error(500, "no leader")

    docker.broken = broken
    assert await Nodes(engine).image("lab:1") == "lab:1"
    assert await Nodes(engine).ready() == ()
