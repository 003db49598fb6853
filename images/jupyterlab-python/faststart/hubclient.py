"""The Hub's API through Tornado's HTTP client: what `jupyterhub.httpclient.fetch` does with aiohttp.

Jupyter Server runs on Tornado, so its client costs nothing more at start. A server speaks to the Hub for
three things – the Hub's version, its activity, and the log-in of a browser – and all three read a reply's
status, headers and text only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

CONNECT_SECONDS = 20.0
REPLY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """The part of aiohttp's response that a student's server reads."""

    status: int
    headers: Mapping[str, str]
    body: str

    async def text(self) -> str:
        return self.body


async def fetch(
    url: str,
    *,
    method: str = "GET",
    raise_for_status: bool = True,
    headers: Mapping[str, str] | None = None,
    data: str | bytes | None = None,
    ssl: SSLContext | None = None,
) -> Reply:
    """Ask the Hub and read the whole answer.

    Raises `tornado.httpclient.HTTPClientError` for a status of 400 and more when `raise_for_status` is
    set, and whatever the connection raises (`OSError`, a timeout) in every case.
    """
    request = HTTPRequest(
        url,
        method=method,
        headers=dict(headers or {}),
        body=data,
        ssl_options=ssl,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REPLY_SECONDS,
        allow_nonstandard_methods=True,  # a POST without a body is legal for aiohttp
    )
    answer = await AsyncHTTPClient().fetch(request, raise_error=raise_for_status)
    return Reply(answer.code, answer.headers, answer.body.decode("utf-8", "replace"))
