"""How the Hub finds the other parts of the platform: by asking the system each time."""

from __future__ import annotations

import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult


class SystemResolver(AbstractResolver):
    """The system's own look-ups, nothing kept.

    The resolver that aiohttp prefers, c-ares, keeps the engine's answers for the ten minutes they
    claim to be good for; so long would the Hub look for a proxy that was replaced. Holds no loop,
    because traits are copied before there is one.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses the name has now; raises OSError when it has none."""
        return await ThreadedResolver().resolve(host, port, family)

    async def close(self) -> None:
        """Nothing is held."""
