"""The Hub itself: addresses, database, proxy, cookies, pages. Restarting it stops nothing that runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientTimeout
from sqlalchemy import create_engine, make_url, text
from traitlets.config import Config

from config.resolver import SystemResolver
from config.settings import Settings

PORTAL = "/services/portal/"
TEMPLATES = Path(__file__).parent.parent / "hub" / "templates" / "hub"


def configure(c: Config, settings: Settings) -> None:
    """Set the traits of JupyterHub and of its proxy."""
    _addresses(c, settings)
    _database(c, settings)
    _proxy(c, settings)
    _servers(c, settings)
    _pages(c, settings)


def _addresses(c: Config, settings: Settings) -> None:
    # Listens on both networks; proxy, portal and the servers find it by its name there.
    # (A whole URL: with hub_ip, the Hub would listen on what hub_connect_url resolves to, and at this
    # moment the Swarm does not give its own name yet.)
    c.JupyterHub.hub_bind_url = f"http://0.0.0.0:{urlsplit(settings.hub_url).port or 80}"
    c.JupyterHub.hub_connect_url = settings.hub_url
    c.JupyterHub.default_url = PORTAL
    c.JupyterHub.authenticate_prometheus = True


def _database(c: Config, settings: Settings) -> None:
    c.JupyterHub.db_url = settings.hub_database_url
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_secret = bytes.fromhex(settings.secret("cookie_secret"))
    url = make_url(settings.hub_database_url)
    if url.get_backend_name() == "postgresql":
        _make_schema(settings)
    elif url.database:
        _write_ahead(url.database)


def _write_ahead(path: str) -> None:
    """Have SQLite append to a log instead of rewriting pages twice.

    The Hub commits a dozen times per start, in its event loop: 5 ms each on a plain disk, less than
    half a millisecond so, and nothing that was committed is lost. The mode stays with the file. What a
    killed Hub left in the log is written back first, because the Hub copies the one file before an upgrade.
    """
    with closing(sqlite3.connect(path, timeout=30)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _make_schema(settings: Settings) -> None:
    """The Hub makes its tables, not the schema they stand in."""
    engine = create_engine(settings.hub_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS hub"))
    engine.dispose()


def _proxy(c: Config, settings: Settings) -> None:
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = settings.proxy_api_url
    c.ConfigurableHTTPProxy.auth_token = settings.secret("proxy_token")
    c.Proxy.extra_routes = {"/join/": settings.portal_url}
    c.JupyterHub.cleanup_proxy = False
    # A part that was replaced has another address. Its old one answers nothing at all, not even a refusal,
    # so a connection to it would hang for two minutes, and with it every route the Hub has to write.
    c.JupyterHubHTTPClient.connector_options = {"use_dns_cache": False, "resolver": SystemResolver()}
    c.JupyterHubHTTPClient.session_options = {"timeout": ClientTimeout(total=30, sock_connect=2)}


def _servers(c: Config, settings: Settings) -> None:
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.redirect_to_server = False
    # Who may run how many is decided in the domain; this bounds the rows one person can make here.
    c.JupyterHub.named_server_limit_per_user = 200
    # The spawner queues; the Hub's own answer would be an error page.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.active_server_limit = 0
    c.JupyterHub.last_activity_interval = settings.activity_interval
    c.JupyterHub.activity_resolution = settings.activity_interval // 2


def _pages(c: Config, settings: Settings) -> None:
    c.JupyterHub.template_paths = [str(TEMPLATES)]
    c.JupyterHub.jinja_environment_options = {
        "extensions": ["hub.login.pages.Words", "hub.login.pages.Strict"]
    }
    c.JupyterHub.template_vars = {
        "site_name": settings.site_name,
        "support_contact": settings.support_contact,
        "self_registration": settings.self_registration,
        "portal_url": PORTAL,
    }
    c.JupyterHub.cookie_max_age_days = 7
    c.JupyterHub.tornado_settings = {
        # An answer at once: our own page shows the rest.
        "slow_spawn_timeout": 0,
        "compress_response": True,
        # No expiry: a cookie ends with the browser, because class rooms share their machines.
        "cookie_options": {"samesite": "Lax", "expires_days": None}
        | ({"secure": True} if settings.https else {}),
        "headers": {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"},
    }
