"""What the Hub's pages rely on inside JupyterHub, and that they are whole in both languages."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.ext import babel_extract
from jupyterhub import _data
from jupyterhub import log as hub_log
from jupyterhub.handlers import base, login
from jupyterhub.handlers import pages as hub_pages

from environments import errors
from hub.i18n import LOCALE
from hub.login import checking, discretion, forms, pages
from hub.login.pages import Reader

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "hub" / "templates" / "hub"
STOCK = Path(_data.DATA_FILES_PATH) / "templates"
DOMAIN = ("environments/errors.py", "environments/names.py", "environments/passwords.py")
# Refusals that signing in, registering and changing a password can meet.
MET = (
    errors.NotFound,
    errors.WrongCredentials,
    errors.AccountDisabled,
    errors.RegistrationClosed,
    errors.UsernameTaken,
    errors.WeakPassword,
    checking.TooManyFailures,
)


@pytest.fixture(scope="module")
def environment() -> Environment:
    """The templates as the Hub loads them; a name that nobody gives is an error."""
    loader = ChoiceLoader(
        [PrefixLoader({"templates": FileSystemLoader(STOCK)}, "/"), FileSystemLoader([TEMPLATES, STOCK])]
    )
    return Environment(
        loader=loader, autoescape=True, extensions=[pages.Words, pages.Strict], undefined=StrictUndefined
    )


class Given(dict[str, Any]):
    """An object of the Hub as templates see it."""

    __getattr__ = dict.__getitem__


SHARED: dict[str, Any] = {
    "base_url": "/hub/",
    "prefix": "/",
    "user": Given(name="lea", json_escaped_name="lea", spawner=Given(options_form="")),
    "login_url": "/hub/login",
    "login_service": "",
    "logout_url": "/hub/logout",
    "static_url": lambda path, **_: f"/hub/static/{path}",
    "version_hash": "1",
    "services": [],
    "parsed_scopes": {},
    "xsrf": "x",
    "xsrf_token": "x",
    "site_name": "Paillasse",
    "support_contact": "aide@example.org",
    "self_registration": True,
    "portal_url": "/services/portal/",
    "admin_access": False,
    "no_spawner_check": True,
    "announcement": "",
    "authenticator": Given(request_otp=False),
    "problems": ["<b>wrong</b>"],
    "following": "/services/portal/?a=b&c",
    "username": "lea",
}
CASES: dict[str, dict[str, Any]] = {
    "login.html": {
        "providers": [Given(label="Campus", path="oidc/campus")],
        "custom_html": "",
        "announcement_login": 0,
    },
    "password.html": {"first_time": True},
    "register.html": {"display_name": ""},
    "logout.html": {"confirm": True, "announcement_logout": 0},
    "error.html": {"status_code": 500, "message": "<script>alert(1)</script>"},
    "404.html": {"status_code": 404, "message": ""},
    "not_running.html": {"server_name": "tp1"},
    "oauth.html": {
        "oauth_client": Given(description="Server", identifier="jupyterhub-user-x"),
        "allowed_scopes": ["access:servers"],
        "scope_descriptions": [{"description": "Access user servers via API or browser.", "filter": "lea"}],
    },
    "token.html": {
        "api_tokens": [Given(api_id="a1", note="n", last_activity=None, created=None)],
        "oauth_clients": [],
    },
}


def rendered(environment: Environment, name: str, language: str) -> str:
    token = pages._reader.set(Reader(language=language, address=f"/hub/{name}", nonce="N"))
    try:
        return environment.get_template(name).render(**(SHARED | CASES[name]))
    finally:
        pages._reader.reset(token)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", CASES)
def test_every_page_is_whole_in_both_languages(environment: Environment, name: str, language: str) -> None:
    html = rendered(environment, name, language)
    assert f'<html lang="{language}"' in html
    assert html.count("<h1>") == html.count("<main ") == 1
    assert ("Aller au contenu" if language == "fr" else "Go to the content") in html
    assert "<b>wrong" not in html
    assert "alert(1)</script>" not in html
    if name != "token.html":
        assert "<script" not in html
        visible = re.sub(r"<[^>]+>", " ", html)
        assert not re.search(r"(?i)\b(container|service|task|volume|spawn|kernel|hub|jupyterhub)\b", visible)


def test_a_french_page_has_no_english_left(environment: Environment) -> None:
    said = {msgid for msgid in _msgids() if len(msgid) > 6}
    for name in CASES:
        text = re.sub(r"<[^>]+>", "\n", rendered(environment, name, "fr"))
        assert not said & {line.strip() for line in text.splitlines()}, name


def _msgids() -> set[str]:
    found = set()
    for path in TEMPLATES.glob("*.html"):
        with path.open("rb") as template:
            for _, _, message, _ in babel_extract(template, ["_"], [], {}):
                found.add(message[0] if isinstance(message, tuple) else message)
    return found - {None}


def test_every_text_is_translated_with_its_fields() -> None:
    with (LOCALE / "fr" / "login.po").open("rb") as po:
        catalogue = read_po(po, locale="fr")
    ours = re.compile(r'N_\(\s*"([^"]+)"')
    needed = _msgids() | {refusal.message for refusal in MET}
    for module in (checking, forms):
        needed |= set(ours.findall(inspect.getsource(module)))
    for path in DOMAIN[1:]:
        source = re.sub(r'"\s*\n\s*"', "", (ROOT / path).read_text())
        needed |= set(ours.findall(source))
    missing = sorted(msgid for msgid in needed if not (catalogue.get(msgid) and catalogue[msgid].string))
    assert missing == []
    for message in catalogue:
        if message.id:
            assert not message.fuzzy
            fields = re.compile(r"%\(\w+\)s")
            assert sorted(fields.findall(message.id)) == sorted(fields.findall(message.string)), message.id


def test_french_punctuation_is_french() -> None:
    with (LOCALE / "fr" / "login.po").open("rb") as po:
        for message in read_po(po, locale="fr"):
            assert not re.search(r"(?<=\w) [;:?!»]|« |'|\"", str(message.string)), message.string


def test_what_is_wrapped_in_the_hub_is_still_there() -> None:
    pages.install()
    pages.install()
    assert inspect.iscoroutinefunction(base.BaseHandler._unspoken_prepare)
    assert base.BaseHandler.prepare is pages._prepare
    for handler in (
        login.LoginHandler,
        login.LogoutHandler,
        hub_pages.TokenPageHandler,
    ):
        assert issubclass(handler, base.BaseHandler)
        assert "prepare" not in vars(handler)
    assert "content_security_policy" in inspect.getsource(base.BaseHandler.set_default_headers)
    assert inspect.getsource(base.BaseHandler.write_error).count("render_template(") == 3


def test_the_hub_s_own_templates_keep_the_names_that_ours_fill() -> None:
    blocks = {
        "login.html": {"login_container", "script"},
        "error.html": {"main", "script"},
        "logout.html": {"main"},
        "not_running.html": {"main", "script"},
        "oauth.html": {"main"},
        "token.html": {"main"},
        "page.html": {"title", "stylesheet", "favicon", "meta", "nav_bar", "main", "footer", "script"},
    }
    for name, wanted in blocks.items():
        assert wanted <= set(re.findall(r"{%-? block (\w+)", (STOCK / name).read_text())), name
    assert '<html lang="en">' in (STOCK / "page.html").read_text()


def test_scripts_of_the_hub_get_the_nonce_of_the_page(environment: Environment) -> None:
    html = rendered(environment, "token.html", "fr")
    assert html.count("<script") == html.count('<script nonce="N"') > 3


@pytest.mark.parametrize(
    ("address", "logged"),
    [
        ("/services/portal/join/abc234?x=1", "/services/portal/join/[secret]?x=1"),
        (
            "/hub/login?next=%2Fjoin%2Fabc234%2Fuser-redirect",
            "/hub/login?next=%2Fjoin%2F[secret]%2Fuser-redirect",
        ),
        ("/join/abc234", "/join/[secret]"),
        ("/hub/token", "/hub/token"),
    ],
)
def test_the_log_hides_join_codes(address: str, logged: str) -> None:
    discretion.install()
    discretion.install()
    assert hub_log._scrub_uri(address) == logged


def test_our_header_wears_the_clothes_of_the_portals(environment: Environment) -> None:
    css = (ROOT / "hub" / "static" / "css" / "portal.css").read_text()
    classes = set(" ".join(re.findall(r'class="([^"]*)"', rendered(environment, "login.html", "en"))).split())
    ours = {name for name in classes if f".{name}" in css}
    bootstrap = {"visually-hidden", "container", "mt-3", "quiet", "btn", "form-control", "form-label"}
    assert classes - ours - bootstrap - {"sign-in"} == set()
