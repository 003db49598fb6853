"""Who is asking: sign-in through the Hub's OAuth, the session that follows, and its end."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from environments import Actor, PersonView, Role, people
from hub.hubapi import HubDown, HubPerson, HubRefused, TokenGone
from hub.portal import csrf, urls
from hub.portal.context import Portal, portal_of
from hub.portal.problems import LoginNeeded, Problem

CLIENT_ID = "service-portal"
HUB_SESSION = "jupyterhub-session-id"
FRESH = 20.0  # seconds a token is taken as good without asking the Hub again
STALE = 60.0  # the same while the Hub does not answer


@dataclass(frozen=True)
class Person:
    """The person who asks, as the Hub and our own records know them."""

    username: str
    view: PersonView
    token: str
    csrf: str

    @property
    def actor(self) -> Actor:
        """The person as the domain's actions want them."""
        return Actor(self.username, self.view.role)

    @property
    def is_admin(self) -> bool:
        """May they manage people?"""
        return self.view.role is Role.ADMIN


@dataclass(frozen=True)
class _Known:
    hub: HubPerson
    view: PersonView
    at: float


class Doorkeeper:
    """Remembers for a moment which tokens the Hub has vouched for; keyed by hash, never by token."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    async def identify(self, portal: Portal, token: str) -> _Known:
        """The token's owner; raises TokenGone, or HubDown when nobody can tell."""
        key, now = hashlib.sha256(token.encode()).hexdigest(), time.monotonic()
        known = self._known.get(key)
        if known and now - known.at < FRESH:
            return known
        try:
            hub = await portal.hub.person(token)
        except HubDown:
            if known and now - known.at < STALE:
                return known
            raise
        except TokenGone:
            self._known.pop(key, None)
            raise
        view = await portal.store.run(people.ensure, hub.username, now=portal.now())
        self._forget_old(now)
        self._known[key] = known = _Known(hub, view, now)
        return known

    def forget(self, token: str) -> None:
        """Ask the Hub again at the next request."""
        self._known.pop(hashlib.sha256(token.encode()).hexdigest(), None)

    def _forget_old(self, now: float) -> None:
        if len(self._known) > 5_000:
            self._known = {key: known for key, known in self._known.items() if now - known.at < STALE}


async def signed_in(request: Request) -> Person:
    """The person; raises LoginNeeded when the browser has no session or the Hub no longer vouches for it."""
    portal = portal_of(request)
    session = portal.sessions.read(request)
    if session is None:
        raise LoginNeeded
    try:
        known = await portal.doorkeeper.identify(portal, session.token)
    except TokenGone as gone:
        raise LoginNeeded from gone
    if known.hub.session_id and known.hub.session_id != request.cookies.get(HUB_SESSION):
        raise LoginNeeded  # signed out at the Hub, or signed in again as someone else
    if known.view.disabled:
        raise Problem("account-disabled")
    person = Person(known.hub.username, known.view, session.token, session.csrf)
    request.state.person = person
    return person


async def posted(request: Request, person: Annotated[Person, Depends(signed_in)]) -> AsyncIterator[FormData]:
    """The form of a page of ours; raises Problem when it comes from anywhere else."""
    portal = portal_of(request)
    if not csrf.same_origin(request, portal.settings.public_url):
        raise Problem("cross-site")
    async with request.form(max_files=1, max_fields=50) as form:
        given = form.get(csrf.FIELD)
        if not isinstance(given, str) or not csrf.matches(person.csrf, given):
            raise Problem("form-expired")
        yield form


async def administrator(person: Annotated[Person, Depends(signed_in)]) -> Person:
    """The person, who must be an administrator."""
    if not person.is_admin:
        raise Problem("admins-only")
    return person


SignedIn = Annotated[Person, Depends(signed_in)]
Posted = Annotated[FormData, Depends(posted)]
Administrator = Annotated[Person, Depends(administrator)]


def begin(request: Request) -> Response:
    """Send the browser to the Hub; where it was going travels in a cookie, so no log holds a join code."""
    portal = portal_of(request)
    # As it was sent: decoding would change what a file's name is.
    path = request.scope["raw_path"].decode("latin-1")
    query = f"?{request.url.query}" if request.url.query else ""
    target = path + query if request.method in {"GET", "HEAD"} else urls.page_of(path)
    response = RedirectResponse("", 303)
    signing = portal.sessions.begin_sign_in(request, response, urls.parse_next(target))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(signing.verifier.encode()).digest()).rstrip(b"=")
    asked = {
        "client_id": CLIENT_ID,
        "redirect_uri": urls.CALLBACK,
        "response_type": "code",
        "state": signing.state,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    response.headers["location"] = f"{urls.HUB_AUTHORIZE}?{urlencode(asked)}"
    return response


async def finish(request: Request, code: str, state: str) -> Response:
    """Back from the Hub: trade the code for a token and go where the person was going."""
    portal = portal_of(request)
    signing = portal.sessions.finish_sign_in(request, state)
    if signing is None or not code:
        raise Problem("sign-in-lost")
    secret = portal.settings.secret("portal_token")
    try:
        token = await portal.hub.token_for_code(CLIENT_ID, secret, code, urls.CALLBACK, signing.verifier)
    except HubRefused as refused:
        raise Problem("sign-in-lost") from refused
    response = RedirectResponse(urls.parse_next(signing.next), 303)
    portal.sessions.forget_sign_in(response, state)
    portal.sessions.begin(response, token)
    return response


def leave(request: Request, person: Person) -> Response:
    """End the session here and at the Hub, which revokes the token."""
    portal = portal_of(request)
    portal.doorkeeper.forget(person.token)
    response = RedirectResponse(urls.HUB_LOGOUT, 303)
    portal.sessions.end(response)
    return response
