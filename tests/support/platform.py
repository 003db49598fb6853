"""A whole platform of the tests' own, brought up by the command an operator types."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Platform:
    """Where the platform of this run is, and its first credentials."""

    stack: str
    url: str
    join_link: str
    admin: str
    admin_password: str

    def cli(
        self, *words: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run `./paillasse <words> --stack <ours>`; raises CalledProcessError when `check` and it fails."""
        return subprocess.run(
            [str(ROOT / "paillasse"), "--stack", self.stack, *words],
            input=stdin,
            check=check,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def add_person(self, prefix: str = "student", role: str = "student") -> tuple[str, str]:
        """Create an account with a password of its own; returns (name, password)."""
        name, password = f"{prefix}-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
        self.cli("user", "add", name, "--role", role, "--no-must-change", "--password-stdin", stdin=password)
        return name, password

    def add_people(self, count: int, prefix: str) -> list[tuple[str, str]]:
        """Create many student accounts at once; returns (name, password) pairs."""
        run = secrets.token_hex(3)
        people = [(f"{prefix}-{run}-{number}", secrets.token_urlsafe(12)) for number in range(count)]
        lines = [
            "username,display_name,role,password",
            *(f"{name},{name},student,{word}" for name, word in people),
        ]
        self.cli("user", "import", "-", "--no-must-change", stdin="\n".join(lines))
        return people

    def apply(self, yaml: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Apply an environment given as YAML text."""
        return self.cli("env", "apply", "-", stdin=yaml, check=check)

    def link(self, slug: str, *options: str) -> str:
        """A new join link for an environment."""
        made = self.cli("env", "link", slug, "--json", *options)
        return str(json.loads(made.stdout)["url"])

    def containers(self, *filters: str) -> list[str]:
        """Ids of the running containers that match the given engine filters."""
        words = [word for each in filters for word in ("--filter", each)]
        return docker("ps", "-q", "--no-trunc", *words).split()

    def part(self, name: str) -> str:
        """The running container of one of the platform's own parts (hub, proxy, portal, worker, keeper)."""
        (container,) = self.containers(f"label=com.docker.swarm.service.name={self.stack}_{name}")
        return container

    def servers(self) -> list[str]:
        """The running containers of people's servers."""
        return self.containers(f"label=paillasse.stack={self.stack}", "label=paillasse.launch")


def docker(*words: str, check: bool = True, timeout: float = 120) -> str:
    """The engine's own client; returns what it printed."""
    done = subprocess.run(["docker", *words], check=check, capture_output=True, text=True, timeout=timeout)
    return done.stdout.strip()


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_platform(directory: Path, *options: str) -> Iterator[Platform]:
    """Bring a platform up, and take it away with all its data afterwards.

    `PAILLASSE_TEST_PLATFORM` may name the JSON file of a platform that is already up: it is then
    used as it is and left alone, which makes working on one test quick.
    """
    given = os.environ.get("PAILLASSE_TEST_PLATFORM")
    if given:
        yield read_report(Path(given))
        return
    stack = f"pt{secrets.token_hex(3)}"
    report = directory / "up.json"
    command = [str(ROOT / "paillasse"), "--stack", stack]
    try:
        up = subprocess.run(
            [
                *command,
                "up",
                "--port",
                str(free_port()),
                "--bind",
                "127.0.0.1",
                "--json",
                str(report),
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=1500,
            # Short, so that a port that never answers does not hold the run; long for a burst's last one.
            env={"PAILLASSE_START_TIMEOUT": "45", **os.environ},
        )
        assert up.returncode == 0, f"paillasse up failed:\n{up.stdout}\n{up.stderr}"
        yield read_report(report)
    finally:
        subprocess.run([*command, "down", "--purge", "--yes"], capture_output=True, timeout=300)


def read_report(report: Path) -> Platform:
    """The platform that `./paillasse up --json REPORT` brought up."""
    facts = json.loads(report.read_text())
    admin = facts["admin"] or {"username": "", "password": ""}
    return Platform(
        stack=facts["stack"],
        url=facts["url"],
        join_link=facts["join_link"],
        admin=admin["username"],
        admin_password=admin["password"],
    )
