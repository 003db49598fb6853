"""The start queue: order, ranks, and nobody lost when people leave."""

from __future__ import annotations

import asyncio

import pytest

from spawners.queue import StartQueue


class Crowd:
    """People who ask for a slot; each leaves when told."""

    def __init__(self, queue: StartQueue, size: int) -> None:
        self.queue, self.size = queue, size
        self.inside: list[str] = []
        self.ranks: dict[str, list[int]] = {}
        self._leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str) -> asyncio.Task[None]:
        self._leave[name] = asyncio.Event()
        task = asyncio.create_task(self._stay(name))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task

    async def _stay(self, name: str) -> None:
        async with self.queue.slot(self.size, self.ranks.setdefault(name, []).append):
            self.inside.append(name)
            await self._leave[name].wait()
        self.inside.remove(name)

    async def go(self, name: str) -> None:
        self._leave[name].set()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_first_come_first_served_with_ranks() -> None:
    crowd = Crowd(StartQueue(), size=2)
    for name in "abcde":
        await crowd.come(name)
    assert crowd.inside == ["a", "b"]
    assert crowd.ranks == {"a": [], "b": [], "c": [1], "d": [2], "e": [3]}
    await crowd.go("b")
    assert crowd.inside == ["a", "c"]
    assert crowd.ranks["e"] == [3, 2]
    for name in "acde":
        await crowd.go(name)
    assert crowd.inside == []


async def test_who_gives_up_waiting_does_not_hold_a_slot() -> None:
    crowd = Crowd(StartQueue(), size=1)
    await crowd.come("a")
    gone = await crowd.come("b")
    await crowd.come("c")
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await crowd.go("a")
    assert crowd.inside == ["c"]


async def test_who_is_cancelled_at_the_moment_of_their_turn_gives_it_on() -> None:
    queue = StartQueue()
    first = queue.slot(1, [].append)
    await first.__aenter__()
    crowd = Crowd(queue, size=1)
    second = await crowd.come("b")
    await crowd.come("c")
    await first.__aexit__(None, None, None)  # it is b's turn, and b does not know yet
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    for _ in range(5):
        await asyncio.sleep(0)
    assert crowd.inside == ["c"]


async def test_a_larger_swarm_lets_more_in() -> None:
    queue = StartQueue()
    crowd = Crowd(queue, size=1)
    await crowd.come("a")
    await crowd.come("b")
    crowd.size = 3
    await crowd.come("c")
    assert sorted(crowd.inside) == ["a", "b", "c"]


async def test_far_from_the_front_not_every_rank_is_told() -> None:
    crowd = Crowd(StartQueue(), size=1)
    names = [f"p{n}" for n in range(30)]
    for name in names:
        await crowd.come(name)
    for name in names[:-1]:
        await crowd.go(name)
    assert crowd.ranks["p29"] == [29, 25, 20, 15, 10, 5, 4, 3, 2, 1]
    await crowd.go("p29")
