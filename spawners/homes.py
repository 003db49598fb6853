"""The keeper's view of homes: how large, streamed as an archive, removed when asked."""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docker.errors import NotFound

from spawners import storage
from spawners.engine import Engine
from spawners.errors import EngineDown, EngineRefused

INSIDE = "/home-to-read"
COUNT = f"du -sk {INSIDE} | cut -f1; find {INSIDE} -type f | wc -l"
SIZE_AGE = 60.0  # seconds
BLOCK = 1 << 16
GZIP = 16 + zlib.MAX_WBITS
# A home is read as root, whatever the modes its owner has set; nothing else is left to it.
BOUNDS: Mapping[str, Any] = {
    "network_mode": "none",
    "cap_drop": ["ALL"],
    "cap_add": ["DAC_READ_SEARCH"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": "128m",
    "pids_limit": 32,
    "read_only": True,
}


class NoSuchHome(Exception):
    """Not a home of this stack, or none that exists on this node."""


class HomeInUse(Exception):
    """A server may be writing to it."""


@dataclass(frozen=True, slots=True)
class Size:
    """Disk space in bytes, and the number of files."""

    bytes: int
    files: int


class Homes:
    """Reads and removes home volumes of one stack; `image` is any image with sh, du and find."""

    def __init__(self, engine: Engine, image: str) -> None:
        self._engine = engine
        self._image = image
        self._name = re.compile(re.escape(engine.stack) + r"-home-[a-z2-7]{12}")
        self._sizes: dict[str, tuple[float, Size]] = {}

    async def size(self, volume: str) -> Size:
        """How much it holds, at most a minute old. Raises NoSuchHome, EngineDown."""
        await self._check(volume)
        known = self._sizes.get(volume)
        if known and time.monotonic() - known[0] < SIZE_AGE:
            return known[1]
        size = await self._count(volume)
        self._sizes[volume] = (time.monotonic(), size)
        return size

    async def remove(self, volume: str) -> None:
        """Remove it for good. Raises NoSuchHome, HomeInUse, EngineDown."""
        await self._check(volume)
        await self.check_free(volume)
        self._sizes.pop(volume, None)
        try:
            await self._engine.call("remove_volume", volume)
        except EngineRefused as error:
            raise HomeInUse(str(error)) from error

    async def check_free(self, volume: str) -> None:
        """Raise HomeInUse while a container may write to it."""
        if storage.writers(await self._engine.tasks(home=volume), volume):
            raise HomeInUse(volume)

    async def archive(self, volume: str) -> AsyncGenerator[bytes, None]:
        """The home as gzipped tar, block by block, never more than one block in memory.

        Raises NoSuchHome, HomeInUse, EngineDown, before the first block.
        """
        await self._check(volume)
        await self.check_free(volume)
        container = await self._container(volume, ["true"])
        try:
            chunks, _ = await self._engine.call("get_archive", container, f"{INSIDE}/.", BLOCK, deadline=60)
            blocks = _gzip(chunks)
            while block := await asyncio.to_thread(next, blocks, b""):
                yield block
        finally:
            await asyncio.shield(self._discard(container))

    async def _check(self, volume: str) -> None:
        if not self._name.fullmatch(volume):
            raise NoSuchHome(volume)
        try:
            found = await self._engine.call("inspect_volume", volume)
        except NotFound as error:
            raise NoSuchHome(volume) from error
        if (found.get("Labels") or {}).get(storage.LABEL_STACK) != self._engine.stack:
            raise NoSuchHome(volume)

    async def _count(self, volume: str) -> Size:
        container = await self._container(volume, ["sh", "-c", COUNT])
        try:
            await self._engine.call("start", container)
            await self._engine.call("wait", container, timeout=60, deadline=65)
            words = (await self._engine.call("logs", container, stdout=True, stderr=False)).split()
        finally:
            await asyncio.shield(self._discard(container))
        if len(words) != 2:
            raise EngineDown(f"counting {volume} said {words!r}")
        return Size(int(words[0]) * 1024, int(words[1]))

    async def _container(self, volume: str, command: list[str]) -> str:
        """A container that sees the home read-only; `true` is never run, the engine reads for it."""
        created = await self._engine.call(
            "create_container_from_config",
            {
                "Image": self._image,
                "Entrypoint": command[:1],
                "Cmd": command[1:],
                "User": "0:0",
                "Labels": {storage.LABEL_STACK: self._engine.stack},
                "HostConfig": await self._bounds(volume),
            },
        )
        return str(created["Id"])

    async def _bounds(self, volume: str) -> dict[str, Any]:
        mount = {"Type": "volume", "Source": volume, "Target": INSIDE, "ReadOnly": True}
        return dict(await self._engine.call("create_host_config", mounts=[mount], **BOUNDS))

    async def _discard(self, container: str) -> None:
        try:
            await self._engine.call("remove_container", container, force=True)
        except (NotFound, EngineDown, EngineRefused):
            return  # it runs nothing; the engine that is down keeps it until someone prunes


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Compress, giving blocks of a useful size; level 1, as the reader waits and disks are cheap."""
    press = zlib.compressobj(1, zlib.DEFLATED, GZIP)
    block = b""
    for chunk in chunks:
        block += press.compress(chunk)
        if len(block) >= BLOCK:
            yield block
            block = b""
    yield block + press.flush()
