"""The one error table of the portal: what is raised, and the page it becomes.

LoginNeeded          303 to the Hub and back (401 for a script)
Problem(reason)      the row of `texts.REFUSALS`, with its status
EnvironmentsError    a domain refusal: the row of its reason
HubDown              502 · KeeperDown 503 · HomeInUse 409 · HomeGone 404
anything else        500, with the traceback in the log under the reference shown
"""

from __future__ import annotations

import logging
import math
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from environments import EnvironmentsError, Status
from hub.hubapi import HubDown, HubRefused, TokenGone
from hub.i18n import Words
from hub.keeper_client import HomeGone, HomeInUse, KeeperDown
from hub.portal import auth, texts
from hub.portal.context import portal_of
from hub.portal.problems import LoginNeeded, Problem

log = logging.getLogger("paillasse.portal")

BY_CLASS: dict[type[Exception], str] = {
    HubDown: "hub-down",
    HubRefused: "hub-down",
    KeeperDown: "files-unreachable",
    HomeInUse: "files-in-use",
    HomeGone: "not-found",
    RequestValidationError: "bad-request",
}
BY_STATUS = {404: "not-found", 405: "not-found", 413: "bad-request", 400: "bad-request", 422: "bad-request"}


def install(app: FastAPI) -> None:
    """Register the table."""
    app.add_exception_handler(LoginNeeded, on_login_needed)
    app.add_exception_handler(TokenGone, on_login_needed)
    app.add_exception_handler(HTTPException, on_http_exception)
    for kind in (Problem, EnvironmentsError, *BY_CLASS):
        app.add_exception_handler(kind, on_refusal)


async def on_login_needed(request: Request, _: Exception) -> Response:
    """A page goes to the Hub and comes back; a script is told so."""
    if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
        return PlainTextResponse("signed out", 401)
    return auth.begin(request)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Addresses and methods that do not exist."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem_page(request, BY_STATUS.get(status, "internal"))


async def on_refusal(request: Request, error: Exception) -> Response:
    """A reason with words of its own."""
    if isinstance(error, Problem):
        return problem_page(request, error.reason, error.fields)
    if isinstance(error, EnvironmentsError):
        return problem_page(request, reason_of(error), dict(error.fields))
    if not isinstance(error, RequestValidationError):
        log.warning("%s: %s", type(error).__name__, error)
    return problem_page(request, BY_CLASS[type(error)])


def crash_page(request: Request, error: Exception) -> Response:
    """Nobody expected this one: the traceback goes to the log, the reference to the reader."""
    log.error("reference %s", request.state.reference, exc_info=error)
    return problem_page(request, "internal")


def reason_of(error: EnvironmentsError) -> str:
    """The row for a domain refusal; a closed door reads differently before and after."""
    if error.reason == "closed":
        return "not-open-yet" if error.fields.get("when") == "before" else "closed"
    if error.reason == "not-published" and error.fields.get("status") == Status.ARCHIVED:
        return "archived"
    return error.reason if error.reason in texts.REFUSALS else "bad-request"


def problem_page(request: Request, reason: str, fields: dict[str, object] | None = None) -> Response:
    """The page of one row: a sentence, one primary action, the reference."""
    portal = portal_of(request)
    text = texts.REFUSALS[reason]
    words = portal.renderer.words(request)
    said = {name: _said(name, value, words) for name, value in (fields or {}).items()}
    response = portal.renderer.page(
        request,
        "problem.html",
        now=portal.now(),
        status=text.status,
        text=text,
        reason=reason,
        sentence=text.say(words, said),
    )
    wait = (fields or {}).get("wait")
    if isinstance(wait, (int, float)):
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response


def _said(name: str, value: object, words: Words) -> object:
    """Moments come as ISO texts, waits as seconds; people read neither."""
    if name.endswith("_at") and isinstance(value, str) and value:
        return words.date_and_hour(datetime.fromisoformat(value))
    return words.span(value) if name == "wait" and isinstance(value, (int, float)) else value
