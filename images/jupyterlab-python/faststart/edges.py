"""The modules a student's server imports at start and does not need to answer.

Each line says who imports the module and how often it is really used. What comes after a module is
what its importer takes from it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from tornado.web import RequestHandler

from faststart import deferred, hubclient

Table = Mapping[str, Mapping[str, object]]
"""Module → the names its importers take from it at once."""


class HealthCheckHandler(RequestHandler):
    """Stand for the Hub's own handler, which `jupyterhub.log` knows only to log it more quietly."""


class SQLAlchemyError(Exception):
    """Stand for the error the Hub's database raises; a student's server has no database."""


def has_scheme(text: str, rule: str = "URI") -> bool:
    """Stand for the full grammar of RFC 3986, whose expressions take longer to compile than to ever use."""
    return rule == "URI_reference" or bool(urlsplit(text).scheme)


def _late(module: str, name: str) -> Callable[..., Any]:
    """A function or class that is fetched from its module when it is called."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(deferred.load(import_module(module)), name)(*args, **kwargs)

    return call


# fmt: off
HUB: Table = {
    # jupyterhub.log and jupyterhub.scopes pull in the Hub's handlers and its database: 0.4 s of the 1.0 s.
    "jupyterhub.handlers": {},
    "jupyterhub.handlers.pages": {"HealthCheckHandler": HealthCheckHandler},
    "jupyterhub.metrics": {
        "prometheus_log_method": _late("jupyter_server.prometheus.log_functions", "prometheus_log_method")
    },
    "jupyterhub.orm": {},
    "jupyterhub.roles": {},
    "sqlalchemy": {},
    "sqlalchemy.exc": {"SQLAlchemyError": SQLAlchemyError},
    # jupyterhub.httpclient and jupyterhub.utils: an HTTP client with its own DNS library and CA bundle.
    "aiohttp": {},
    "jupyterhub.httpclient": {"fetch": hubclient.fetch},
}

LAB: Table = {
    # jupyterlab_server: fetches lists of blocked extensions, where a site has configured such lists.
    "requests": {},
    # jupyterlab.extensions: the manager that installs extensions from PyPI, which the image turns off.
    "jupyterlab.extensions.pypi": {
        "PyPIExtensionManager": _late("jupyterlab.extensions.pypi", "PyPIExtensionManager")
    },
    # jsonschema: checks of formats. Only addresses occur, as names of the server's own event schemas.
    "isoduration": {"DurationParsingException": ValueError},
    "rfc3986_validator": {"validate_rfc3986": has_scheme},
    "uri_template": {},
    "webcolors": {},
}
# fmt: on
