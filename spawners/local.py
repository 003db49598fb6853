"""LocalEnvironmentSpawner: the same gate and the same story over a process of this machine.

For fast tests without an engine; it isolates nobody and is never what a person is given.
"""

from __future__ import annotations

import sys
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import List, Unicode

from environments import LaunchSpec
from spawners import answer
from spawners.environment import EnvironmentMixin
from spawners.steps import Steps

PAGE = """
import os, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = ("Hello from " + os.environ["JUPYTERHUB_SERVER_NAME"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
url = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
ThreadingHTTPServer((url.hostname, url.port), Page).serve_forever()
"""


class LocalEnvironmentSpawner(EnvironmentMixin, SimpleLocalProcessSpawner):
    """Starts environments as processes of the Hub's own account."""

    program = List(
        Unicode(),
        [sys.executable, "-S", "-c", PAGE],
        config=True,
        help="What runs in place of an image; it finds its address in JUPYTERHUB_SERVICE_URL.",
    )

    def wear(self, launch: LaunchSpec) -> None:
        """A free port and our own program instead of the image's."""
        super().wear(launch)
        self.port = 0
        self.cmd = self.program
        self.notebook_dir = ""

    async def bring_up(self, launch: LaunchSpec, steps: Steps) -> str:
        """Start the process and wait until it answers."""
        steps.advance("starting")
        host, port = await super(EnvironmentMixin, self).start()
        steps.advance("opening")
        await answer.wait(host, port, f"{self.server.base_url}api")
        return f"{host}:{port}"

    def tear_down(self, launch_id: str) -> None:
        """The Hub stops the process: it still polls as running."""

    async def stop(self, now: bool = False) -> None:
        """Stop the process."""
        launch_id, self.launch_id = self.launch_id, ""
        await super().stop(now)
        if launch_id:
            self.journal.ended(launch_id, "stopped-by-user")
            await self.journal.written()

    async def poll(self) -> int | None:
        """None while the process runs."""
        status: int | None = await super().poll()
        if status is not None and self.launch_id and not self._starting:
            launch_id, self.launch_id = self.launch_id, ""
            await self.store()
            self.journal.ended(launch_id, "stopped-by-user" if status == 0 else "crashed")
        return status

    def get_state(self) -> dict[str, Any]:
        """The process's and ours."""
        return {**super().get_state(), "launch_id": self.launch_id}

    def load_state(self, state: dict[str, Any]) -> None:
        """Called when the Hub comes back."""
        super().load_state(state)
        self.launch_id = state.get("launch_id", "")
