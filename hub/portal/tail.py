"""One loop that reads new launch events for all open streams; it rests while none is open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from environments import EventView

log = logging.getLogger("paillasse.portal.tail")

EVERY = 0.1  # seconds between two looks at the database

Read = Callable[[int, Sequence[str]], Awaitable[Sequence[EventView]]]


@dataclass(eq=False)
class _Follower:
    launch_id: str
    after: int
    fresh: asyncio.Queue[EventView] = field(default_factory=asyncio.Queue)


class Tail:
    """Followers of launches; the cost of a look does not depend on how many there are."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._followers: set[_Follower] = set()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def follow(self, launch_id: str, after: int) -> AsyncIterator[asyncio.Queue[EventView]]:
        """The events of a launch with ids above `after`, those of the past first."""
        follower = _Follower(launch_id, after)
        self._followers.add(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._loop())
        try:
            yield follower.fresh
        finally:
            self._followers.discard(follower)

    async def close(self) -> None:
        """Stop looking."""
        self._followers.clear()
        if self._task is not None:
            self._task.cancel()

    async def _loop(self) -> None:
        while self._followers:
            try:
                await self._look(list(self._followers))
            except Exception:
                log.exception("events could not be read; next look in a second")
                await asyncio.sleep(1)
            await asyncio.sleep(EVERY)

    async def _look(self, followers: list[_Follower]) -> None:
        launches = sorted({follower.launch_id for follower in followers})
        events = await self._read(min(follower.after for follower in followers), launches)
        for follower in followers:
            for event in events:
                if event.launch_id == follower.launch_id and event.id > follower.after:
                    follower.after = event.id
                    follower.fresh.put_nowait(event)
