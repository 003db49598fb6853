"""`paillasse up`: from a bare machine to a join link, and in seconds when everything is there."""

from __future__ import annotations

import socket
import sys
from dataclasses import asdict
from pathlib import Path

from hub.cli.host import first_run, stack
from hub.cli.host.console import Failure, step
from hub.cli.host.engine import ensure_engine, is_local
from hub.cli.host.images import ensure_images
from hub.cli.host.messages import tr
from hub.cli.host.networks import ensure_networks
from hub.cli.host.site import Options, Site, write_private
from hub.cli.host.waiting import tasks, wait_until_up


def up(site: Site, options: Options, *, report: str = "", rebuild: bool = False) -> None:
    """Bring the platform up and say where it is; `report` names the JSON file for scripts. Raises Failure."""
    with step(tr("Checks")) as notes:
        _check(options)
        notes.append(f"{sys.platform}, Python {sys.version.split()[0]}")
    ensure_engine(options.advertise_addr)
    if not tasks(site):
        _check_port(options)
    built = ensure_images(rebuild=rebuild)
    internal = site.settings().get("PAILLASSE_CONTROL_INTERNAL", "true").lower() not in ("false", "0", "no")
    control = ensure_networks(site, internal=internal)
    stack.ensure_secrets(site)
    if stack.ensure_data(site, options.data, built):
        first_run.forget(site)
    site.remember("options.json", asdict(options))
    environ = stack.variables(site, options, built, control)
    stack.deploy(site, environ)
    wait_until_up(site, built, stack.local_url(options))
    outcome = first_run.ensure_first_run(site, environ["PAILLASSE_PUBLIC_URL"])
    if report:
        write_private(Path(report).absolute(), outcome)
    first_run.tell(outcome)


def _check(options: Options) -> None:
    if not sys.platform.startswith("linux"):
        raise Failure(
            tr("This system is not Linux."), tr("Use a Linux machine, or DOCKER_HOST from within one.")
        )
    if not 0 < options.port < 65536:
        raise Failure(
            tr("{port} is no port.", port=options.port), tr("Give --port a number from 1 to 65535.")
        )
    if options.data and not Path(options.data).is_absolute():
        raise Failure(tr("--data must be a full path."), tr("Begin it with “/”."))


def _check_port(options: Options) -> None:
    """A port that is in use shows itself in the Swarm only as a task that is rejected again and again."""
    if not is_local():
        return
    family = socket.AF_INET6 if ":" in options.bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("::" if family == socket.AF_INET6 else "", options.port))
        except OSError as error:
            raise Failure(
                tr("Port {port} is in use on this machine.", port=options.port),
                tr("Stop what uses it (ss -ltnp), or choose another with --port."),
                str(error),
            ) from error
