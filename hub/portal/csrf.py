"""Proof that a form was sent from a page of ours: a secret per session, masked anew in every page."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

SIZE = 24
FIELD = "csrf"


def new_secret() -> str:
    """The session's secret, kept in the encrypted session cookie."""
    return base64.urlsafe_b64encode(secrets.token_bytes(SIZE)).decode()


def token(secret: str) -> str:
    """What a form carries. Masked, because a compressed page must not hold the same secret twice."""
    mask = secrets.token_bytes(SIZE)
    return base64.urlsafe_b64encode(mask + _xor(mask, base64.urlsafe_b64decode(secret))).decode()


def matches(secret: str, given: str) -> bool:
    """True when the form's token was made from the session's secret."""
    try:
        raw = base64.urlsafe_b64decode(given.encode("ascii"))
    except (binascii.Error, ValueError):
        return False
    if len(raw) != 2 * SIZE:
        return False
    return hmac.compare_digest(_xor(raw[:SIZE], raw[SIZE:]), base64.urlsafe_b64decode(secret))


def same_origin(request: Request, public_url: str) -> bool:
    """False when the browser says that another site caused this request.

    Browsers without Sec-Fetch-Site still send Origin with a POST; a client that sends neither
    is no browser and carries nobody's cookies by accident. The token is asked for all the same.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc in {request.headers.get("host"), urlsplit(public_url).netloc}


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
