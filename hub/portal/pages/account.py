"""Signing in and out, and the reader's own choices: language and theme."""

from __future__ import annotations

from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from environments import queries
from hub import i18n
from hub.portal import auth, csrf, render, urls
from hub.portal.auth import Posted, SignedIn
from hub.portal.context import portal_of
from hub.portal.problems import Problem

router = APIRouter()

YEAR = 31_536_000


@router.get(urls.CALLBACK)
async def oauth_callback(request: Request, code: str = "", state: str = "") -> Response:
    """The Hub sends the browser back here."""
    return await auth.finish(request, code, state)


@router.post(urls.LOGOUT)
async def logout(request: Request, person: SignedIn, _form: Posted) -> Response:
    """Leave the portal and the Hub."""
    return auth.leave(request, person)


@router.post(urls.LANGUAGE)
async def language(request: Request, to: str = Form(""), next_: str = Form("", alias="next")) -> Response:
    """Choose the language of the pages. The cookie holds nothing secret, and the Hub's pages read it too."""
    response = _back(request, next_)
    if to in i18n.LANGUAGES:
        https = portal_of(request).settings.https
        response.set_cookie(i18n.COOKIE, to, max_age=YEAR, path="/", samesite="lax", secure=https)
    return response


@router.post(urls.THEME)
async def theme(request: Request, to: str = Form(""), next_: str = Form("", alias="next")) -> Response:
    """Choose light or dark, or go back to what the machine prefers."""
    response = _back(request, next_)
    if to in render.THEMES:
        https = portal_of(request).settings.https
        response.set_cookie(
            render.THEME_COOKIE, to, max_age=YEAR, path=urls.HOME, httponly=True, samesite="lax", secure=https
        )
    else:
        response.delete_cookie(render.THEME_COOKIE, path=urls.HOME)
    return response


@router.get(f"{urls.PREFIX}/health")
async def health(request: Request) -> Response:
    """Alive, and able to read the database."""
    await portal_of(request).store.run(queries.current_launch, "", "")
    return PlainTextResponse("ok")


def _back(request: Request, next_: str) -> RedirectResponse:
    if not csrf.same_origin(request, portal_of(request).settings.public_url):
        raise Problem("cross-site")
    return RedirectResponse(urls.parse_next(next_), 303)
