"""A running server from outside: stopping it, and putting off its stop."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from environments import launching, queries
from hub.portal import urls
from hub.portal.auth import Posted, SignedIn
from hub.portal.context import portal_of
from hub.portal.pages.start import Slug
from hub.portal.problems import Problem

router = APIRouter()

PLACE = f"{urls.PREFIX}/servers/{{slug}}"
LONGER = timedelta(hours=1)


@router.get(f"{PLACE}/stop")
async def ask(request: Request, slug: Slug, person: SignedIn) -> Response:
    """What is kept and what is lost, before anything is."""
    portal = portal_of(request)
    launch = await portal.store.run(queries.current_launch, person.username, slug)
    if launch is None or not launch.live:
        raise Problem("not-running")
    return portal.renderer.page(
        request, "stop.html", now=portal.now(), launch=launch, environment=launch.environment
    )


@router.post(f"{PLACE}/stop")
async def stop(request: Request, slug: Slug, person: SignedIn, _form: Posted) -> Response:
    """Ask for the stop and answer; the home page follows it."""
    portal = portal_of(request)
    await portal.launcher.stop(person.token, person.username, slug)
    return RedirectResponse(urls.HOME, 303)


@router.post(f"{PLACE}/extend")
async def extend(request: Request, slug: Slug, person: SignedIn, _form: Posted) -> Response:
    """Keep it for another hour."""
    portal = portal_of(request)
    now = portal.now()
    await portal.store.run(launching.extend, person.username, slug, now + LONGER, now)
    return RedirectResponse(urls.HOME, 303)
