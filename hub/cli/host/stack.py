"""The platform's parts on the Swarm: their secrets, their data, their deployment."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from hub.cli.host.console import Failure, step
from hub.cli.host.engine import is_local
from hub.cli.host.images import Built
from hub.cli.host.messages import tr
from hub.cli.host.shell import ROOT, CommandFailed, docker
from hub.cli.host.site import Options, Site

FILE = ROOT / "config/stack.yml"
PARTS = ("proxy", "hub", "portal", "worker", "keeper", "guard")
SECRETS = ("proxy_token", "portal_token", "worker_token", "keeper_token", "cookie_secret", "crypt_key")
DATA_OWNER = "10001:10001"  # the user of images/platform


def ensure_secrets(site: Site) -> None:
    """Make the secrets that are missing; the Swarm keeps them, nobody reads them again but the parts."""
    with step(tr("Secrets")):
        there = docker("secret", "ls", "--format", "{{.Name}}").split()
        for name in SECRETS:
            full = site.service(name)
            if full not in there:
                label = f"paillasse.stack={site.stack}"
                docker("secret", "create", "--label", label, full, "-", stdin=secrets.token_hex(32))


def ensure_data(site: Site, directory: str, built: Built) -> bool:
    """Make the data volume, over the operator's directory when one is named.

    Returns True when it is new. Raises Failure.
    """
    volume = site.object("data")
    with step(tr("Data")) as notes:
        if volume in docker("volume", "ls", "-q").split():
            notes.append(_where(volume, directory))
            return False
        if directory:
            Path(directory).mkdir(parents=True, exist_ok=True, mode=0o750)
        pairs = ("type=none", "o=bind", f"device={directory}") if directory else ()
        options = [word for pair in pairs for word in ("--opt", pair)]
        docker("volume", "create", "--label", f"paillasse.stack={site.stack}", *options, volume)
        in_platform(site, built, "chown", DATA_OWNER, "/srv/paillasse/data", user="0")
        notes.append(directory or volume)
    return True


def _where(volume: str, directory: str) -> str:
    facts = json.loads(docker("volume", "inspect", volume))[0]
    device = (facts["Options"] or {}).get("device", "")
    if directory and directory != device:
        raise Failure(
            tr("The data of this installation is in {path} already.", path=device or volume),
            tr("Leave out --data, or move the data first (docs/deployment.md)."),
        )
    return str(device or volume)


def in_platform(site: Site, built: Built, *words: str, user: str = "10001") -> str:
    """Run a command beside the data in a container of its own, gone afterwards."""
    volume = f"type=volume,source={site.object('data')},target=/srv/paillasse/data"
    return docker(
        "run", "--rm", "--network", "none", "--user", user, "--mount", volume, built.platform, *words
    )


def variables(site: Site, options: Options, built: Built, control: str) -> dict[str, str]:
    """Everything config/stack.yml asks for."""
    return {
        **site.settings(),
        "PAILLASSE_STACK": site.stack,
        "PAILLASSE_PORT": str(options.port),
        "PAILLASSE_BIND": options.bind,
        "PAILLASSE_PUBLIC_URL": public_url(options),
        "PAILLASSE_PLATFORM_IMAGE": built.platform,
        "PAILLASSE_PROXY_IMAGE": built.proxy,
        "PAILLASSE_CONTROL_SUBNET": control,
        "PAILLASSE_SOCKET_GROUP": _socket_group(site, built),
    }


def public_url(options: Options) -> str:
    """The address people type: the one given, else the bound address, else this machine's way out."""
    if options.public_url:
        return options.public_url.rstrip("/")
    host = options.bind if options.bind not in ("0.0.0.0", "::") else _own_address()  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{options.port}"


def _own_address() -> str:
    """The address this machine would use to reach the Internet; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _socket_group(site: Site, built: Built) -> str:
    """The group that may talk to the engine, read where the parts will read it."""
    path = site.settings().get("PAILLASSE_DOCKER_SOCKET") or "/var/run/docker.sock"
    mount = f"type=bind,source={path},target=/var/run/docker.sock"
    return docker(
        "run", "--rm", "--network", "none", "--mount", mount, built.platform,
        "stat", "-c", "%g", "/var/run/docker.sock",
    )  # fmt: skip


def local_url(options: Options) -> str:
    """Where this machine itself reaches the platform; the public address may belong to a proxy in front."""
    if not is_local():
        return public_url(options)
    wide = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
    host = wide.get(options.bind) or (f"[{options.bind}]" if ":" in options.bind else options.bind)
    return f"http://{host}:{options.port}"


def deploy(site: Site, environ: Mapping[str, str]) -> None:
    """Hand the stack to the Swarm, which changes only what differs. Raises Failure."""
    with step(tr("Deploying the platform's parts")):
        try:
            docker(
                "stack", "deploy", "--resolve-image", "never", "--prune",
                "--compose-file", str(FILE), site.stack, environ=environ,
            )  # fmt: skip
        except CommandFailed as error:
            raise Failure(
                tr("The Swarm refused the platform's parts."),
                tr("Read its words above; settings are explained in config/.env.example."),
                error.output,
            ) from error
