"""From a service that was created to an interface that answers, or to the reason why it never will."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spawners import answer, task_state
from spawners.autopsy import Wanted, autopsy, facts
from spawners.errors import LaunchFailed
from spawners.steps import Steps
from spawners.task_state import Ended, Failed, Running, TaskState, Waiting
from spawners.yard import Yard

Reach = Callable[[Running], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for a place on a node, and from the turn in the queue to the first answer."""

    placement: float = 20.0
    answer: float = 120.0


@dataclass(frozen=True, slots=True)
class Answered:
    """The interface answered at this address."""

    address: str


class Opening:
    """Follows the task and asks the interface at the same time: a crash ends the wait at once.

    `reach` turns a state into the address to ask, "" when it has none yet.
    """

    def __init__(
        self, yard: Yard, launch: Wanted, steps: Steps, path: str, reach: Reach, patience: Patience
    ) -> None:
        self._yard = yard
        self._launch = launch
        self._steps = steps
        self._path = path
        self._reach = reach
        self._patience = patience
        self._news: asyncio.Queue[TaskState | Answered] = asyncio.Queue()
        self._last: TaskState | None = None
        self._probe: asyncio.Task[None] | None = None
        self._deadline = self._now() + patience.answer
        self._place_by: float | None = None

    async def wait(self, service: str) -> str:
        """The address that answers; raises LaunchFailed."""
        with self._yard.watcher.follow(service, self._news.put_nowait):
            try:
                return await self._answered(service)
            finally:
                if self._probe is not None:
                    self._probe.cancel()

    async def _answered(self, service: str) -> str:
        while True:
            try:
                async with asyncio.timeout_at(min(self._deadline, self._place_by or self._deadline)):
                    news = await self._news.get()
            except TimeoutError as error:
                raise await self._too_late(service) from error
            if isinstance(news, Answered):
                return news.address
            self._last = news
            await self._consider(news, service)

    async def _consider(self, state: TaskState, service: str) -> None:
        match state:
            case Waiting():
                await self._advance(state)
            case Running():
                self._steps.advance("opening")
                await self._ask(state)
            case Failed() | Ended():
                raise await autopsy(self._yard.engine, state, self._launch, service)

    async def _advance(self, state: Waiting) -> None:
        self._place_by = self._place_by if state.words else None
        self._steps.advance(state.step)
        if state.words:
            self._no_place(state)

    def _no_place(self, state: Waiting) -> None:
        """A full Swarm may have room in a moment; a missing volume driver does not come by waiting."""
        if task_state.explain(state.words)[0] == "volume-down":
            raise LaunchFailed("volume-down", {}, state.words)
        self._place_by = self._place_by or self._now() + self._patience.placement
        self._steps.explain("capacity", facts("capacity", {}, self._launch))

    async def _ask(self, state: Running) -> None:
        """Begin to ask once the container runs, and not before, although the address is known earlier.

        Nobody on the network answers for that address yet; the kernel asks for its owner again only a
        second later, and so much later would the interface be heard.
        """
        address = await self._reach(state)
        if address and self._probe is None:
            self._probe = asyncio.create_task(self._until_answered(address))

    async def _until_answered(self, address: str) -> None:
        await answer.wait(address, self._launch.interface.port, self._path)
        self._news.put_nowait(Answered(address))

    async def _too_late(self, service: str) -> LaunchFailed:
        match self._last:
            case None:
                return LaunchFailed("engine-down", {}, "no word of the task")
            case Waiting(step="placed", words=words):
                return LaunchFailed("capacity", facts("capacity", {}, self._launch), words)
            case Waiting(step="software", words=words):
                return LaunchFailed("pull-timeout", facts("pull-timeout", {}, self._launch), words)
        args = facts("port-timeout", {"seconds": round(self._patience.answer)}, self._launch)
        log_tail = await self._yard.engine.log_tail(service)
        return LaunchFailed("port-timeout", args, "the interface never answered", log_tail)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
