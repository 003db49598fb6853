"""What a student's server reads of the Hub's answers, through Tornado as through aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from faststart import hubclient
from tornado.httpclient import HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Hub(RequestHandler):
    """Answers with what it was asked; `/refuse` answers 403."""

    def prepare(self) -> None:
        if self.request.path == "/refuse":
            self.set_status(403)
        self.set_header("X-JupyterHub-Version", "6.1.1")
        told = self.request.headers.get("Authorization", "")
        self.finish(f"{self.request.method} {told} {self.request.body.decode()}")


@pytest.fixture
async def hub() -> AsyncIterator[str]:
    server = HTTPServer(Application([(r"/.*", Hub)]))
    (socket,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.stop()
    await server.close_all_connections()


async def test_a_reply_has_status_headers_and_text(hub: str) -> None:
    reply = await hubclient.fetch(f"{hub}/api")
    assert (reply.status, reply.headers["X-JupyterHub-Version"]) == (200, "6.1.1")
    assert await reply.text() == "GET  "


@pytest.mark.parametrize("data", ["été", "été".encode()])
async def test_a_post_carries_its_headers_and_data(hub: str, data: str | bytes) -> None:
    reply = await hubclient.fetch(
        f"{hub}/api", method="POST", headers={"Authorization": "token t"}, data=data
    )
    assert await reply.text() == "POST token t été"


async def test_a_post_may_be_empty(hub: str) -> None:
    assert await (await hubclient.fetch(f"{hub}/api", method="POST")).text() == "POST  "


async def test_a_refusal_raises_unless_told_not_to(hub: str) -> None:
    with pytest.raises(HTTPClientError, match="403"):
        await hubclient.fetch(f"{hub}/refuse")
    assert (await hubclient.fetch(f"{hub}/refuse", raise_for_status=False)).status == 403


async def test_a_hub_that_is_away_raises_in_any_case() -> None:
    with pytest.raises(OSError):
        await hubclient.fetch("http://127.0.0.1:9/api", raise_for_status=False)
