"""Around every request: a reference, safe headers, a log line without secrets, the page of last resort."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("paillasse.portal.access")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a join code in the address must not travel on
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, crash_page: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._crash_page = crash_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reference = secrets.token_hex(4).upper()
        scope.setdefault("state", {})["reference"] = f"{reference[:4]}-{reference[4:]}"
        began, status = time.perf_counter(), 0

        async def dress(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, dress)
        except Exception as error:
            if status:
                raise
            await self._crash_page(Request(scope, receive), error)(scope, receive, dress)
        finally:
            self._log(scope, status, (time.perf_counter() - began) * 1000)

    @staticmethod
    def _log(scope: Scope, status: int, milliseconds: float) -> None:
        """The route's pattern, never the path: a path holds join codes and people's names."""
        route = getattr(scope.get("route"), "path", "-")
        reference = scope["state"]["reference"]
        level = logging.DEBUG if route.endswith("/health") else logging.INFO
        log.log(level, "%s %s %s %.0f ms %s", scope["method"], route, status, milliseconds, reference)
