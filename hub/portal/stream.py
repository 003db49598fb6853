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

LOOK = 1.0  # seconds without an event after which the launch itself is read
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
        launch = await self._current()
        if launch is None:
            yield ServerSentEvent("none", event="end")
            return
        self._usual = await self._portal.store.run(queries.usual_seconds, launch.environment.id)
        while True:
            async for message in self._follow(launch, last):
                yield message
            launch = await self._current() or launch
            again = await self._try_again(launch)
            if again is None:
                break
            launch = again
        yield ServerSentEvent(str(launch.state), event="end", id=str(self._last_id()))

    async def _follow(self, launch: LaunchView, last: int) -> AsyncIterator[ServerSentEvent]:
        self._seen = []
        first = True
        async with self._portal.tail.follow(launch.id, 0) as fresh:
            while True:
                batch = await self._next(fresh)
                newest = await self._current()
                if newest is None or newest.id != launch.id:
                    return
                self._seen.extend(batch)
                if batch and batch[-1].id > last:
                    for message in self._panels(newest, batch, last, first):
                        yield message
                    first = False
                if newest.state in FINAL:
                    return
                await self._nudge(newest)

    async def _next(self, fresh: asyncio.Queue[EventView]) -> list[EventView]:
        try:
            batch = [await asyncio.wait_for(fresh.get(), LOOK)]
        except TimeoutError:
            return []
        while not fresh.empty():
            batch.append(fresh.get_nowait())
        return batch

    def _panels(
        self, launch: LaunchView, batch: list[EventView], last: int, first: bool
    ) -> list[ServerSentEvent]:
        """One message per event that is new to the reader, each showing the state after it."""
        shown = [event for event in batch if event.id > last]
        return [
            ServerSentEvent(
                self._html(launch, [seen for seen in self._seen if seen.id <= event.id]),
                event="panel",
                id=str(event.id),
                retry=RECONNECT if first and event is shown[0] else None,
            )
            for event in shown
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

    async def _nudge(self, launch: LaunchView) -> None:
        """A launch that the Hub has not taken up (it was restarted, or we were) is asked for again."""
        age, now = (self._portal.now() - launch.requested_at).total_seconds(), time.monotonic()
        waiting = launch.state is LaunchState.REQUESTED and age > NUDGE_AFTER
        if waiting and not self._portal.launcher.busy(launch.id) and now - self._nudged > NUDGE_EVERY:
            self._nudged = now
            await self._start(launch)

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
