"""What people and programs do on the live Hub: sign in, get tokens, start servers, call the API."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.hub.login.live import LiveHub

PASSWORD = "correct horse battery"
CALLBACK = "/services/portal/oauth_callback"


def student(hub: LiveHub, **options: bool) -> str:
    """A new student's name; the password is PASSWORD."""
    name = f"s{secrets.token_hex(4)}"
    hub.add(name, PASSWORD, **options)
    return name


@contextmanager
def signed_in(hub: LiveHub, name: str) -> Iterator[httpx.Client]:
    """A browser in which this person is signed in."""
    with hub.browser() as browser:
        hub.sign_in(browser, name, PASSWORD, "/hub/token")
        assert who(browser) == name
        yield browser


def who(browser: httpx.Client) -> str:
    """Whose session this browser has, by the Hub's own pages."""
    page = browser.get("/hub/token")
    found = re.search(r'class="who">([^<]*)<', page.text)
    return found[1] if found else ""


def portal_token(hub: LiveHub, browser: httpx.Client) -> str:
    """What the portal gets from the OAuth flow of the person in this browser."""
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    answer = browser.get(
        "/hub/api/oauth2/authorize",
        params={
            "client_id": "service-portal",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "x",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        },
        follow_redirects=False,
    )
    assert answer.status_code == 302, answer.text
    location = urlsplit(answer.headers["location"])
    assert location.path == CALLBACK
    reply = httpx.post(
        f"{hub.api_url}/oauth2/token",
        data={
            "client_id": "service-portal",
            "client_secret": hub.secret("portal_token"),
            "grant_type": "authorization_code",
            "code": parse_qs(location.query)["code"][0],
            "redirect_uri": CALLBACK,
            "code_verifier": verifier,
        },
        trust_env=False,
    )
    return str(reply.json()["access_token"])


def api(hub: LiveHub, token: str, method: str, path: str, **kwargs: object) -> httpx.Response:
    """One call of the Hub's API."""
    headers = {"Authorization": f"token {token}"}
    return httpx.request(
        method, f"{hub.api_url}{path}", headers=headers, trust_env=False, timeout=20, **kwargs
    )


def servers(hub: LiveHub, name: str) -> dict[str, dict[str, object]]:
    """What the Hub runs for this person, as the worker sees it."""
    return dict(api(hub, hub.secret("worker_token"), "GET", f"/users/{name}").json()["servers"])


def started(hub: LiveHub, token: str, name: str, slug: str) -> dict[str, str]:
    """Start a server with this token; returns what the server was given."""
    answer = api(hub, token, "POST", f"/users/{name}/servers/{slug}")
    assert answer.status_code in {201, 202}, answer.text
    deadline = time.monotonic() + 20
    while not servers(hub, name).get(slug, {}).get("ready"):
        assert time.monotonic() < deadline, hub.log()
        time.sleep(0.1)
    return dict(httpx.get(f"{hub.url}/user/{name}/{slug}/", trust_env=False).json())
