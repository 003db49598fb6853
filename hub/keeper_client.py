"""The client of the keeper, the narrow door to the engine: servers' traces and people's files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import httpx


class KeeperDown(Exception):
    """The keeper did not answer in time, or answered that the engine is broken."""


class HomeInUse(Exception):
    """The files cannot be read or removed while a server works on them."""


class HomeGone(Exception):
    """There is nothing of that name."""


@dataclass(frozen=True, slots=True)
class KeptServer:
    """What the engine holds of one start."""

    launch: str
    service: str
    person: str
    environment: str
    home: str
    created_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class HomeSize:
    """What a home holds: bytes and number of files."""

    bytes: int
    files: int


class Keeper:
    """Calls raise KeeperDown, HomeInUse or HomeGone, and nothing else."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"token {token}"}

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def servers(self) -> list[KeptServer]:
        """Every trace of a start that the engine holds, running or not."""
        rows = (await self._send("GET", "/servers")).json()
        return [
            KeptServer(
                launch=row["launch"],
                service=row["service"],
                person=row["person"],
                environment=row["environment"],
                home=row.get("home") or "",
                created_at=datetime.fromisoformat(row["created_at"]),
                state=row["state"],
            )
            for row in rows
        ]

    async def remove(self, launch: str) -> None:
        """Remove all traces of a start; returns when nothing of it runs any more."""
        try:
            await self._send("DELETE", f"/servers/{quote(launch, safe='')}", deadline=90)
        except HomeGone:
            return

    async def home_size(self, volume: str, deadline: float) -> HomeSize:
        """How much a home holds; counting may be slow, so the caller sets the deadline (seconds)."""
        row = (await self._send("GET", f"/homes/{quote(volume, safe='')}", deadline=deadline)).json()
        return HomeSize(int(row["bytes"]), int(row["files"]))

    async def delete_home(self, volume: str) -> None:
        """Remove a home for good; one that is gone already is no error."""
        try:
            await self._send("DELETE", f"/homes/{quote(volume, safe='')}", deadline=60)
        except HomeGone:
            return

    @asynccontextmanager
    async def archive(self, volume: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The home as a tar.gz, streamed; refused while a server works on it."""
        request = self._client.build_request(
            "GET", f"/homes/{quote(volume, safe='')}/archive", headers=self._headers, timeout=60
        )
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.HTTPError as broken:
            raise KeeperDown(type(broken).__name__) from broken
        try:
            _check(answer)
            yield answer.aiter_raw()
        finally:
            await answer.aclose()

    async def _send(self, method: str, path: str, deadline: float = 10) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, headers=self._headers, timeout=deadline)
        except httpx.HTTPError as broken:
            raise KeeperDown(f"{method} {path}: {type(broken).__name__}") from broken
        _check(answer)
        return answer


def _check(answer: httpx.Response) -> None:
    if answer.status_code == 409:
        raise HomeInUse
    if answer.status_code == 404:
        raise HomeGone
    if answer.status_code >= 400:
        raise KeeperDown(f"{answer.status_code}")
