"""A Debian to build on: the operator's image, the registry's, or one made on the spot from packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hub.cli.host.console import Failure, step
from hub.cli.host.messages import tr
from hub.cli.host.shell import ROOT, CommandFailed, apt_install, docker, is_root, succeeds

SUITE = "bookworm"
OFFICIAL = f"debian:{SUITE}-slim"
MADE = f"paillasse/debian:{SUITE}"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")  # Ubuntu does not trust it by itself
PATIENCE = 60  # seconds for the registry: where a firewall swallows packets, none ever answers


def image() -> str:
    """The image's name. Raises Failure when there is no way to one."""
    given = os.environ.get("PAILLASSE_DEBIAN_IMAGE")
    if given:
        return given
    if succeeds("docker", "pull", "--quiet", OFFICIAL, timeout=PATIENCE) or image_id(OFFICIAL):
        return OFFICIAL
    if not image_id(MADE):
        with step(tr("No registry answers: making Debian from its packages")):
            _make()
    return MADE


def forget(*more: str) -> None:
    """The next build begins with today's packages."""
    succeeds("docker", "rmi", "--force", MADE, *more)


def image_id(tag: str) -> str:
    """The id of a local image, empty when there is none."""
    try:
        return docker("image", "inspect", tag, "--format", "{{.Id}}")
    except CommandFailed:
        return ""


def _make() -> None:
    try:
        if not shutil.which("mmdebstrap") or not KEYRING.exists():
            apt_install("mmdebstrap", "debian-archive-keyring")
        docker("tag", _import_bootstrapped(), MADE)
    except CommandFailed as error:
        raise Failure(
            tr("Debian could not be made from its packages."),
            tr(
                "Check that Debian's package mirror is reachable, or name an image in PAILLASSE_DEBIAN_IMAGE."
            ),
            error.output,
        ) from error


def _import_bootstrapped() -> str:
    """The id of the new image. The engine takes half a system without a word, so it gets its name later."""
    # In a mount name space of its own: run by root, newer ones make the machine's own mounts private,
    # and the guard would lose sight of the engine's networks.
    words = [
        *(("unshare", "--mount") if is_root() else ()),
        "mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", f"--keyring={KEYRING}",
        f"--customize-hook={ROOT / 'images/base/slim'}", SUITE, "-",
    ]  # fmt: skip
    # In memory where there is some: unpacking is thousands of small files.
    memory = {"TMPDIR": "/dev/shm"} if is_root() and os.access("/dev/shm", os.W_OK) else {}  # noqa: S108
    with tempfile.TemporaryFile() as said:
        maker = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, env={**os.environ, **memory})
        taker = subprocess.run(
            ["docker", "import", "-"], stdin=maker.stdout, stdout=subprocess.PIPE, stderr=said, check=False
        )
        if maker.stdout:
            maker.stdout.close()
        made = taker.stdout.decode().strip()
        if maker.wait() or taker.returncode:
            succeeds("docker", "rmi", made)
            said.seek(0)
            raise CommandFailed(words, said.read().decode(errors="replace"))
    return made
