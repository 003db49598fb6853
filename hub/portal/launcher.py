"""Starts and stops at the Hub: the page is answered first, the Hub's answer is seen to afterwards."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from enum import StrEnum, auto
from typing import TypeVar

from environments import LaunchState, LaunchView, Store, launching, queries
from hub.hubapi import HubApi, HubDown, HubError, HubRefused, Started, TokenGone

log = logging.getLogger("paillasse.portal.launcher")

PATIENCE = 0.15  # seconds a page waits for the Hub
PERSEVERANCE = 60.0  # seconds during which a Hub that is down is asked again
PAUSES = (0.2, 0.3, 0.5, 1, 2)

Outcome = TypeVar("Outcome")


class Answer(StrEnum):
    """What is known when the page has to be answered."""

    UNDER_WAY = auto()
    RUNNING = auto()


class Launcher:
    """One task per start or stop, so that nothing is asked twice and nothing is lost at shutdown."""

    def __init__(self, store: Store, hub: HubApi) -> None:
        self._store = store
        self._hub = hub
        self._tasks: dict[str, asyncio.Task[Answer]] = {}

    async def start(self, token: str, launch: LaunchView, title: str) -> Answer:
        """Ask the Hub to start; answers after at most PATIENCE seconds, whatever the Hub does."""
        return await self._answer_first(launch.id, lambda: self._start(token, launch, title))

    async def stop(self, token: str, username: str, slug: str) -> None:
        """Ask the Hub to stop; the same promise."""
        await self._answer_first(f"stop {username} {slug}", lambda: self._stop(token, username, slug))

    def busy(self, launch_id: str) -> bool:
        """Is the Hub being asked about this launch right now?"""
        return launch_id in self._tasks

    async def close(self) -> None:
        """Let what is under way end, briefly; the start page or the worker finds again what does not."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=2)
        for task in self._tasks.values():
            task.cancel()

    async def _answer_first(self, key: str, work: Callable[[], Coroutine[None, None, Answer]]) -> Answer:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._finished(key, done))
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        return task.result() if done and task.exception() is None else Answer.UNDER_WAY

    def _finished(self, key: str, task: asyncio.Task[Answer]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("the Hub call for %s broke", key, exc_info=task.exception())

    async def _start(self, token: str, launch: LaunchView, title: str) -> Answer:
        slug = launch.environment.slug
        try:
            started = await self._persevere(
                lambda: self._hub.start(token, launch.username, slug, title), lambda: self._waits(launch)
            )
        except TokenGone:
            return await self._failed(launch, "session", "the Hub no longer knows the token")
        except HubDown as down:
            return await self._failed(launch, "interrupted", str(down))
        except HubRefused as refused:
            code = {429: "capacity", 403: "session"}.get(refused.status, "internal")
            return await self._failed(launch, code, str(refused))
        if started is Started.STOPPING:
            return await self._failed(launch, "volume-busy", "the last server is still stopping")
        return Answer.RUNNING if started is Started.RUNNING else Answer.UNDER_WAY

    async def _waits(self, launch: LaunchView) -> bool:
        """Is this launch still to be taken up? If not, asking again would start another."""
        slug = launch.environment.slug
        current = await self._store.run(queries.current_launch, launch.username, slug)
        return current is not None and current.id == launch.id and current.state is LaunchState.REQUESTED

    async def _persevere(
        self, attempt: Callable[[], Awaitable[Outcome]], again: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """Ask until the Hub answers and is done stopping what was there, or the time is up."""
        deadline, pauses = time.monotonic() + PERSEVERANCE, iter(PAUSES)
        while True:
            over = time.monotonic() >= deadline
            try:
                outcome = await attempt()
                if outcome is not Started.STOPPING or over:
                    return outcome
            except HubDown:
                if over or not await again():
                    raise
            await asyncio.sleep(next(pauses, PAUSES[-1]))

    async def _failed(self, launch: LaunchView, code: str, words: str) -> Answer:
        """Tell the start page, unless the spawner has taken the launch up: then it is the one who knows."""
        log.warning("launch %s (%s): %s: %s", launch.id, launch.reference, code, words)
        if await self._waits(launch):
            await self._store.run(launching.failed, launch.id, code, {}, "", now=datetime.now(UTC))
        return Answer.UNDER_WAY

    async def _stop(self, token: str, username: str, slug: str) -> Answer:
        try:
            await self._persevere(lambda: self._hub.stop(token, username, slug), _always)
        except HubError as error:
            log.warning("stop of %s: %s", slug, error)
        return Answer.UNDER_WAY


async def _always() -> bool:
    return True
