"""Pages about the site itself; they need no sign-in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.portal import urls
from hub.portal.context import portal_of

router = APIRouter()


@router.get(urls.ACCESSIBILITY)
async def accessibility(request: Request) -> Response:
    """How accessible the site is, and whom to tell."""
    portal = portal_of(request)
    return portal.renderer.page(request, "accessibility.html", now=portal.now())


@router.get(urls.LEGAL)
async def legal(request: Request) -> Response:
    """Who runs the site and what it keeps about people."""
    portal = portal_of(request)
    return portal.renderer.page(request, "legal.html", now=portal.now())
