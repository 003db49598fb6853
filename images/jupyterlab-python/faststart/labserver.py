"""JupyterHub's server extension, answering first and talking to the Hub afterwards."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyterhub._version import __version__, _check_version
from jupyterhub.singleuser.extension import JupyterHubSingleUser
from tornado.httpclient import HTTPClientError

from faststart import hubclient

VERSION_CHECK_AFTER = 5.0
"""Seconds between the first answer and the comparison of versions, which only ever logs a warning."""

ACTIVITY_AFTER = (5.0, 15.0)
"""Seconds until the first report of activity: a spread, because a class starts its servers together."""


class LabServer(JupyterHubSingleUser):
    """The extension that protects a student's server with the Hub's log-in."""

    _version_check: asyncio.Task[None] | None = None

    async def check_hub_version(self) -> None:
        """Plan the check instead of waiting for a Hub that may be starting twenty servers.

        The parent runs this to its end before it listens.
        """
        self._version_check = asyncio.ensure_future(self._check_hub_version_later())

    async def _check_hub_version_later(self) -> None:
        """Compare once, and never mind a Hub that is away: the parent would end the server over it."""
        await asyncio.sleep(VERSION_CHECK_AFTER)
        try:
            reply = await hubclient.fetch(self.hub_auth.api_url, **self.hub_http_client_opts)
        except (OSError, HTTPClientError) as error:
            self.log.warning("The Hub's version is not known: %s", error)
        else:
            _check_version(reply.headers.get("X-JupyterHub-Version"), __version__, self.log)

    async def keep_activity_updated(self) -> None:
        """Report activity as the parent does, but not while the first page loads."""
        await asyncio.sleep(random.uniform(*ACTIVITY_AFTER))  # noqa: S311 – a spread, not a secret
        await super().keep_activity_updated()

    async def stop_extension(self) -> Any:
        if self._version_check:
            self._version_check.cancel()
        await super().stop_extension()


def prepare(arguments: list[str]) -> ServerApp:
    """A server bound to its port, for the Hub that started this container."""
    return LabServer.initialize_server(argv=arguments)
