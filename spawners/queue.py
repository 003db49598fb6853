"""The start queue: first come, first served, with the rank told to those who wait.

Mends the Hub's `concurrent_spawn_limit`, which answers 429 instead of queueing. Fewer starts at once
are faster for most and slower for nobody, as long as no CPU idles: the last of twenty ends at the same
time, the first need not wait for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

OnRank = Callable[[int], None]


class _Ticket:
    def __init__(self, on_rank: OnRank) -> None:
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_rank = on_rank
        self.admitted = False


class StartQueue:
    """Hands out at most `size` slots; the size may change between two calls."""

    def __init__(self) -> None:
        self._waiting: deque[_Ticket] = deque()
        self._busy = 0
        self._size = 1

    @asynccontextmanager
    async def slot(self, size: int, on_rank: OnRank) -> AsyncIterator[None]:
        """Hold a slot. `on_rank(n)` is called while waiting: 1 is the next to go."""
        self._size = max(1, size)
        ticket = _Ticket(on_rank)
        self._waiting.append(ticket)
        self._admit()
        if not ticket.admitted:
            on_rank(len(self._waiting))
        try:
            await ticket.turn
            yield
        finally:
            self._leave(ticket)

    def _leave(self, ticket: _Ticket) -> None:
        if ticket.admitted:
            self._busy -= 1
        else:
            self._waiting.remove(ticket)
        self._admit()

    def _admit(self) -> None:
        moved = False
        while self._waiting and self._busy < self._size:
            ticket = self._waiting.popleft()
            ticket.admitted = moved = True
            self._busy += 1
            if not ticket.turn.done():
                ticket.turn.set_result(None)
        if moved:
            self._tell_ranks()

    def _tell_ranks(self) -> None:
        """Far from the front every fifth rank will do: a hundred waiting must not write 5000 events."""
        for rank, ticket in enumerate(self._waiting, start=1):
            if rank <= 5 or rank % 5 == 0:
                ticket.on_rank(rank)
