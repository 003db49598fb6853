"""One open start page: follows a launch, nudges the Hub when it forgot, tries again once when interrupted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from sse_starlette import ServerSentEvent

from environments import EnvironmentsError, EventView, LaunchState, LaunchView, launching, queries
from hub.i18n import Words
from hub.portal import progress

if TYPE_CHECKING:
    from hub.portal.auth import Person
    from hub.portal.context import Portal

log = logging.getLogger("paillasse.portal.stream")

LOOK = 3.0  # seconds without an event after which the launch itself is read
NUDGE_AFTER = 3.0  # seconds a launch may stay unknown to the Hub
NUDGE_EVERY = 5.0
RECONNECT = 1000  # milliseconds
FINAL = {LaunchState.READY, LaunchState.FAILED, LaunchState.ENDED}


class RetryMemory:
    """Which launches are second tries already, so that no start is tried again for ever."""

    def __init__(self, size: int = 5_000) -> None:
        self._retries: OrderedDict[str, None] = OrderedDict()
        self._size = size

    def allows(self, launch_id: str) -> bool:
        """May this one be tried again by itself?"""
        return launch_id not in self._retries

    def add(self, launch_id: str) -> None:
        """Remember a second try."""
        self._retries[launch_id] = None
        while len(self._retries) > self._size:
            self._retries.popitem(last=False)


class LaunchStream:
    """The messages of one EventSource: `panel` (HTML, under the id of its event) and a last `end`."""

    def __init__(self, portal: Portal, person: Person, slug: str, words: Words) -> None:
        self._portal = portal
        self._person = person
        self._slug = slug
        self._words = words
        self._nudged = 0.0
        self._seen: list[EventView] = []
        self._usual: float | None = None

    async def messages(self, last: int) -> AsyncIterator[ServerSentEvent]:
        """Everything after the event `last`; ends when the launch has come to an end."""
        launch, ended = await self._current(), "none"
        if launch is not None:
            self._usual = await self._portal.store.run(queries.usual_seconds, launch.environment.id)
        while launch is not None:
            async for message in self._follow(launch, last):
                yield message
            # What follows is another launch: begun in another window, or the second try made here.
            launch = await self._current()
            if launch is not None and launch.state in FINAL:
                ended, launch = str(launch.state), await self._try_again(launch)
        yield ServerSentEvent(ended, event="end", id=str(self._last_id()))

    async def _follow(self, launch: LaunchView, last: int) -> AsyncIterator[ServerSentEvent]:
        self._seen = []
        async with self._portal.tail.follow(launch.id, 0) as fresh:
            while True:
                batch = await self._next(fresh)
                if not batch or any(event.step == "ready" or event.state == "failed" for event in batch):
                    newest = await self._current()
                    if newest is None or newest.id != launch.id:
                        return
                    launch = newest
                self._seen.extend(batch)
                for message in self._panels(launch, batch, last):
                    yield message
                if launch.state in FINAL:
                    return
                if not batch and await self._nudge(launch):
                    yield ServerSentEvent(self._html(launch, self._seen), event="panel")

    async def _next(self, fresh: asyncio.Queue[EventView]) -> list[EventView]:
        try:
            batch = [await asyncio.wait_for(fresh.get(), LOOK)]
        except TimeoutError:
            return []
        while not fresh.empty():
            batch.append(fresh.get_nowait())
        return batch

    def _panels(self, launch: LaunchView, batch: list[EventView], last: int) -> list[ServerSentEvent]:
        """One message per event that is new to the reader, each showing the state after it."""
        return [
            ServerSentEvent(
                self._html(launch, [seen for seen in self._seen if seen.id <= event.id]),
                event="panel",
                id=str(event.id),
                retry=RECONNECT,
            )
            for event in batch
            if event.id > last
        ]

    def _html(self, launch: LaunchView, events: list[EventView]) -> str:
        now = self._portal.now()
        panel = progress.build(launch, events, self._usual, self._words, now)
        return self._portal.renderer.fragment(
            self._words,
            "_panel.html",
            now,
            launch=launch,
            environment=launch.environment,
            panel=panel,
            fresh=True,
        )

    async def _current(self) -> LaunchView | None:
        return await self._portal.store.run(queries.current_launch, self._person.username, self._slug)

    async def _nudge(self, launch: LaunchView) -> bool:
        """A launch that the Hub has not taken up (it was restarted, or we were) is asked for again."""
        age, now = (self._portal.now() - launch.requested_at).total_seconds(), time.monotonic()
        if launch.state is not LaunchState.REQUESTED or age < NUDGE_AFTER or now - self._nudged < NUDGE_EVERY:
            return False
        self._nudged = now
        if not self._portal.launcher.busy(launch.id):
            await self._start(launch)
        return True

    async def _try_again(self, launch: LaunchView) -> LaunchView | None:
        """One second try, only after a restart on our side: nothing is wrong with the environment then."""
        interrupted = launch.state is LaunchState.FAILED and launch.failure == "interrupted"
        if not interrupted or not self._portal.retries.allows(launch.id):
            return None
        try:
            again = await self._portal.store.run(
                launching.request,
                self._person.username,
                self._slug,
                suffix=launch.suffix,
                language=self._words.language,
                now=self._portal.now(),
            )
        except EnvironmentsError as refusal:
            log.info("no second try for %s: %s", launch.id, refusal.reason)
            return None
        self._portal.retries.add(again.id)
        await self._start(again)
        return again

    async def _start(self, launch: LaunchView) -> None:
        title = launch.environment.title_in(self._words.language)
        await self._portal.launcher.start(self._person.token, launch, title)

    def _last_id(self) -> int:
        return self._seen[-1].id if self._seen else 0
