"""The start page: steps that tell the truth, the stream behind them, cancelling, and the way in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from environments import LaunchState, launching, queries
from hub.hubapi import HubDown
from hub.portal import urls
from hub.portal.auth import Person, Posted, SignedIn
from hub.portal.context import Portal, portal_of
from hub.portal.pages.join import begin_start
from hub.portal.problems import Problem
from hub.portal.progress import build
from hub.portal.stream import LaunchStream

router = APIRouter()

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
PLACE = f"{urls.PREFIX}/start/{{slug}}"
HEARTBEAT = 5
WAY = 3.0  # seconds
FRESHLY_READY = 15.0  # seconds during which a page that is (re)loaded still opens by itself


@router.get(PLACE)
async def show(request: Request, slug: Slug, person: SignedIn) -> Response:
    """Where this start stands; readable, and kept fresh, without any script."""
    portal, words = portal_of(request), portal_of(request).renderer.words(request)
    launch = await portal.store.run(queries.current_launch, person.username, slug)
    if launch is None:
        raise Problem("not-found")
    events = await portal.store.run(queries.events_after, 0, (launch.id,))
    usual = await portal.store.run(queries.usual_seconds, launch.environment.id)
    now = portal.now()
    titles = await _titles(portal, person, words.language) if launch.failure == "volume-busy" else {}
    panel = build(launch, events, usual, words, now, titles)
    fresh = launch.ready_at is not None and (now - launch.ready_at).total_seconds() < FRESHLY_READY
    return portal.renderer.page(
        request,
        "start.html",
        now=now,
        launch=launch,
        environment=launch.environment,
        panel=panel,
        fresh=fresh,
    )


@router.post(PLACE)
async def start(request: Request, slug: Slug, person: SignedIn, _form: Posted) -> Response:
    """Start, or start again."""
    return await begin_start(request, person, slug)


@router.get(f"{PLACE}/events")
async def events(
    request: Request, slug: Slug, person: SignedIn, after: Annotated[int, Query(ge=0)] = 0
) -> EventSourceResponse:
    """The same page as a stream of panels, each under the id of the event it shows."""
    seen = request.headers.get("last-event-id", "")
    last = int(seen) if seen.isascii() and seen.isdigit() else after
    stream = LaunchStream(portal_of(request), person, slug, portal_of(request).renderer.words(request))

    async def messages() -> AsyncIterator[ServerSentEvent]:
        async for message in stream.messages(last):
            yield message

    return EventSourceResponse(messages(), ping=HEARTBEAT, sep="\n")


@router.post(f"{PLACE}/cancel")
async def cancel(request: Request, slug: Slug, person: SignedIn, _form: Posted) -> Response:
    """Give up a start; what was made for it is taken away behind the page."""
    portal = portal_of(request)
    launch = await portal.store.run(queries.current_launch, person.username, slug)
    if launch is not None and launch.state in {LaunchState.REQUESTED, LaunchState.STARTING}:
        await portal.store.run(launching.failed, launch.id, "cancelled", {}, "", now=portal.now())
        await portal.launcher.stop(person.token, person.username, slug)
    return RedirectResponse(urls.start(slug), 303)


@router.get(f"{urls.PREFIX}/open/{{slug}}")
async def open_server(request: Request, slug: Slug, person: SignedIn) -> Response:
    """Into the running server, at what the link asked for or at its usual page."""
    portal = portal_of(request)
    launch = await portal.store.run(queries.current_launch, person.username, slug)
    if launch is None or not launch.live:
        raise Problem("not-running")
    if launch.state is not LaunchState.READY:
        return RedirectResponse(urls.start(slug), 303)
    await _routed(portal, person, slug)
    path = launch.suffix or launch.environment.interface.path
    return RedirectResponse(urls.server(person.username, slug, path), 303)


async def _routed(portal: Portal, person: Person, slug: str) -> None:
    """Wait until the Hub has made the way to a server that answers already: some 50 ms, as a rule."""
    try:
        async with asyncio.timeout(WAY):
            while True:
                server = (await portal.hub.servers_of(person.token, person.username)).get(slug)
                if server is None or server.ready:
                    return
                await asyncio.sleep(0.05)
    except (TimeoutError, HubDown):
        return


async def _titles(portal: Portal, person: Person, language: str) -> dict[str, str]:
    known = await portal.store.run(queries.home_page, person.username)
    return {each.slug: each.title_in(language) for each in known.memberships}
