"""A Hub, a keeper and a proxy API in one small application that keeps their contracts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

LOGIN_COOKIE = "double-login"
SESSION_COOKIE = "jupyterhub-session-id"
SECRET = "portal-token"
WORKER = "worker-token"


@dataclass
class Double:
    """What the other side knows, open to the tests."""

    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    servers: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    delay: float = 0
    down: bool = False
    refuse_start: tuple[int, str] | None = None
    traces: list[dict[str, object]] = field(default_factory=list)
    homes: dict[str, tuple[int, int]] = field(default_factory=dict)
    routes: dict[str, object] = field(default_factory=lambda: {"/": {}, "/services/portal": {}})

    def reset(self) -> None:
        """Healthy and empty again; people stay signed in."""
        self.servers.clear()
        self.calls.clear()
        self.traces.clear()
        self.homes.clear()
        self.routes = {"/": {}, "/services/portal": {}}
        self.delay, self.down, self.refuse_start = 0, False, None

    def run(self, username: str, slug: str, *, pending: str | None = None) -> None:
        """Let the Hub count a server as alive."""
        now = datetime.now(UTC).isoformat()
        self.servers[username, slug] = {
            "name": slug,
            "ready": pending is None,
            "pending": pending,
            "started": now,
            "last_activity": now,
        }

    def starts(self) -> int:
        """How often the Hub was asked to start something."""
        return sum(method == "POST" and "/servers/" in path for method, path in self.calls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.calls.append((request.method, request.url.path))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.down and request.url.path.startswith("/hub/api"):
            await PlainTextResponse("down", 503)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    @property
    def _app(self) -> Starlette:
        server = "/hub/api/users/{name}/servers/{slug}"
        return Starlette(
            routes=[
                Route("/hub/api/oauth2/authorize", self._authorize),
                Route("/hub/api/oauth2/token", self._token, methods=["POST"]),
                Route("/hub/api/user", self._user),
                Route("/hub/api/users", self._users),
                Route("/hub/api/users/{name}", self._user_model),
                Route(server, self._start, methods=["POST"]),
                Route(server, self._stop, methods=["DELETE"]),
                Route("/hub/api/proxy", self._repair, methods=["POST"]),
                Route("/hub/logout", self._logout),
                Route("/api/routes", self._routes),
                Route("/servers", self._kept),
                Route("/servers/{launch}", self._remove, methods=["DELETE"]),
                Route("/homes/{volume}", self._home, methods=["GET", "DELETE"]),
                Route("/homes/{volume}/archive", self._archive),
            ]
        )

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        username = request.cookies.get(LOGIN_COOKIE)
        if not username:
            return PlainTextResponse("the Hub's login page", 200)
        assert asked["code_challenge_method"] == "S256"
        code, session = secrets.token_hex(8), request.cookies.get(SESSION_COOKIE) or secrets.token_hex(8)
        self.codes[code] = (username, asked["code_challenge"], session)
        answer = RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")
        answer.set_cookie(SESSION_COOKIE, session, path="/")
        return answer

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        username, challenge, session = self.codes.pop(str(form["code"]), ("", "", ""))
        proof = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if not username or form["client_secret"] != SECRET or proof.rstrip(b"=").decode() != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = secrets.token_hex(16)
        self.tokens[token] = (username, session)
        return JSONResponse({"access_token": token, "token_type": "Bearer"})

    def _owner(self, request: Request) -> tuple[str, str] | None:
        return self.tokens.get(request.headers.get("authorization", "").removeprefix("token "))

    def _may(self, request: Request) -> bool:
        """The worker may do all; a person what is theirs."""
        if request.headers.get("authorization") == f"token {WORKER}":
            return True
        owner = self._owner(request)
        return owner is not None and owner[0] == request.path_params.get("name")

    async def _user(self, request: Request) -> Response:
        owner = self._owner(request)
        if owner is None:
            return JSONResponse({"status": 403, "message": "Missing or invalid credentials."}, 403)
        return JSONResponse({"kind": "user", "name": owner[0], "admin": False, "session_id": owner[1]})

    def _model(self, name: str) -> dict[str, object]:
        servers = {slug: server for (owner, slug), server in self.servers.items() if owner == name}
        return {"kind": "user", "name": name, "servers": servers}

    async def _user_model(self, request: Request) -> Response:
        if not self._may(request):
            return JSONResponse({"status": 403, "message": "Forbidden"}, 403)
        return JSONResponse(self._model(request.path_params["name"]))

    async def _users(self, request: Request) -> Response:
        names = sorted({owner for owner, _ in self.servers})
        offset = int(request.query_params["offset"])
        items = [self._model(name) for name in names[offset : offset + 2]]
        following = {"offset": offset + 2} if offset + 2 < len(names) else None
        return JSONResponse({"items": items, "_pagination": {"next": following}})

    async def _start(self, request: Request) -> Response:
        name, slug = request.path_params["name"], request.path_params["slug"]
        if not self._may(request):
            return JSONResponse({"status": 403, "message": "Forbidden"}, 403)
        if self.refuse_start:
            status, message = self.refuse_start
            return JSONResponse({"status": status, "message": message}, status)
        server = self.servers.get((name, slug))
        if server and server["pending"] == "stop":
            return JSONResponse({"status": 400, "message": f"{name}:{slug} is pending stop"}, 400)
        if server and server["ready"]:
            return JSONResponse({"status": 400, "message": f"{name}:{slug} is already running"}, 400)
        self.run(name, slug, pending="spawn")
        return Response(status_code=202)

    async def _stop(self, request: Request) -> Response:
        if not self._may(request):
            return JSONResponse({"status": 403, "message": "Forbidden"}, 403)
        if self.servers.pop((request.path_params["name"], request.path_params["slug"]), None) is None:
            return JSONResponse({"status": 404, "message": "no such server"}, 404)
        return Response(status_code=204)

    async def _repair(self, request: Request) -> Response:
        self.routes["/services/portal"] = {}
        return Response(status_code=200)

    async def _logout(self, request: Request) -> Response:
        session = request.cookies.get(SESSION_COOKIE)
        self.tokens = {token: owner for token, owner in self.tokens.items() if owner[1] != session}
        answer = PlainTextResponse("signed out")
        answer.delete_cookie(SESSION_COOKIE, path="/")
        answer.delete_cookie(LOGIN_COOKIE, path="/")
        return answer

    async def _routes(self, request: Request) -> Response:
        return JSONResponse(self.routes)

    async def _kept(self, request: Request) -> Response:
        return JSONResponse(self.traces)

    async def _remove(self, request: Request) -> Response:
        self.traces = [trace for trace in self.traces if trace["launch"] != request.path_params["launch"]]
        return Response(status_code=204)

    async def _home(self, request: Request) -> Response:
        volume = request.path_params["volume"]
        if volume not in self.homes:
            return Response(status_code=404)
        if request.method == "DELETE":
            del self.homes[volume]
            return Response(status_code=204)
        size, files = self.homes[volume]
        return JSONResponse({"bytes": size, "files": files})

    async def _archive(self, request: Request) -> Response:
        volume = request.path_params["volume"]
        if volume not in self.homes:
            return Response(status_code=404)
        return Response(f"archive of {volume}".encode(), media_type="application/gzip")
