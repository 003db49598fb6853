"""A person's files: where they are, how much they hold, and a copy to take away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from environments import HomeView, queries
from hub.keeper_client import HomeGone, HomeInUse, HomeSize, KeeperDown
from hub.portal import urls
from hub.portal.auth import SignedIn
from hub.portal.context import Portal, portal_of
from hub.portal.problems import Problem

router = APIRouter()

COUNTING = 1.5  # seconds the page waits for a size


@router.get(urls.FILES)
async def files(request: Request, person: SignedIn) -> Response:
    """The list; a size that takes too long to count is left out."""
    portal = portal_of(request)
    homes = await portal.store.run(queries.homes, person.username)
    sizes = await asyncio.gather(*(_size(portal, home) for home in homes))
    return portal.renderer.page(
        request, "files.html", now=portal.now(), homes=list(zip(homes, sizes, strict=True))
    )


@router.get(f"{urls.FILES}/{{volume}}/archive")
async def archive(request: Request, volume: str, person: SignedIn) -> Response:
    """Everything in one file, passed on as it comes."""
    portal = portal_of(request)
    homes = {home.volume: home for home in await portal.store.run(queries.homes, person.username)}
    home = homes.get(volume)
    if home is None:
        raise Problem("not-found")
    if home.in_use:
        raise HomeInUse
    stack = AsyncExitStack()
    chunks = await stack.enter_async_context(portal.keeper.archive(volume))
    return StreamingResponse(
        _relay(stack, chunks),
        media_type="application/gzip",
        headers={
            "Content-Disposition": f'attachment; filename="{person.username}-{home.id}.tar.gz"',
            "Cache-Control": "no-store",
        },
    )


async def _relay(stack: AsyncExitStack, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass the archive on; whoever ends first, the keeper's connection is given back."""
    async with stack:
        async for chunk in chunks:
            yield chunk


async def _size(portal: Portal, home: HomeView) -> HomeSize | None:
    try:
        return await portal.keeper.home_size(home.volume, COUNTING)
    except (KeeperDown, HomeGone, HomeInUse):
        return None
