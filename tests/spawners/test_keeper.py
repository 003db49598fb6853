"""The keeper's door: who may come in, what each refusal is, and what it never touches."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from spawners.engine import Engine
from spawners.homes import Homes
from spawners.keeper import Keeper, application
from tests.spawners import real
from tests.spawners.double import EngineDouble, api_error
from tests.spawners.support import IMAGE, STACK

TOKEN = "keeper-token"
LAUNCH = "abcdefghij22"
VOLUME = f"{STACK}-home-homehome2222"
Ask = Callable[..., Any]


async def ask_of(engine: Engine) -> AsyncIterator[Ask]:
    """A keeper that listens, and how to ask it."""
    socket, port = bind_unused_port()
    server = HTTPServer(application(Keeper(engine, Homes(engine, IMAGE)), TOKEN))
    server.add_socket(socket)
    client = AsyncHTTPClient(force_instance=True)

    async def ask(path: str, method: str = "GET", token: str = TOKEN) -> HTTPResponse:
        headers = {"Authorization": f"token {token}"}
        url = f"http://127.0.0.1:{port}{path}"
        return await client.fetch(url, method=method, headers=headers, raise_error=False, request_timeout=30)

    yield ask
    client.close()
    server.stop()
    await server.close_all_connections()


@pytest.fixture
async def ask(engine: Engine) -> AsyncIterator[Ask]:
    """A keeper over the engine's double."""
    async for asking in ask_of(engine):
        yield asking


async def begin(engine: Engine, launch: str = LAUNCH, home: str = VOLUME) -> None:
    labels = {
        "paillasse.stack": STACK,
        "paillasse.launch": launch,
        "paillasse.person": "p",
        "paillasse.environment": "e",
        "paillasse.home": home,
    }
    template = {
        "ContainerSpec": {"Image": IMAGE, "Labels": labels, "Init": True},
        "RestartPolicy": {"Condition": "none"},
    }
    await engine.create_service({"name": f"{STACK}-{launch}", "labels": labels, "task_template": template})


@pytest.mark.parametrize("token", ["", "wrong", "keeper-token-and-more", "é"])
@pytest.mark.parametrize("path", ["/servers", f"/homes/{VOLUME}", "/health"])
async def test_without_the_token_nobody_learns_anything(ask: Ask, path: str, token: str) -> None:
    answer = await ask(path, token=token)
    assert (answer.code, json.loads(answer.body)) == (403, {"status": 403})


async def test_servers(ask: Ask, engine: Engine) -> None:
    await begin(engine)
    (server,) = json.loads((await ask("/servers")).body)
    assert server == {
        "launch": LAUNCH,
        "service": f"{STACK}-{LAUNCH}",
        "person": "p",
        "environment": "e",
        "home": VOLUME,
        "created_at": "2026-11-21T09:36:33.465229166Z",
        "state": "pending",
    }


async def test_removing_waits_until_the_container_has_ended(
    ask: Ask, engine: Engine, docker: EngineDouble
) -> None:
    docker.plan, docker.linger = ("running",), 3
    await begin(engine)
    assert (await ask(f"/servers/{LAUNCH}", "DELETE")).code == 204
    assert docker.kept["id0"].state == "shutdown"
    assert (await ask(f"/servers/{LAUNCH}", "DELETE")).code == 404


async def test_a_log(ask: Ask, engine: Engine, docker: EngineDouble) -> None:
    docker.log = "the end\n"
    await begin(engine)
    assert (await ask(f"/servers/{LAUNCH}/log?lines=5")).body == b"the end\n"
    assert (await ask("/servers/zzzzzzzzzz22/log")).code == 404
    assert (await ask(f"/servers/{LAUNCH}/log?lines=99999999")).code == 400


@pytest.mark.parametrize(
    "name",
    ["paillasse-home-homehome2222", f"{STACK}-home-", f"{STACK}-home-homehome2222x", "..", f"{STACK}-data"],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_volume_that_is_not_a_home_of_this_stack_is_unknown(
    ask: Ask, docker: EngineDouble, name: str, method: str
) -> None:
    assert (await ask(f"/homes/{name}", method)).code == 404
    assert docker.calls == []


async def test_an_engine_that_is_down_is_told(ask: Ask, docker: EngineDouble) -> None:
    def broken(method: str) -> None:
        raise api_error(500, "no leader at 100%")

    docker.broken = broken
    assert (await ask("/servers")).code == 503


@pytest.mark.swarm
class TestRealHomes:
    """Sizes, archives and removal on a real engine."""

    @pytest.fixture
    async def ask(self, machine: APIClient) -> AsyncIterator[Ask]:
        engine = Engine(STACK)
        async for asking in ask_of(engine):
            yield asking
        engine.close()

    @pytest.fixture
    def volume(self, machine: APIClient) -> str:
        """A home with three files, one of which its owner has closed to everybody."""
        machine.create_volume(VOLUME, labels={"paillasse.stack": STACK})
        write = "umask 077; cd /h; echo one > one; dd if=/dev/zero of=big bs=64k count=32; cat one > deep"
        mount = {"Type": "volume", "Source": VOLUME, "Target": "/h"}
        host = machine.create_host_config(mounts=[mount], network_mode="none")
        job = machine.create_container(IMAGE, ["sh", "-c", write], user="0", host_config=host)
        machine.start(job)
        machine.wait(job)
        machine.remove_container(job)
        return VOLUME

    async def test_a_home_is_measured_archived_and_removed(
        self, ask: Ask, machine: APIClient, volume: str, tmp_path: Path
    ) -> None:
        size = json.loads((await ask(f"/homes/{volume}")).body)
        assert size["files"] == 3
        assert 2 << 20 <= size["bytes"] < 3 << 20

        archive = await ask(f"/homes/{volume}/archive")
        assert archive.headers["Content-Type"] == "application/gzip"
        with tarfile.open(fileobj=io.BytesIO(archive.body)) as tar:
            assert sorted(member.name for member in tar if member.isfile()) == ["./big", "./deep", "./one"]
            one = tar.extractfile("./one")
            assert one is not None
            assert one.read() == b"one\n"

        assert machine.containers(all=True, filters=real.MARK) == []
        assert (await ask(f"/homes/{volume}", "DELETE")).code == 204
        assert (await ask(f"/homes/{volume}")).code == 404
        assert (await ask(f"/homes/{volume}/archive")).code == 404

    async def test_a_home_in_use_is_neither_archived_nor_removed(
        self, ask: Ask, machine: APIClient, volume: str
    ) -> None:
        engine = Engine(STACK)
        await begin(engine)
        async with asyncio.timeout(10):
            while not machine.containers(filters=real.MARK):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await ask(f"/homes/{volume}/archive")).code == 409
        assert (await ask(f"/homes/{volume}", "DELETE")).code == 409
        assert json.loads((await ask(f"/homes/{volume}")).body)["files"] == 3
        assert (await ask(f"/servers/{LAUNCH}", "DELETE")).code == 204
        assert (await ask(f"/homes/{volume}", "DELETE")).code == 204
        engine.close()

    async def test_a_volume_of_ours_without_our_label_is_unknown(self, ask: Ask, machine: APIClient) -> None:
        stray = f"{STACK}-home-straystray22"
        machine.create_volume(stray)
        try:
            assert (await ask(f"/homes/{stray}", "DELETE")).code == 404
        finally:
            machine.remove_volume(stray)
