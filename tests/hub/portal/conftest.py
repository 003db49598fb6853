"""One portal on a real port, with a real database, in front of the Hub double; and people with browsers."""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from config.settings import Settings
from environments import Actor, Role, Store, accounts, catalogue, joining, names, parse_yaml, people
from hub.portal.app import create_app
from hub.portal.context import Portal
from tests.hub.double import LOGIN_COOKIE, SECRET, WORKER, Double
from tests.support.forms import forms_of

BASE = "/services/portal"
ROOT_ACTOR = Actor("root", Role.ADMIN)
YAML = """
slug: {slug}
title: {{fr: "Bac à sable {slug}", en: "Sandbox {slug}"}}
description: |
  First steps in **Python**. <script>alert(1)</script>
status: {status}
image: paillasse/jupyterlab-python
interface: {{kind: lab}}
home: {{kind: {home}, path: /home/student}}
idle: {{timeout: 30m, max_duration: 4h, warning: 5m}}
{more}
"""


@dataclass
class Site:
    """The portal that runs, the other side it talks to, and the database they share."""

    url: str
    portal: Portal
    double: Double
    visitors: list[Visitor] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.portal.store

    def environment(self, *, status: str = "published", home: str = "environment", more: str = "") -> str:
        """A new environment; returns its slug."""
        slug = f"e{secrets.token_hex(4)}"
        text = YAML.format(slug=slug, status=status, home=home, more=more)
        spec = parse_yaml(text, self.portal.ceilings)
        self.store.run_sync(
            catalogue.apply, ROOT_ACTOR, spec, source=text, expected_revision=None, now=datetime.now(UTC)
        )
        return slug

    def change(self, slug: str, **more: str) -> None:
        """Apply another version of an environment."""
        given = {"status": "published", "home": "environment", "more": ""} | more
        text = YAML.format(slug=slug, **given)
        self.store.run_sync(
            catalogue.apply,
            ROOT_ACTOR,
            parse_yaml(text, self.portal.ceilings),
            source=text,
            expected_revision=1,
            now=datetime.now(UTC),
        )

    def link(self, slug: str, *, max_uses: int | None = None, expires_in: timedelta | None = None) -> str:
        """A new join code."""
        now, code = datetime.now(UTC), names.new_join_code()
        expires_at = now + expires_in if expires_in else None
        self.store.run_sync(
            joining.issue, ROOT_ACTOR, slug, code=code, expires_at=expires_at, max_uses=max_uses, now=now
        )
        return code

    def person(self, *, role: Role = Role.STUDENT, language: str = "en", name: str = "") -> Visitor:
        """Somebody signed in at the Hub, who has not been to the portal yet."""
        username = name or f"p{secrets.token_hex(4)}"
        now = datetime.now(UTC)
        self.store.run_sync(people.ensure, username, now=now)
        if role is not Role.STUDENT:
            self.store.run_sync(
                accounts.create, ROOT_ACTOR, username, role, None, display_name="", must_change=False, now=now
            )
        visitor = Visitor(self.url, username, language)
        visitor.http.cookies.set(LOGIN_COOKIE, username, domain="127.0.0.1")
        self.visitors.append(visitor)
        return visitor

    def member(self, **options: str) -> tuple[Visitor, str]:
        """Somebody signed in here who has joined an environment; returns them and its slug."""
        slug, visitor = self.environment(**options), self.person()
        visitor.get("/")
        self.store.run_sync(joining.redeem, visitor.username, self.link(slug), datetime.now(UTC))
        return visitor, slug


class Visitor:
    """A browser without scripts; redirects are followed unless told otherwise."""

    def __init__(self, url: str, username: str, language: str) -> None:
        self.username = username
        self.http = httpx.Client(
            base_url=url,
            follow_redirects=True,
            timeout=20,
            headers={
                "Accept-Language": language,
                "Sec-Fetch-Site": "same-origin",
                "Sec-Fetch-Mode": "navigate",
            },
        )

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.http.get(BASE + path, **options)  # type: ignore[arg-type]

    def token(self, path: str = "/") -> str:
        """The form token of a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def post(self, path: str, data: dict[str, str] | None = None, **options: object) -> httpx.Response:
        """Send a form of ours, its token taken from the home page."""
        form = {"csrf": self.token()} | (data or {})
        return self.http.post(BASE + path, data=form, **options)  # type: ignore[arg-type]

    def press(self, page: httpx.Response, action: str) -> httpx.Response:
        """Submit the first form of a page whose address contains the text."""
        form = next(form for form in forms_of(page.text) if action in form.action)
        return self.http.request(form.method.upper(), form.action, data=form.values)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Front:
    """What the proxy does: our pages to the portal, all the rest to the other side."""

    def __init__(self, portal: ASGIApp, double: Double) -> None:
        self._portal = portal
        self._double = double

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] != "http" or scope["path"].startswith((BASE, "/join/"))
        await (self._portal if ours else self._double)(scope, receive, send)


@contextmanager
def running(app: ASGIApp, port: int) -> Iterator[None]:
    """Serve the application from a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def settings_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Settings]:
    folder = tmp_path_factory.mktemp("site")
    secrets_folder: Path = folder / "secrets"
    secrets_folder.mkdir()
    words = {
        "portal_token": SECRET,
        "worker_token": WORKER,
        "keeper_token": "keeper-token",
        "proxy_token": "proxy-token",
        "crypt_key": "0f" * 32,
        "cookie_secret": "1e" * 32,
    }
    for name, word in words.items():
        (secrets_folder / name).write_text(word)

    def make(port: int) -> Settings:
        here = f"http://127.0.0.1:{port}"
        return Settings.from_environ(
            {
                "PAILLASSE_DATA": str(folder),
                "PAILLASSE_SECRETS": str(secrets_folder),
                "PAILLASSE_PUBLIC_URL": here,
                "PAILLASSE_HUB_URL": here,
                "PAILLASSE_KEEPER_URL": here,
                "PAILLASSE_PROXY_API_URL": here,
                "PAILLASSE_SUPPORT_CONTACT": "help@example.org",
            }
        )

    return make


@pytest.fixture(scope="session")
def running_site(settings_of: Callable[[int], Settings]) -> Iterator[Site]:
    port = free_port()
    app, double = create_app(settings_of(port)), Double()
    with running(Front(app, double), port):
        yield Site(f"http://127.0.0.1:{port}", app.state.portal, double)


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    yield running_site
    running_site.double.reset()
    for visitor in running_site.visitors:
        visitor.http.close()
    running_site.visitors.clear()
