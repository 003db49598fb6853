"""`paillasse down`: stop the platform and everyone's servers; the data stays unless it is asked to go."""

from __future__ import annotations

import json
import re
import shutil

from hub.cli.host.console import Failure, say, step
from hub.cli.host.debian import image_id
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, docker
from hub.cli.host.site import Site
from hub.cli.host.stack import SECRETS
from hub.cli.host.waiting import wait_for

PLATFORM = "paillasse/platform:latest"
DATABASES = ("paillasse.sqlite", "jupyterhub.sqlite")


def down(site: Site, *, purge: bool = False, confirmed: bool = False) -> None:
    """Stop everything of this installation, and nothing else. Raises Failure."""
    if purge and not confirmed:
        _confirm(site)
    with step(tr("Stopping people's servers")) as notes:
        servers = _servers(site)
        if servers:
            docker("service", "rm", *servers)
        notes.append(str(len(servers)))
    with step(tr("Stopping the platform's parts")):
        docker("stack", "rm", site.stack)
        if not wait_for(lambda: not _containers(site), seconds=90):
            raise Failure(
                tr("Some containers do not end."),
                tr(
                    "Look at “docker ps --filter label={label}”.",
                    label=f"com.docker.stack.namespace={site.stack}",
                ),
            )
    with step(tr("Removing networks and rules")):
        _remove_networks(site)
        _remove_rules(site)
    if purge:
        _purge(site)
    else:
        say(tr("The data is kept: “./paillasse up” finds everything again."))


def _confirm(site: Site) -> None:
    say(tr("This deletes every file, account and environment of “{stack}”, for ever.", stack=site.stack))
    try:
        typed = input(tr("Type its name to go on: "))
    except EOFError:
        typed = ""
    if typed.strip() != site.stack:
        raise Failure(
            tr("Nothing was deleted."), tr("To stop the platform and keep its data, leave out --purge.")
        )


def _labelled(site: Site, kind: str, form: str) -> list[str]:
    """Objects whose label names this installation; the engine's label filter compares whole values."""
    return docker(kind, "ls", "--filter", f"label=paillasse.stack={site.stack}", "--format", form).split()


def _servers(site: Site) -> list[str]:
    return _labelled(site, "service", "{{.ID}}")


def _containers(site: Site) -> list[str]:
    labels = (f"com.docker.stack.namespace={site.stack}", f"paillasse.stack={site.stack}")
    return [
        each for label in labels for each in docker("ps", "--quiet", "--filter", f"label={label}").split()
    ]


def _remove_networks(site: Site) -> None:
    for name in _labelled(site, "network", "{{.Name}}"):
        # The engine lets go of a network a moment after its last container has ended.
        if not wait_for(lambda name=name: _removed("network", name), seconds=30, pause=0.5):  # type: ignore[misc]
            raise Failure(
                tr("The network {name} is still in use.", name=name),
                tr("See who uses it with “docker network inspect {name}”, then try again.", name=name),
            )


def _removed(kind: str, name: str) -> bool:
    try:
        docker(kind, "rm", name)
    except CommandFailed as error:
        return "not found" in error.output or "no such" in error.output.lower()
    return True


def _remove_rules(site: Site) -> None:
    """The guard leaves its rules behind on purpose (a restart must leave no gap); here they go."""
    if image_id(PLATFORM):
        docker(
            "run", "--rm", "--network", "host", "--user", "0", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN",
            "--env", f"PAILLASSE_STACK={site.stack}", PLATFORM, "python", "-m", "spawners.guard", "--remove",
        )  # fmt: skip


def _purge(site: Site) -> None:
    with step(tr("Deleting the data")) as notes:
        _empty_data(site)
        volumes = [each for each in docker("volume", "ls", "--quiet").split() if _is_ours(site, each)]
        held = [each for each in volumes if not wait_for(lambda each=each: _removed("volume", each), 20)]  # type: ignore[misc]
        for name in SECRETS:
            _removed("secret", site.service(name))
        if held:
            raise Failure(
                tr("These volumes are still in use: {names}.", names=", ".join(held)),
                tr("Remove what uses them, then run this command again."),
            )
        shutil.rmtree(site.state, ignore_errors=True)
        notes.append(tr("{count} volumes", count=len(volumes)))


def _is_ours(site: Site, volume: str) -> bool:
    """The data volume and the homes, by their whole name: another installation's may begin like ours."""
    return volume == site.object("data") or bool(
        re.fullmatch(rf"{re.escape(site.stack)}-home-[a-z2-7]{{12}}", volume)
    )


def _empty_data(site: Site) -> None:
    """A volume over the operator's own directory goes without what is in it: take our databases out of it."""
    volume = site.object("data")
    try:
        facts = json.loads(docker("volume", "inspect", volume))[0]
    except CommandFailed:
        return
    if (facts["Options"] or {}).get("device") and image_id(PLATFORM):
        files = " ".join(f"/d/{name} /d/{name}-wal /d/{name}-shm" for name in DATABASES)
        docker(
            "run", "--rm", "--network", "none", "--user", "0",
            "--mount", f"type=volume,source={volume},target=/d", PLATFORM, "sh", "-c", f"rm -f {files}",
        )  # fmt: skip
