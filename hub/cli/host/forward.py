"""Commands about people and environments: run inside the platform, where the database is."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from hub.cli.host.console import Failure
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, docker
from hub.cli.host.site import Site

LANGUAGE = ("LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE")
# The commands whose words may name files of this machine.
READS_FILES = (("env", "validate"), ("env", "apply"), ("env", "diff"), ("user", "import"))


def portal(site: Site) -> str:
    """The newest running container of the portal. Raises Failure when the platform is down."""
    label = f"label=com.docker.swarm.service.name={site.service('portal')}"
    try:
        running = docker("ps", "--quiet", "--filter", label, "--filter", "status=running").split()
    except CommandFailed as error:
        raise Failure(
            tr("No Docker engine answers."), tr("“./paillasse doctor” says more."), error.output
        ) from error
    if not running:
        raise Failure(
            tr("The platform “{stack}” does not run.", stack=site.stack),
            tr("Start it with “./paillasse up”, or name another with --stack."),
        )
    return running[0]


def call(site: Site, *words: str, stdin: str | None = None) -> str:
    """What a command inside the platform prints. Raises CommandFailed."""
    return docker("exec", "--interactive", portal(site), "python", "-m", "hub.cli", *words, stdin=stdin)


def hand_over(site: Site, words: Sequence[str]) -> None:
    """Become that command: its input, output, exit code and signals are ours. Raises Failure."""
    container = portal(site)
    words, options = _bring_files(container, words)
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    language = [word for name in LANGUAGE if name in os.environ for word in ("--env", name)]
    command = ["docker", "exec", "--interactive", *terminal, *language, *options, container]
    os.execvp("docker", [*command, "python", "-m", "hub.cli", *words])  # noqa: S606  every word is an argument of its own


def _bring_files(container: str, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Copy the files that a command names into the container; messages keep the names the person typed."""
    if tuple(words[:2]) not in READS_FILES:
        return list(words), []
    named = [word for word in words[2:] if not word.startswith("-") and Path(word).exists()]
    if not named:
        return list(words), []
    place = f"/tmp/from-host-{os.getpid()}"  # noqa: S108  inside the container, a tmpfs of its own
    unpack = f'mkdir -p "{place}" && tar --extract --no-same-owner --directory "{place}"'
    docker("exec", "--interactive", container, "sh", "-c", unpack, stdin=pack(named))
    inside = {word: inner_name(word) for word in named}
    return [inside.get(word, word) for word in words], ["--workdir", place]


def inner_name(word: str) -> str:
    """The relative name under which a file of this machine goes inside; no step leads upwards."""
    parts = [part for part in Path(word).parts if part not in ("/", "..", ".")]
    return str(Path(*parts)) if parts else "."


def pack(names: Sequence[str]) -> bytes:
    """A tar of the named files and directories, links followed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for name in names:
            tar.add(name, arcname=inner_name(name))
    return buffer.getvalue()
