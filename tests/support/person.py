"""A person who uses the platform over HTTP, without JavaScript: signs in, joins, starts, stops."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from tests.support.forms import Form, forms_of

PORTAL = "/services/portal/"


class UnexpectedPage(AssertionError):
    """The page was not the one this step expects; the text of the page is in the message."""


@dataclass(frozen=True)
class Event:
    """One server-sent event as it arrived: seconds since the stream was asked for, id, name, data."""

    after: float
    id: str
    name: str
    data: str


class Person:
    """One browser session. Redirects are followed; forms are submitted with their hidden fields."""

    def __init__(self, url: str, username: str, password: str, *, language: str = "en") -> None:
        self.url = url.rstrip("/")
        self.username = username
        self.password = password
        self.http = httpx.Client(
            base_url=self.url,
            follow_redirects=True,
            timeout=90,
            headers={"Accept-Language": language, "Sec-Fetch-Site": "same-origin"},
        )
        self.page: httpx.Response | None = None

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the browser; what runs goes on."""
        self.http.close()

    def get(self, path: str) -> httpx.Response:
        """Open an address; sign in on the way where the platform asks for it."""
        self.page = self.http.get(path)
        if urlsplit(str(self.page.url)).path.startswith("/hub/") and self._form(self.page, "password"):
            self._sign_in()
        return self.page

    def submit(self, page: httpx.Response, action: str, **values: str) -> httpx.Response:
        """Submit the first form of the page whose action contains the given text."""
        for form in forms_of(page.text):
            if action in form.action:
                return self._send(page, form, values)
        raise UnexpectedPage(f"no form with action {action!r} on {page.url}:\n{page.text[:4000]}")

    def join(self, link: str) -> httpx.Response:
        """Open a join link and press its button; the answer is the start page."""
        page = self.get(urlsplit(link).path)
        return self.submit(page, "/join/")

    def start(self, slug: str) -> httpx.Response:
        """Press Start on the home page; the answer is the start page."""
        return self.submit(self.get(PORTAL), f"/start/{slug}")

    def stop(self, slug: str) -> httpx.Response:
        """Stop a running server from the home page, confirming where the page asks."""
        answer = self.submit(self.get(PORTAL), f"/servers/{slug}/stop")
        if any(f"/servers/{slug}/stop" in form.action for form in forms_of(answer.text)) and (
            urlsplit(str(answer.url)).path.endswith("/stop")
        ):
            answer = self.submit(answer, f"/servers/{slug}/stop")
        return answer

    def events(self, slug: str, *, last_id: str = "", timeout: float = 180) -> Iterator[Event]:
        """The start page's stream, until its `end` event or the deadline (seconds)."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        began = time.monotonic()
        with self.http.stream(
            "GET", f"{PORTAL}start/{slug}/events", headers=headers, timeout=timeout
        ) as answer:
            answer.raise_for_status()
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if time.monotonic() - began > timeout:
                    return
                if line:
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
                    continue
                if "data" in fields or "event" in fields:
                    event = Event(
                        time.monotonic() - began,
                        fields.get("id", ""),
                        fields.get("event", "message"),
                        fields.get("data", ""),
                    )
                    yield event
                    if event.name == "end":
                        return
                fields = {}

    def open(self, slug: str) -> httpx.Response:
        """The server's own first page, through the proxy."""
        return self.http.get(f"{PORTAL}open/{slug}")

    def wait_ready(self, slug: str, timeout: float = 120) -> httpx.Response:
        """Poll the server's address until its interface answers; raises when the deadline passes.

        An address without a server leads to pages of ours, so only an answer from below
        `/user/` that is not an error counts.
        """
        deadline = time.monotonic() + timeout
        while True:
            answer = self.open(slug)
            if answer.status_code == 200 and urlsplit(str(answer.url)).path.startswith("/user/"):
                return answer
            if time.monotonic() > deadline:
                raise UnexpectedPage(
                    f"{slug} not ready: {answer.status_code} {answer.url}\n{answer.text[:3000]}"
                )
            time.sleep(0.25)

    def _sign_in(self) -> None:
        assert self.page is not None
        form = self._form(self.page, "password")
        assert form is not None
        self.page = self._send(self.page, form, {"username": self.username, "password": self.password})
        changing = self._form(self.page, "new_password")
        if changing is not None:
            new = f"{self.password}-2"
            again = {name: new for name in changing.values if re.search("confirm|again|repeat", name)}
            self.page = self._send(self.page, changing, {"new_password": new} | again)
            self.password = new

    @staticmethod
    def _form(page: httpx.Response, field: str) -> Form | None:
        return next((form for form in forms_of(page.text) if field in form.values), None)

    def _send(self, page: httpx.Response, form: Form, values: dict[str, str]) -> httpx.Response:
        target = urljoin(str(page.url), form.action or str(page.url))
        return self.http.request(form.method.upper(), target, data=form.values | values)
