"""What the browser keeps for us, encrypted: the session, and the state of a sign-in under way."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import Response

from hub.portal import csrf, urls

SESSION = "paillasse-session"
STATE = "paillasse-state-"
SESSION_AGE = 12 * 3600
STATE_AGE = 600
MAX_STATES = 6

T = TypeVar("T", "Session", "SignIn")


@dataclass(frozen=True)
class Session:
    """A person's token at the Hub and the secret of their forms."""

    token: str
    csrf: str


@dataclass(frozen=True)
class SignIn:
    """One sign-in that was begun: bound to this browser by the cookie that holds it."""

    state: str
    verifier: str
    next: str


class Sessions:
    """Seals and opens the cookies; they are sent to the portal's own addresses only."""

    def __init__(self, crypt_key: str, *, https: bool) -> None:
        derived = HKDF(SHA256(), 32, None, b"paillasse portal cookies").derive(bytes.fromhex(crypt_key))
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))
        self._https = https

    def read(self, request: Request) -> Session | None:
        """The session of this browser, if it has one that is still good."""
        return self._open(request.cookies.get(SESSION), Session, SESSION_AGE)

    def begin(self, response: Response, token: str) -> None:
        """A new session, with a new secret, at every sign-in."""
        self._set(response, SESSION, Session(token, csrf.new_secret()), urls.HOME, None)

    def end(self, response: Response) -> None:
        """Forget the session."""
        response.delete_cookie(SESSION, path=urls.HOME)

    def begin_sign_in(self, request: Request, response: Response, next_: str) -> SignIn:
        """Remember where the person was going; each tab has a cookie of its own, and few are kept."""
        signing = SignIn(secrets.token_urlsafe(24), secrets.token_urlsafe(48), next_)
        for stale in [name for name in request.cookies if name.startswith(STATE)][MAX_STATES:]:
            response.delete_cookie(stale, path=urls.CALLBACK)
        self._set(response, STATE + signing.state[:8], signing, urls.CALLBACK, STATE_AGE)
        return signing

    def finish_sign_in(self, request: Request, state: str) -> SignIn | None:
        """The sign-in this browser began under that state."""
        signing = self._open(request.cookies.get(STATE + state[:8]), SignIn, STATE_AGE)
        return signing if signing and secrets.compare_digest(signing.state.encode(), state.encode()) else None

    def forget_sign_in(self, response: Response, state: str) -> None:
        """A state is good for one sign-in."""
        response.delete_cookie(STATE + state[:8], path=urls.CALLBACK)

    def _set(
        self, response: Response, name: str, value: Session | SignIn, path: str, age: int | None
    ) -> None:
        sealed = self._fernet.encrypt(json.dumps(asdict(value)).encode()).decode()
        response.set_cookie(
            name, sealed, max_age=age, path=path, httponly=True, samesite="lax", secure=self._https
        )

    def _open(self, sealed: str | None, kind: type[T], age: int) -> T | None:
        if not sealed:
            return None
        try:
            return kind(**json.loads(self._fernet.decrypt(sealed.encode(), ttl=age)))
        except (InvalidToken, ValueError, TypeError):
            return None
