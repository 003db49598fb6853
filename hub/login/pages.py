"""The Hub's pages in the reader's language and under a strict policy: what it takes inside the Hub process.

JupyterHub has no seam for either. Two members of its BaseHandler are wrapped, once, by `install`; tests in
tests/hub/login/test_pages.py say what is relied on.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension, InternationalizationExtension
from jupyterhub.handlers.base import BaseHandler
from tornado.httputil import url_concat
from tornado.web import RequestHandler

from hub.i18n import COOKIE, LANGUAGES, catalogue, negotiate

# Where the application keeps what every page needs.
LANGUAGE = "paillasse_language"
TIMEZONE = "paillasse_timezone"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who the page that is being made is for; `address` is the page's own, `nonce` lets its scripts run."""

    language: str = "en"
    theme: str = ""
    address: str = ""
    nonce: str = ""

    def say(self, msgid: str, **fields: object) -> str:
        """The text in the reader's language, its `%(name)s` fields filled in."""
        text = catalogue(self.language, "login").gettext(msgid)
        return text % fields if fields else text

    def other_languages(self) -> list[tuple[str, str]]:
        """(language, address of this page in it)"""
        others = [language for language in LANGUAGES if language != self.language]
        return [(language, url_concat(self.address, {"lang": language})) for language in others]


_NOBODY = Reader()
_reader: ContextVar[Reader] = ContextVar("reader")


def reader() -> Reader:
    """The reader of the request at hand."""
    return _reader.get(_NOBODY)


class Words(InternationalizationExtension):
    """`{% trans %}` and `_()` in the language of the reader; the templates are compiled once for all."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            lambda msgid: catalogue(reader().language, "login").gettext(msgid),
            lambda one, many, n: catalogue(reader().language, "login").ngettext(one, many, n),
            newstyle=True,
        )
        environment.globals["reader"] = reader


class Strict(Extension):
    """Gives every inline script of every template, the Hub's own included, the nonce of the page."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Runs before a template is compiled."""
        source = re.sub(r"<script\b", '<script nonce="{{ reader().nonce }}"', source)
        return source.replace('<html lang="en">', '<html lang="{{ reader().language }}">')


def install() -> None:
    """Wrap BaseHandler.prepare and its policy; doing it twice changes nothing."""
    if not hasattr(BaseHandler, "_unspoken_prepare"):
        BaseHandler._unspoken_prepare = BaseHandler.prepare
        BaseHandler.prepare = _prepare
        BaseHandler.content_security_policy = property(_policy)


def _prepare(handler: Any) -> Awaitable[None]:
    # Not a coroutine: the reader must be set in the task of the request itself.
    _reader.set(Reader(_language(handler), _theme(handler), _address(handler), _nonce(handler)))
    return handler._unspoken_prepare()


def _language(handler: RequestHandler) -> str:
    chosen = handler.get_query_argument("lang", None)
    if chosen in LANGUAGES:
        handler.set_cookie(COOKIE, str(chosen), path="/", samesite="Lax", max_age=365 * 24 * 3600)
        return str(chosen)
    accepted = handler.request.headers.get("Accept-Language", "")
    return negotiate(handler.get_cookie(COOKIE), accepted, handler.settings.get(LANGUAGE, "en"))


def _theme(handler: RequestHandler) -> str:
    """The choice made on the portal."""
    chosen = handler.get_cookie("paillasse-theme")
    return chosen if chosen in {"light", "dark"} else ""


def _address(handler: RequestHandler) -> str:
    following = handler.get_query_argument("next", None)
    return url_concat(handler.request.path, {"next": following} if following else {})


def _policy(handler: RequestHandler) -> str:
    return POLICY.format(nonce=_nonce(handler))


def _nonce(handler: Any) -> str:
    """One per request; the error page that replaces a half-made page keeps it."""
    if not hasattr(handler, "_script_nonce"):
        handler._script_nonce = secrets.token_urlsafe(16)
    return str(handler._script_nonce)
