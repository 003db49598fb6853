"""A real Hub and a real proxy on loopback, wired by config/, with servers that are small local processes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from config.settings import Settings
from environments import Actor, Role, Store, accounts
from tests.support.forms import Form, forms_of

ROOT = Path(__file__).parents[3]
PROXY = shutil.which("configurable-http-proxy")
ROOT_ACTOR = Actor("root", Role.ADMIN)

# The wiring under test, with a local process where production has a container.
CONFIG = """
import os, sys
from config import hub, login, services
from config.settings import Settings
c = get_config()
settings = Settings.from_environ(os.environ)
for part in (hub, login, services):
    part.configure(c, settings)
c.JupyterHub.hub_ip = "127.0.0.1"
c.PaillasseAuthenticator.auth_refresh_age = 1
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [sys.executable, "-m", "tests.hub.login.tiny_server"]
c.Spawner.env_keep = ["PATH", "PYTHONPATH"]
c.Spawner.environment = {"PYTHONPATH": os.environ["PYTHONPATH"]}
c.SimpleLocalProcessSpawner.home_dir_template = os.environ["LIVE_HOMES"] + "/{username}"
"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass
class LiveHub:
    """Addresses of a Hub that runs, and the store behind it."""

    base: Path
    environ: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        public, api, hub, portal = free_ports(4)
        self.url, self.portal_port = f"http://127.0.0.1:{public}", portal
        self.api_url = f"http://127.0.0.1:{hub}/hub/api"
        self.data, self.secrets = self.base / "data", self.base / "secrets"
        for folder in (self.data, self.secrets, self.base / "homes"):
            folder.mkdir()
        for name in (
            "proxy_token",
            "portal_token",
            "worker_token",
            "keeper_token",
            "cookie_secret",
            "crypt_key",
        ):
            (self.secrets / name).write_text(secrets.token_hex(32))
        self.environ |= {
            "PAILLASSE_DATA": str(self.data),
            "PAILLASSE_SECRETS": str(self.secrets),
            "PAILLASSE_PUBLIC_URL": self.url,
            "PAILLASSE_HUB_URL": f"http://127.0.0.1:{hub}",
            "PAILLASSE_PROXY_API_URL": f"http://127.0.0.1:{api}",
            "PAILLASSE_PORTAL_URL": f"http://127.0.0.1:{portal}",
            "LIVE_HOMES": str(self.base / "homes"),
        }
        self.settings = Settings.from_environ(self.environ)
        self.store = Store(self.settings.database_url)
        self.store.migrate()
        self._proxy = [
            "--ip",
            "127.0.0.1",
            "--port",
            str(public),
            "--api-ip",
            "127.0.0.1",
            "--api-port",
            str(api),
        ]

    def start(self) -> None:
        """Start proxy and Hub; raises TimeoutError with the log when they do not come up."""
        config = self.base / "jupyterhub_config.py"
        config.write_text(CONFIG)
        python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        inherited = os.environ | self.environ | {"PYTHONPATH": python_path, "NO_PROXY": "*"}
        self._run(
            [str(PROXY), *self._proxy], inherited | {"CONFIGPROXY_AUTH_TOKEN": self.secret("proxy_token")}
        )
        self._run([sys.executable, "-m", "jupyterhub", "-f", str(config)], inherited)
        self._wait()

    def stop(self) -> None:
        """End what was started here."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        self.store.dispose()

    def secret(self, name: str) -> str:
        """One of the installation's secrets."""
        return (self.secrets / name).read_text()

    def log(self) -> str:
        """All that proxy and Hub have said."""
        return (self.base / "log").read_text(errors="replace")

    def add(
        self, username: str, password: str, role: Role = Role.STUDENT, *, must_change: bool = False
    ) -> None:
        """Make an account."""
        self.store.run_sync(
            accounts.create,
            ROOT_ACTOR,
            username,
            role,
            password,
            must_change=must_change,
            now=datetime.now(UTC),
        )

    def browser(self, **headers: str) -> httpx.Client:
        """A browser without scripts; redirects are followed, the portal that is not there answers 503."""
        sent = {"Accept-Language": "en"} | headers
        return httpx.Client(
            base_url=self.url, follow_redirects=True, timeout=20, headers=sent, trust_env=False
        )

    def sign_in(
        self, browser: httpx.Client, username: str, password: str, following: str = ""
    ) -> httpx.Response:
        """Fill the sign-in form and send it."""
        page = browser.get("/hub/login", params={"next": following} if following else {})
        return submit(browser, page, username=username, password=password)

    def _run(self, command: list[str], environ: dict[str, str]) -> None:
        with (self.base / "log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(command, cwd=self.base, env=environ, stdout=log, stderr=subprocess.STDOUT)
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/hub/health", trust_env=False).status_code == 200:
                    return
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.1)
        raise TimeoutError(self.log())


def submit(browser: httpx.Client, page: httpx.Response, **values: str) -> httpx.Response:
    """Send the form of the page with these values filled in."""
    form = next(each for each in forms_of(page.text) if each.method == "post")
    return browser.post(form.action or str(page.url), data=form.values | values)


def form_with(page: httpx.Response, name: str) -> Form | None:
    """The form that has a field of this name."""
    return next((form for form in forms_of(page.text) if name in form.values), None)


def alert_of(page: httpx.Response) -> str:
    """What the page says is wrong."""
    found = re.search(r'role="alert"[^>]*>(.*?)</div>', page.text, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found[1]).strip() if found else ""
