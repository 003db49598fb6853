"""Waits until a server answers over HTTP: cheap enough to ask every 50 ms.

The Hub's own wait backs off to 5 s at random; when it asks after us, the first answer passes.
"""

from __future__ import annotations

import asyncio

PAUSE = 0.05
# A container that is not on the network yet swallows packets: TCP would try again only after 1 s.
CONNECT = 0.25
READ = 10.0


async def wait(address: str, port: int, path: str) -> None:
    """Return once `GET path` gets any answer below 500, as the Hub judges; runs until cancelled."""
    while True:
        if await _answers(address, port, path):
            return
        await asyncio.sleep(PAUSE)


async def _answers(address: str, port: int, path: str) -> bool:
    # Not wait_for: before Python 3.12 it may forget that it was cancelled, and we would ask for ever.
    try:
        async with asyncio.timeout(CONNECT):
            reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(READ):
            return _accepted(await reader.readline())
    except (OSError, TimeoutError, ValueError):
        return False
    finally:
        writer.close()


def _accepted(status_line: bytes) -> bool:
    """`HTTP/1.1 404 Not Found` is an answer: the program runs."""
    parts = status_line.split()
    return len(parts) >= 2 and parts[0].startswith(b"HTTP/") and parts[1].isdigit() and int(parts[1]) < 500
