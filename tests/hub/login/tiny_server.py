"""What the tests start as a person's server: it answers, and tells what it was given."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

GIVEN = {name: value for name, value in os.environ.items() if name.startswith("JUPYTERHUB_")}


class Answer(BaseHTTPRequestHandler):
    """The environment of the server, as JSON, whatever is asked."""

    def do_GET(self) -> None:
        body = json.dumps(GIVEN).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Child(HTTPServer):
    """Ends with the Hub that started it: a Hub that stops leaves its servers alone, as ours must."""

    parent = os.getppid()

    def service_actions(self) -> None:
        """Runs twice a second."""
        if os.getppid() != self.parent:
            raise SystemExit


if __name__ == "__main__":
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    Child((address.hostname or "127.0.0.1", address.port or 0), Answer).serve_forever()
