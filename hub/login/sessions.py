"""Sessions in the Hub's own terms: cookies and tokens that end, and begin anew at every sign-in."""

from __future__ import annotations

import uuid
from typing import Any

from jupyterhub.orm import new_token
from jupyterhub.user import User
from tornado.web import HTTPError

from hub.login.provider import Proof

# Lets a person choose a password, before any session begins.
TICKET = "paillasse-new-password"
# The Hub's own way of knowing the token that it gave to a server.
_SERVER_NOTE = "Server at "


async def begin(handler: Any, proof: Proof) -> User:
    """Sign a person in with a session of their own: nothing of an earlier one in this browser survives.

    `handler` is a BaseHandler of the Hub. Raises HTTPError 403 when the proof admits nobody.
    """
    handler.clear_login_cookie()
    handler.clear_cookie(TICKET, path=handler.hub.base_url)
    handler._session_id = uuid.uuid4().hex
    handler.set_session_cookie()
    user = await handler.login_user({"proof": proof})
    if user is None:
        raise HTTPError(403)
    # The Hub sets this cookie only for somebody new; it was just cleared.
    handler.set_hub_cookie(user)
    return user


def end_all(user: User, *, servers: bool = False) -> None:
    """Forget every cookie and token of a person; those of running servers only when asked."""
    for token in list(user.api_tokens):
        if servers or not (token.note or "").startswith(_SERVER_NOTE):
            user.db.delete(token)
    spoil_cookies(user)


def spoil_cookies(user: User) -> None:
    """Make every login cookie of a person worthless, copies included."""
    user.orm_user.cookie_id = new_token()
    user.db.commit()


async def stop_server(handler: Any, user: User, name: str) -> None:
    """Stop a server of a person who may no longer be here."""
    handler.log.warning("Stopping server %s of %s, whose account is closed", name, user.name)
    await handler.stop_single_user(user, name)
