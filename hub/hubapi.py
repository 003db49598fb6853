"""The one client of the Hub's REST API: who asks, who runs what; start and stop as the student."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any
from urllib.parse import quote

import httpx

PAGE = 200
RETRIES = 2


class HubError(Exception):
    """The Hub could not do what was asked."""


class HubDown(HubError):
    """The Hub did not answer in time, or answered that it is broken."""


class HubRefused(HubError):
    """The Hub answered no: `status` is its HTTP status, the message its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message


class TokenGone(HubRefused):
    """The token is unknown to the Hub: signed out, expired or revoked."""


class Started(StrEnum):
    """What the Hub said to a request to start."""

    ACCEPTED = auto()
    RUNNING = auto()
    STOPPING = auto()


@dataclass(frozen=True, slots=True)
class HubPerson:
    """The owner of a token, as the Hub knows them; `session_id` is the sign-in the token belongs to."""

    username: str
    admin: bool
    session_id: str | None


@dataclass(frozen=True, slots=True)
class HubServer:
    """One server the Hub counts as alive: `ready` answers, `pending` is starting or stopping."""

    username: str
    slug: str
    ready: bool
    pending: str | None
    started: datetime | None
    last_activity: datetime | None


def http_client(url: str, timeout: float = 10) -> httpx.AsyncClient:
    """One pool of connections; the deadline (seconds) holds for every call that names none."""
    return httpx.AsyncClient(
        base_url=url,
        timeout=httpx.Timeout(timeout, connect=2),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        trust_env=False,
    )


class HubApi:
    """Calls raise HubDown, HubRefused or its kind TokenGone, and nothing else."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def person(self, token: str) -> HubPerson:
        """Who this token belongs to."""
        model = (await self._get("/user", token, deadline=4)).json()
        if model.get("kind", "user") != "user":
            raise TokenGone(403, "not a person's token")
        return HubPerson(model["name"], bool(model.get("admin")), model.get("session_id"))

    async def token_for_code(
        self, client_id: str, secret: str, code: str, redirect_uri: str, verifier: str
    ) -> str:
        """Finish the OAuth code flow (with PKCE)."""
        answer = await self._send(
            "POST",
            "/oauth2/token",
            data={
                "client_id": client_id,
                "client_secret": secret,
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            },
        )
        return str(answer.json()["access_token"])

    async def start(self, token: str, username: str, slug: str, title: str) -> Started:
        """Ask for a start with the person's own token; one that runs already is no error."""
        try:
            await self._send("POST", _server(username, slug), token, json={"display_name": title[:255]})
        except HubRefused as refused:
            if refused.status == 400 and "already running" in refused.message:
                return Started.RUNNING
            if refused.status == 400 and "is pending" in refused.message:
                return Started.STOPPING
            raise
        return Started.ACCEPTED

    async def stop(self, token: str, username: str, slug: str) -> None:
        """Ask for a stop; one that is not there is no error."""
        try:
            await self._send("DELETE", _server(username, slug), token, deadline=30)
        except TokenGone:
            raise
        except HubRefused as refused:
            if refused.status != 404:
                raise

    async def servers_of(self, token: str, username: str) -> dict[str, HubServer]:
        """The person's live servers by name."""
        model = (await self._get(f"/users/{quote(username, safe='')}", token, deadline=3)).json()
        return {server.slug: server for server in _servers(model)}

    async def all_servers(self, token: str) -> list[HubServer]:
        """Every live named server of everyone, page by page."""
        found: list[HubServer] = []
        offset: int | None = 0
        while offset is not None:
            query = f"/users?state=active&limit={PAGE}&offset={offset}"
            page = (await self._get(query, token, accept="application/jupyterhub-pagination+json")).json()
            for model in page["items"]:
                found.extend(_servers(model))
            following = page["_pagination"].get("next")
            offset = following["offset"] if following else None
        return found

    async def repair_routes(self, token: str) -> None:
        """Have the Hub write its routes into the proxy again."""
        await self._send("POST", "/proxy", token)

    async def _get(
        self, path: str, token: str, *, accept: str = "application/json", deadline: float = 10
    ) -> httpx.Response:
        for left in range(RETRIES, -1, -1):
            try:
                return await self._send("GET", path, token, headers={"Accept": accept}, deadline=deadline)
            except HubDown:
                if not left:
                    raise
                await asyncio.sleep(0.1)
        raise AssertionError("the loop returns or raises")

    async def _send(
        self,
        method: str,
        path: str,
        token: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        deadline: float = 10,
        json: object = None,
        data: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = dict(headers or {}) | ({"Authorization": f"token {token}"} if token else {})
        try:
            answer = await self._client.request(
                method, path, headers=sent, timeout=deadline, json=json, data=data
            )
        except httpx.HTTPError as broken:
            raise HubDown(f"{method} {path.partition('?')[0]}: {type(broken).__name__}") from broken
        if answer.status_code < 400:
            return answer
        words = _words(answer)
        if words is None or (answer.status_code >= 500 and method == "GET"):
            raise HubDown(f"{answer.status_code} {answer.reason_phrase}")
        if answer.status_code == 401 or (answer.status_code == 403 and path == "/user"):
            raise TokenGone(answer.status_code, words)
        raise HubRefused(answer.status_code, words)


def _server(username: str, slug: str) -> str:
    return f"/users/{quote(username, safe='')}/servers/{quote(slug, safe='')}"


def _servers(model: dict[str, Any]) -> list[HubServer]:
    servers = model.get("servers") or {}
    return [
        HubServer(
            username=str(model["name"]),
            slug=slug,
            ready=bool(server.get("ready")),
            pending=server.get("pending"),
            started=_instant(server.get("started")),
            last_activity=_instant(server.get("last_activity")),
        )
        for slug, server in servers.items()
        if slug and not server.get("stopped")
    ]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _words(answer: httpx.Response) -> str | None:
    """What the Hub says about its refusal; nothing when it was not the Hub that spoke."""
    try:
        return str(answer.json().get("message") or answer.reason_phrase)[:500]
    except (ValueError, AttributeError):
        return None
