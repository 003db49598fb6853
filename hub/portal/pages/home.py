"""The first page: what runs, then what can be started."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from environments import EnvironmentView, HomePage, LaunchState, LaunchView, queries
from hub.hubapi import HubDown, HubServer
from hub.portal import urls
from hub.portal.auth import Posted, SignedIn
from hub.portal.context import portal_of

log = logging.getLogger("paillasse.portal.home")
router = APIRouter()


@dataclass(frozen=True)
class Card:
    """One live server: its state is starting, running, stopping or unknown (the Hub does not answer)."""

    environment: EnvironmentView
    state: str
    since: datetime | None
    stops_at: datetime | None
    keep_until: datetime | None
    extendable: bool


@router.get(urls.HOME)
async def home(request: Request, person: SignedIn, note: str = "") -> Response:
    """Running servers first; if the Hub is slow or down, what our own records say, and a word about it."""
    portal = portal_of(request)
    known = await portal.store.run(queries.home_page, person.username)
    try:
        running: Mapping[str, HubServer] | None = await portal.hub.servers_of(person.token, person.username)
    except HubDown as down:
        log.warning("home without the Hub: %s", down)
        running = None
    cards = build_cards(known, running)
    busy = {card.environment.slug for card in cards}
    return portal.renderer.page(
        request,
        "home.html",
        now=portal.now(),
        cards=cards,
        environments=[each for each in known.memberships if each.slug not in busy],
        partial=running is None,
        moving=any(card.state in {"starting", "stopping"} for card in cards),
        bad_code=note == "bad-code",
    )


@router.post(urls.CODE)
async def enter_code(_request: Request, _person: SignedIn, form: Posted) -> Response:
    """A code or a whole link typed into the home page."""
    typed = str(form.get("code", "")).strip()
    found = re.search(
        r"/join/([^/?#]+)(?:/user-redirect/([^#]*))?", urlsplit(typed)._replace(query="").geturl()
    )
    code = found[1] if found else typed
    if not re.fullmatch(r"[A-Za-z0-9_.~-]{4,200}", code):
        return RedirectResponse(f"{urls.HOME}?note=bad-code", 303)
    query = f"?{urlsplit(typed).query}" if found and found[2] and urlsplit(typed).query else ""
    return RedirectResponse(
        urls.join(code, urls.parse_suffix((found[2] or "") + query if found else "")), 303
    )


def build_cards(known: HomePage, running: Mapping[str, HubServer] | None) -> list[Card]:
    """What runs is the Hub's word; our records add the environment, the hours and the limits."""
    launches = {launch.environment.slug: launch for launch in known.launches}
    environments = {each.slug: each for each in known.memberships} | {
        slug: launch.environment for slug, launch in launches.items()
    }
    cards = []
    for slug, environment in environments.items():
        launch, server = launches.get(slug), running.get(slug) if running is not None else None
        state = _state(launch, server, hub_known=running is not None)
        if state:
            cards.append(
                Card(
                    environment=environment,
                    state=state,
                    since=launch.ready_at or launch.requested_at if launch else None,
                    stops_at=_stops_at(launch),
                    keep_until=launch.keep_until if launch else None,
                    extendable=launch is not None and environment.idle.timeout is not None,
                )
            )
    order = {"running": 0, "unknown": 1, "starting": 2, "stopping": 3}
    return sorted(cards, key=lambda card: order[card.state])


def _state(launch: LaunchView | None, server: HubServer | None, *, hub_known: bool) -> str:
    """The empty word when nothing of it is alive."""
    starting = launch is not None and launch.state in {LaunchState.REQUESTED, LaunchState.STARTING}
    if not hub_known:
        return "starting" if starting else "unknown" if launch is not None else ""
    if server is not None and server.pending == "stop":
        return "stopping"
    if server is not None and server.ready:
        return (
            "running" if launch is not None and not starting else "stopping" if launch is None else "starting"
        )
    if server is not None or starting:
        return "starting" if launch is not None else "stopping"
    return "stopping" if launch is not None else ""


def _stops_at(launch: LaunchView | None) -> datetime | None:
    """When it will stop as things are: announced by the sweep, or at the end of the time it may run."""
    if launch is None or launch.stops_at is not None:
        return launch.stops_at if launch else None
    longest = launch.environment.idle.max_duration
    return launch.started_at + longest if longest and launch.started_at else None
