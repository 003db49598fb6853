"""A real JupyterHub for the mixin over local processes: its own process, no proxy, a dummy login."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import httpx
from jupyterhub.proxy import Proxy

from spawners.local import PAGE
from tests.spawners.support import CEILINGS, STACK, School

TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = """
from tests.spawners.hubside import NoProxy
c.JupyterHub.spawner_class = "spawners.local.LocalEnvironmentSpawner"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_port = {port}
c.JupyterHub.port = {public}
c.JupyterHub.db_url = "sqlite:///{directory}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{directory}/cookie"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.cleanup_servers = False
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.JupyterHub.services = [{{"name": "test", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "test", "services": ["test"],
      "scopes": ["admin:users", "servers", "read:servers", "admin:servers"]}}
]
c.Authenticator.allow_all = True
c.EnvironmentMixin.stack = "{stack}"
c.EnvironmentMixin.database_url = "{database}"
c.EnvironmentMixin.ceilings = {ceilings!r}
c.LocalEnvironmentSpawner.home_dir_template = "{directory}/home"
c.LocalEnvironmentSpawner.poll_interval = 1
c.LocalEnvironmentSpawner.interrupt_timeout = 1
c.LocalEnvironmentSpawner.term_timeout = 1
c.LocalEnvironmentSpawner.kill_timeout = 1
c.LocalEnvironmentSpawner.program = {program!r}
"""
# An environment called `silent` never answers.
SILENT_OR_PAGE = 'case $JUPYTERHUB_SERVER_NAME in silent) exec sleep 600;; *) exec "$0" -S -c "$1";; esac'


class NoProxy(Proxy):
    """Remembers routes and sends nobody anywhere: the tests talk to the Hub and to servers directly."""

    should_start = False
    routes: ClassVar[dict[str, Any]] = {}

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, Any]:
        return dict(self.routes)


class Hub:
    """Start it, talk to it, kill it, start it again."""

    def __init__(self, directory: Path, school: School) -> None:
        self._port, public = free_port(), free_port()
        self._directory = directory
        self._config = directory / "jupyterhub_config.py"
        self._config.write_text(
            CONFIG.format(
                port=self._port,
                public=public,
                directory=directory,
                token=TOKEN,
                stack=STACK,
                database=school.url,
                ceilings=CEILINGS,
                program=["sh", "-c", SILENT_OR_PAGE, sys.executable, PAGE],
            )
        )
        self.url = f"http://127.0.0.1:{self._port}/hub"
        headers = {"Authorization": f"token {TOKEN}"}
        self.api = httpx.Client(base_url=f"{self.url}/api", headers=headers, timeout=20)

    def start(self) -> None:
        """Return when it answers."""
        log = (self._directory / "hub.log").open("ab")
        command = [sys.executable, "-m", "jupyterhub", "-f", str(self._config)]
        environ = {**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, cwd=self._directory)
        log.close()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.api.get("/").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"the Hub does not answer:\n{self.log()}")

    def log(self) -> str:
        """What it said."""
        return (self._directory / "hub.log").read_text()

    def kill(self) -> None:
        """As the kernel would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def server(self, name: str = "python-intro") -> dict[str, Any]:
        """The Hub's model of ada's server; empty when there is none."""
        servers: dict[str, Any] = self.api.get("/users/ada").json()["servers"]
        return dict(servers.get(name, {}))

    def start_server(self, name: str = "python-intro", **options: Any) -> httpx.Response:
        """Ask for a start as the portal does."""
        return self.api.post(f"/users/ada/servers/{name}", json=options)

    def until_ready(self, name: str = "python-intro") -> None:
        """Return when the Hub calls the server ready."""
        deadline = time.monotonic() + 30
        while not self.server(name).get("ready"):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def until_stopped(self, name: str = "python-intro") -> None:
        """Return when the Hub knows of no such server."""
        deadline = time.monotonic() + 30
        while self.server(name):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def browser(self) -> httpx.Client:
        """Ada's browser, signed in."""
        client = httpx.Client(follow_redirects=True, timeout=20)
        client.get(f"{self.url}/login")
        form = {"username": "ada", "password": "x", "_xsrf": client.cookies["_xsrf"]}
        client.post(f"{self.url}/login", data=form, follow_redirects=False)
        return client


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
