"""A throw-away PostgreSQL of the tests' own, where its binaries are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """The directory of the newest PostgreSQL server here; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def cluster(bin_directory: Path) -> Iterator[str]:
    """A running server on a socket of its own; yields the URL of its database. PostgreSQL refuses root."""
    user = _somebody() if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="paillasse-pg-"))
    data = directory / "data"
    control = [str(bin_directory / "pg_ctl"), "--pgdata", str(data), "--wait", "--silent"]
    try:
        if user is not None:
            shutil.chown(directory, user)
        _run([str(bin_directory / "initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-N"], user)
        options = f"-c listen_addresses='' -c unix_socket_directories={directory} -c fsync=off"
        _run([*control, "--log", str(directory / "log"), "--options", options, "start"], user)
        try:
            yield f"postgresql://tests@/postgres?host={directory}"
        finally:
            _run([*control, "--mode", "immediate", "stop"], user)
    finally:
        shutil.rmtree(directory)


def _somebody() -> str:
    """Somebody who is not root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(command: list[str], user: str | None) -> None:
    # The server inherits our descriptors unless told otherwise, and a pipe would then never end.
    done = subprocess.run(
        command,
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command[0]} failed with {done.returncode}"
