"""The keeper: a narrow HTTP door to the engine for the portal and the worker, which have no socket.

Only servers and homes of its own stack. Run with `python -m spawners.keeper`.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import socket
from collections.abc import Awaitable
from typing import Any

from docker.errors import NotFound
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler

from config.settings import Settings
from spawners import service_spec, storage
from spawners.engine import LOG_LINES, Engine
from spawners.errors import EngineDown, EngineRefused
from spawners.homes import HomeInUse, Homes, NoSuchHome
from spawners.reaper import Reaper

PORT = 8090
PATIENCE = 60.0  # seconds a removal may take: a server has ten to leave by itself
LAUNCH = r"[a-z2-7]{12}"


class Keeper:
    """Servers of one stack, as the engine sees them."""

    def __init__(self, engine: Engine, homes: Homes) -> None:
        self.engine = engine
        self.homes = homes
        self._reaper = Reaper(engine)

    async def servers(self) -> list[dict[str, str]]:
        """Every service that a launch left, with the state of its task."""
        services, tasks = await asyncio.gather(self.engine.services(), self.engine.tasks())
        states = {}
        for task in sorted(tasks, key=lambda task: str(task.get("CreatedAt", ""))):
            states[task["ServiceID"]] = str((task.get("Status") or {}).get("State", ""))
        return [_server(service, states.get(service["ID"], "new")) for service in services if _marks(service)]

    async def remove(self, launch: str) -> bool:
        """Remove a server and wait until it has ended; False when there was nothing. Raises EngineDown."""
        name = service_spec.service_name(self.engine.stack, launch)
        known = bool(await self.engine.services(launch=launch))
        async with asyncio.timeout(PATIENCE):
            await self._reaper.remove(name, at_most=PATIENCE)
            await self._reaper.gone(name)
        return known

    async def log(self, launch: str, lines: int) -> str | None:
        """The end of a server's log; None when there is no such server."""
        if not await self.engine.services(launch=launch):
            return None
        return await self.engine.log_tail(service_spec.service_name(self.engine.stack, launch), lines)


def _marks(service: Any) -> dict[str, str]:
    marks = (service.get("Spec") or {}).get("Labels") or {}
    return marks if storage.LABEL_LAUNCH in marks else {}


def _server(service: Any, state: str) -> dict[str, str]:
    marks = _marks(service)
    return {
        "launch": marks[storage.LABEL_LAUNCH],
        "service": service["Spec"]["Name"],
        "person": marks.get(storage.LABEL_PERSON, ""),
        "environment": marks.get(storage.LABEL_ENVIRONMENT, ""),
        "home": marks.get(storage.LABEL_HOME, ""),
        "created_at": service["CreatedAt"],
        "state": state,
    }


class Door(RequestHandler):
    """Checks the token; one table from what can go wrong to a status."""

    def initialize(self, keeper: Keeper, token: str) -> None:
        self.keeper = keeper
        self._token = token

    def prepare(self) -> None:
        """Nobody without the token learns anything."""
        given = self.request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"token {self._token}".encode()):
            raise HTTPError(403)

    async def answered(self, work: Awaitable[Any]) -> Any:
        """The outcome of the work, or the status that says why there is none."""
        try:
            return await work
        except NoSuchHome as error:
            raise HTTPError(404) from error
        except HomeInUse as error:
            raise HTTPError(409) from error
        except (EngineDown, EngineRefused, NotFound, TimeoutError) as error:
            raise HTTPError(503, str(error).replace("%", "%%")) from error

    def write_error(self, status_code: int, **_: Any) -> None:
        """A status is all a caller needs; the words are in our log."""
        self.finish({"status": status_code})


class Servers(Door):
    async def get(self) -> None:
        """Every trace of a start."""
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(await self.answered(self.keeper.servers())))


class Server(Door):
    async def delete(self, launch: str) -> None:
        """Remove it; answers when its container has ended."""
        if not await self.answered(self.keeper.remove(launch)):
            raise HTTPError(404)
        self.set_status(204)


class ServerLog(Door):
    async def get(self, launch: str) -> None:
        """The end of its log, as text."""
        wanted = self.get_query_argument("lines", str(LOG_LINES))
        if not wanted.isdecimal() or not 0 < int(wanted) <= 1000:
            raise HTTPError(400)
        text = await self.answered(self.keeper.log(launch, int(wanted)))
        if text is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(text)


class Home(Door):
    async def get(self, volume: str) -> None:
        """How much it holds."""
        size = await self.answered(self.keeper.homes.size(volume))
        self.write({"bytes": size.bytes, "files": size.files})

    async def delete(self, volume: str) -> None:
        """Remove it for good."""
        await self.answered(self.keeper.homes.remove(volume))
        self.set_status(204)


class Archive(Door):
    async def get(self, volume: str) -> None:
        """The whole home; a reader who is slow slows the reading, one who leaves ends it."""
        blocks = self.keeper.homes.archive(volume)
        try:
            first = await self.answered(anext(blocks))
            self.set_header("Content-Type", "application/gzip")
            self.write(first)
            await self.flush()
            async for block in blocks:
                self.write(block)
                await self.flush()
        except StreamClosedError:
            return
        finally:
            await blocks.aclose()


class Health(Door):
    async def get(self) -> None:
        """200 when the engine answers."""
        await self.answered(self.keeper.engine.call("ping"))
        self.write({"engine": True})


def application(keeper: Keeper, token: str) -> Application:
    """The six addresses of the keeper."""
    door = {"keeper": keeper, "token": token}
    home = r"/homes/([A-Za-z0-9_.-]+)"
    return Application(
        [
            (r"/servers", Servers, door),
            (rf"/servers/({LAUNCH})", Server, door),
            (rf"/servers/({LAUNCH})/log", ServerLog, door),
            (home, Home, door),
            (rf"{home}/archive", Archive, door),
            (r"/health", Health, door),
        ]
    )


async def serve(settings: Settings) -> None:
    """Serve until the process is told to end."""
    engine = Engine(settings.stack)
    me = await engine.inspect(socket.gethostname())
    if me is None:
        raise SystemExit("The keeper reads homes with its own image: it must run in a container.")
    keeper = Keeper(engine, Homes(engine, me["Image"]))
    application(keeper, settings.secret("keeper_token")).listen(PORT)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Settings.from_environ(os.environ)))
