"""Other programs: run one, keep what it said, and fail with its own words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class CommandFailed(Exception):
    """A program ended badly; `output` holds its last words."""

    def __init__(self, words: Sequence[str], output: str) -> None:
        super().__init__(f"{' '.join(words[:3])}: {output.strip()[-2000:]}")
        self.words, self.output = tuple(words), output


def run(
    *words: str,
    stdin: bytes | str | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> str:
    """Standard output of a program, stripped.

    Raises CommandFailed when it fails or takes longer than `timeout` seconds.
    """
    given = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        done = subprocess.run(
            words,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env={**os.environ, **(environ or {})},
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(words, str(error)) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace") or done.stdout.decode(errors="replace")
        raise CommandFailed(words, said or f"exit code {done.returncode}")
    return done.stdout.decode(errors="replace").strip()


def succeeds(*words: str, timeout: float = 60) -> bool:
    """True when the program ends well."""
    try:
        run(*words, timeout=timeout)
    except CommandFailed:
        return False
    return True


def docker(
    *words: str,
    stdin: bytes | str | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 600,
) -> str:
    """The engine's own client, with the classic builder: it is in every Debian, BuildKit's plug-in is not."""
    variables = {"DOCKER_BUILDKIT": "0", **(environ or {})}
    return run("docker", *words, stdin=stdin, environ=variables, timeout=timeout)


def apt_install(*packages: str) -> None:
    """Install Debian packages without asking anything. Raises CommandFailed."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", environ=quiet)
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, environ=quiet, timeout=1800)


def is_root() -> bool:
    """True when this process may change the machine."""
    return os.geteuid() == 0
