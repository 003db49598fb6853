"""An engine that keeps the contract, and a web server for its tasks to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from docker import APIClient

from spawners.engine import Engine
from spawners.environment import EnvironmentMixin
from spawners.yard import Yard
from tests.spawners import real
from tests.spawners.double import EngineDouble
from tests.spawners.support import NETWORK, STACK, School, open_school


@pytest.fixture
def docker() -> EngineDouble:
    """The engine's inside."""
    return EngineDouble(network=NETWORK)


@pytest.fixture
def engine(docker: EngineDouble) -> Iterator[Engine]:
    """Our client of it."""
    made = Engine(STACK, lambda: docker)
    yield made
    made.close()


@pytest.fixture
def yard(engine: Engine) -> Yard:
    """What the starts of one Hub share."""
    return Yard(engine, NETWORK, tick=0.02)


@pytest.fixture(scope="session")
def machine() -> Iterator[APIClient]:
    """The real engine, with our image and network, for the tests marked `swarm`."""
    with real.prepared() as engine:
        yield engine


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    """A site with one environment, `python-intro`, that ada has joined."""
    made = open_school(tmp_path)
    made.publish("python-intro")
    made.admit("ada", "python-intro")
    yield made
    for story in EnvironmentMixin._stories.values():
        await story.journal.written()
        story.store.dispose()
    EnvironmentMixin._stories.clear()
    made.store.dispose()


class Web:
    """An HTTP server on a port of its own: answers `status`, after `delay` seconds."""

    def __init__(self) -> None:
        self.status = "404 Not Found"
        self.delay = 0.0
        self.paths: list[str] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.paths.append(request.split()[1].decode())
        await asyncio.sleep(self.delay)
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A server that answers at once."""
    made = Web()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()
