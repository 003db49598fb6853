"""The wiring names traits that exist, none of them deprecated, and imports neither edge."""

from __future__ import annotations

import ast
import secrets
import sqlite3
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.proxy import ConfigurableHTTPProxy, Proxy
from jupyterhub.scopes import scope_definitions
from sqlalchemy import make_url
from traitlets import HasTraits
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from config import hub, login, services
from config import settings as settings_module
from config.settings import Settings
from hub.login.authenticator import PaillasseAuthenticator

CLASSES: dict[str, type[HasTraits]] = {
    "JupyterHub": JupyterHub,
    "ConfigurableHTTPProxy": ConfigurableHTTPProxy,
    "JupyterHubHTTPClient": JupyterHubHTTPClient,
    "Proxy": Proxy,
    "PaillasseAuthenticator": PaillasseAuthenticator,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("proxy_token", "portal_token", "worker_token", "cookie_secret"):
        (tmp_path / name).write_text(secrets.token_hex(32))
    return Settings.from_environ({"PAILLASSE_SECRETS": str(tmp_path), "PAILLASSE_DATA": str(tmp_path)})


@pytest.fixture
def wired(settings: Settings) -> Config:
    c = Config()
    for part in (hub, login, services):
        part.configure(c, settings)
    return c


def test_every_trait_exists_and_is_not_deprecated(wired: Config) -> None:
    for owner, values in wired.items():
        traits = CLASSES[owner].class_traits(config=True)
        for name in values:
            assert name in traits, f"{owner}.{name}"
            assert "DEPRECATED" not in traits[name].help.upper(), f"{owner}.{name}"


def test_the_hub_takes_every_value(wired: Config) -> None:
    app = JupyterHub(config=wired)
    assert app.upgrade_db
    assert app.tornado_settings["slow_spawn_timeout"] == 0
    assert len(app.cookie_secret) == 32


def test_what_is_named_by_a_string_can_be_imported(wired: Config) -> None:
    assert import_item(wired.JupyterHub.authenticator_class) is PaillasseAuthenticator
    for extension in wired.JupyterHub.jinja_environment_options["extensions"]:
        assert callable(import_item(extension))


def test_a_restart_of_the_hub_stops_nothing(wired: Config) -> None:
    assert wired.JupyterHub.cleanup_servers is False
    assert wired.JupyterHub.cleanup_proxy is False
    assert wired.ConfigurableHTTPProxy.should_start is False


def test_cookies_are_secure_where_the_site_is(tmp_path: Path, settings: Settings) -> None:
    for url, secure in (("http://127.0.0.1:8000", None), ("https://tp.example.org", True)):
        c = Config()
        places = {"PAILLASSE_SECRETS": str(tmp_path), "PAILLASSE_DATA": str(tmp_path)}
        hub.configure(c, Settings.from_environ(places | {"PAILLASSE_PUBLIC_URL": url}))
        options = c.JupyterHub.tornado_settings["cookie_options"]
        assert (options["samesite"], options.get("secure")) == ("Lax", secure)


def test_the_hubs_sqlite_file_writes_ahead(wired: Config) -> None:
    with closing(sqlite3.connect(make_url(wired.JupyterHub.db_url).database or "")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_roles_name_scopes_that_exist_and_give_nothing_wide(wired: Config) -> None:
    asked = {role["name"]: role["scopes"] for role in wired.JupyterHub.load_roles}
    assert asked["server"] == ["users:activity!user"]
    (portal,) = [each for each in wired.JupyterHub.services if each["name"] == "portal"]
    on_behalf = portal["oauth_client_allowed_scopes"]
    for scope in chain(on_behalf, *asked.values()):
        assert scope.partition("!")[0] in scope_definitions, scope
        assert not scope.startswith("admin"), scope
    assert all(
        "!user" in s or s == "access:services!service=portal" for s in portal["oauth_client_allowed_scopes"]
    )
    assert "portal" not in [name for role in wired.JupyterHub.load_roles for name in role.get("services", [])]


def test_the_wiring_imports_neither_edge() -> None:
    for module in (hub, login, services, settings_module):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
        }
        assert not imported & {"hub", "spawners", "environments"}


def test_the_entry_is_short() -> None:
    entry = Path(hub.__file__).parents[1] / "jupyterhub_config.py"
    assert len(entry.read_text().splitlines()) <= 25
