"""The launches' story, written in order by one background writer that never delays a start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from environments import EnvironmentsError, Store, launching

Entry = Callable[[Any], Any]  # takes the session of the store
Args = Mapping[str, str | int | float]
TRIES = 5

log = logging.getLogger(__name__)


class Journal:
    """Queues what happened and writes it, oldest first, several entries in one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: asyncio.Queue[Entry] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    def record(self, launch_id: str, step: str, state: str, code: str = "", args: Args | None = None) -> None:
        """A step of the start page."""
        self._add(launching.record, launch_id, step, state, code, dict(args or {}))

    def ready(self, launch_id: str) -> None:
        """The interface answers."""
        self._add(launching.ready, launch_id)

    def failed(self, launch_id: str, code: str, args: Args, log_tail: str = "") -> None:
        """The start is over, without a server."""
        self._add(launching.failed, launch_id, code, dict(args), log_tail)

    def ended(self, launch_id: str, reason: str) -> None:
        """The server that ran is no more."""
        self._add(launching.ended, launch_id, reason)

    async def written(self) -> None:
        """Return when all that was told so far is in the database, or was given up."""
        await self._entries.join()

    def _add(self, action: Callable[..., Any], *values: Any) -> None:
        now = datetime.now(UTC)
        self._entries.put_nowait(lambda session: action(session, *values, now=now))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while not self._entries.empty():
            batch = [self._entries.get_nowait() for _ in range(self._entries.qsize())]
            try:
                await self._keep(batch)
            finally:
                for _ in batch:
                    self._entries.task_done()

    async def _keep(self, batch: list[Entry]) -> None:
        for attempt in range(TRIES):
            try:
                await self._store.run(_write_all, batch)
            except EnvironmentsError as error:
                await self._keep_each(batch, error)
                return
            except Exception as error:
                # Whatever ails the database, a start is worth more than its story.
                log.warning("The launches' story waits for the database: %s", error)
                await asyncio.sleep(0.2 * 2**attempt)
            else:
                return
        log.error("%d entries of the launches' story are lost", len(batch))

    async def _keep_each(self, batch: list[Entry], refusal: EnvironmentsError) -> None:
        """One entry was refused, such as one for a launch that was deleted: the others are still true."""
        if len(batch) == 1:
            log.warning("An entry of the launches' story is refused: %s", refusal)
            return
        for entry in batch:
            await self._keep([entry])


def _write_all(session: Any, batch: list[Entry]) -> None:
    for entry in batch:
        entry(session)
