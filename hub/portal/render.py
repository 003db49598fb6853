"""Templates to pages: the reader's language, the shell every page shares, compression."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from config.settings import Settings
from hub import i18n
from hub.i18n import Words
from hub.portal import csrf, markdown, urls
from hub.portal.statics import Statics
from hub.portal.texts import Action

TEMPLATES = Path(__file__).resolve().parents[1] / "templates" / "portal"
THEMES = ("light", "dark")
THEME_COOKIE = "paillasse-theme"
WORTH_PACKING = 1_000


class Renderer:
    """One set of compiled templates per language."""

    def __init__(self, settings: Settings, statics: Statics) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        self._environments = {language: self._environment(language, statics) for language in i18n.LANGUAGES}

    def _environment(self, language: str, statics: Statics) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            auto_reload=False,
        )
        environment.install_gettext_translations(i18n.catalogue(language), newstyle=True)  # type: ignore[attr-defined]
        environment.filters["markdown"] = markdown.render
        contact = self._settings.support_contact
        environment.globals |= {
            "urls": urls,
            "asset": statics.url,
            "Action": Action,
            "site_name": self._settings.site_name,
            "contact": contact,
            "contact_url": f"mailto:{contact}" if "@" in contact and ":" not in contact else contact,
            "languages": {"fr": "Français", "en": "English"},
        }
        return environment

    def words(self, request: Request) -> Words:
        """The reader's language, decided once per request."""
        language = i18n.negotiate(
            request.cookies.get(i18n.COOKIE),
            request.headers.get("accept-language", ""),
            self._settings.language,
        )
        return self.words_in(language)

    def words_in(self, language: str) -> Words:
        """One language, with the installation's hours."""
        return Words(language, self._zone)

    def fragment(self, words: Words, name: str, now: datetime, **context: object) -> str:
        """A part of a page, for a stream."""
        return self._environments[words.language].get_template(name).render(words=words, now=now, **context)

    def page(
        self, request: Request, name: str, *, now: datetime, status: int = 200, **context: object
    ) -> HTMLResponse:
        """A whole page, never stored by any cache."""
        words, person = self.words(request), getattr(request.state, "person", None)
        theme = request.cookies.get(THEME_COOKIE)
        html = self.fragment(
            words,
            name,
            now,
            person=person,
            csrf_token=csrf.token(person.csrf) if person else "",
            theme=theme if theme in THEMES else "",
            path=request.url.path,
            reference=request.state.reference,
            **context,
        )
        return _packed(request, html, status)


def _packed(request: Request, html: str, status: int) -> HTMLResponse:
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    body = html.encode()
    if len(body) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        return HTMLResponse(gzip.compress(body, 5, mtime=0), status, headers | {"Content-Encoding": "gzip"})
    return HTMLResponse(body, status, headers)
