"""A join link: the page that says what it is, and the button that uses it."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from environments import JoinPageView, LinkUnknown, joining, launching
from hub.portal import urls
from hub.portal.auth import Person, Posted, SignedIn
from hub.portal.context import Portal, address_of, portal_of
from hub.portal.launcher import Answer
from hub.portal.problems import Problem

router = APIRouter()
bare = APIRouter()

Code = Annotated[str, Path(max_length=200)]
PLACE = f"{urls.PREFIX}/join/{{code}}"


@bare.get("/join/{code}")
@bare.get("/join/{code}/user-redirect/{path:path}")
async def shared_link(request: Request, code: Code) -> Response:
    """The address people pass on; our cookies live elsewhere, so it only leads there."""
    return RedirectResponse(urls.join(code, _suffix(request)), 302)


@router.get(PLACE)
@router.get(PLACE + "/user-redirect/{path:path}")
async def show(request: Request, code: Code, person: SignedIn) -> Response:
    """What the link leads to. Looking starts and joins nothing."""
    portal, suffix = portal_of(request), _suffix(request)
    page = await _peek(portal, request, person, code)
    return portal.renderer.page(
        request,
        "join.html",
        now=portal.now(),
        page=page,
        code=code,
        suffix=suffix,
        opens=urls.suffix_name(suffix),
        # A member who came here by themselves need not press a button; one who was sent by another site must.
        press=page.is_member and request.headers.get("sec-fetch-site") in {"same-origin", "none"},
    )


@router.post(PLACE)
async def use(request: Request, code: Code, person: SignedIn, form: Posted) -> Response:
    """Join, if not a member yet, and start."""
    portal = portal_of(request)
    await _peek(portal, request, person, code)
    environment = await portal.store.run(joining.redeem, person.username, code, portal.now())
    return await begin_start(
        request, person, environment.slug, urls.parse_suffix(str(form.get("suffix", "")))
    )


async def begin_start(request: Request, person: Person, slug: str, suffix: str = "") -> Response:
    """Record the wish, ask the Hub, and answer with the start page – or the server, if it runs already."""
    portal = portal_of(request)
    language = portal.renderer.words(request).language
    launch = await portal.store.run(
        launching.request,
        person.username,
        slug,
        suffix=suffix,
        language=language,
        now=portal.now(),
        ceilings=portal.ceilings,
    )
    answer = await portal.launcher.start(person.token, launch, launch.environment.title_in(language))
    if answer is Answer.RUNNING:
        path = suffix or launch.environment.interface.path
        return RedirectResponse(urls.server(person.username, slug, path), 303)
    return RedirectResponse(urls.start(slug), 303)


async def _peek(portal: Portal, request: Request, person: Person, code: str) -> JoinPageView:
    """Look behind the code; only codes that do not exist count as guesses."""
    now, address = time.monotonic(), address_of(request)
    wait = max(
        portal.guesses_of_person.wait(person.username, now), portal.guesses_of_address.wait(address, now)
    )
    if wait:
        raise Problem("too-many", wait=wait)
    try:
        return await portal.store.run(joining.peek, code, person.username, portal.now())
    except LinkUnknown:
        portal.guesses_of_person.failed(person.username, now)
        portal.guesses_of_address.failed(address, now)
        raise


def _suffix(request: Request) -> str:
    """What follows the code, as it was sent: decoding it first would blur where its query begins."""
    path = request.scope["raw_path"].decode("latin-1").partition("/user-redirect/")[2]
    query = f"?{request.url.query}" if path and request.url.query else ""
    return urls.parse_suffix(path + query)
