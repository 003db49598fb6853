"""The wait between deploying and being up: which part is not there yet, and which never will be."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.cli.host.console import Failure, say, step
from hub.cli.host.images import Built
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, docker
from hub.cli.host.site import Site
from hub.cli.host.stack import PARTS

# What must answer, through the proxy, before the platform counts as up.
HEALTH = ("/_chp_healthz", "/hub/health", "/services/portal/health")
TOO_OFTEN = 4  # a part that waits for another may die once or twice before that one is there


@dataclass(frozen=True)
class Task:
    """One run of one part, in the Swarm's own words."""

    id: str
    part: str
    image: str
    desired: str
    state: str
    error: str

    @property
    def wanted(self) -> bool:
        return self.desired in ("Running", "Ready")

    @property
    def running(self) -> bool:
        return self.state.startswith("Running")

    @property
    def dead(self) -> bool:
        return self.state.startswith(("Failed", "Rejected"))


class Deaths:
    """Counts the deaths since it was made; the Swarm remembers only the last one or few of each part."""

    def __init__(self, before: Sequence[Task]) -> None:
        self._before = {task.id for task in before if task.dead}
        self._seen: dict[str, set[str]] = {part: set() for part in PARTS}

    def beyond_hope(self, there: Sequence[Task]) -> list[Task]:
        """The dead of the parts that died too often to come up by waiting."""
        dead = [task for task in there if task.dead and task.id not in self._before and task.part in PARTS]
        for task in dead:
            self._seen[task.part].add(task.id)
        return [task for task in dead if len(self._seen[task.part]) >= TOO_OFTEN]


def tasks(site: Site) -> list[Task]:
    """The runs of all parts, the newest of each part first; empty while there is no stack."""
    try:
        lines = docker("stack", "ps", site.stack, "--no-trunc", "--format", "{{json .}}").splitlines()
    except CommandFailed:
        return []
    found = [json.loads(line) for line in lines]
    return [
        Task(
            id=each["ID"],
            part=each["Name"].removeprefix(f"{site.stack}_").partition(".")[0],
            image=each["Image"],
            desired=each["DesiredState"],
            state=each["CurrentState"],
            error=each["Error"],
        )
        for each in found
    ]


def wait_until_up(site: Site, built: Built, url: str, seconds: float = 180) -> None:
    """Wait until every part runs its present version and the three doors answer. Raises Failure."""
    with step(tr("Waiting for the platform to answer")):
        deaths = Deaths(tasks(site))
        deadline = time.monotonic() + seconds
        fewest = len(PARTS) + 1
        while lacking := _lacking(site, built, url, deaths):
            if len(lacking) < fewest:
                say("  … " + ", ".join(lacking))
                fewest = len(lacking)
            if time.monotonic() > deadline:
                raise _too_late(site, lacking)
            time.sleep(0.3)


def _lacking(site: Site, built: Built, url: str, deaths: Deaths) -> list[str]:
    there = tasks(site)
    for dead in deaths.beyond_hope(there):
        raise Failure(
            tr("The part “{part}” ends as soon as it starts.", part=dead.part),
            tr("Its last words are above; settings are explained in config/.env.example."),
            f"{dead.error}\n{_log(site.service(dead.part))}",
        )
    parts = [part for part in PARTS if not _runs(part, there, {built.platform, built.proxy})]
    return parts or [path for path in HEALTH if not answers(url + path)]


def _too_late(site: Site, lacking: Sequence[str]) -> Failure:
    part = lacking[0] if lacking[0] in PARTS else "hub"
    return Failure(
        tr("These do not answer: {names}.", names=", ".join(lacking)),
        tr(
            "“./paillasse doctor” may name the cause; “docker service logs {service}” has the rest.",
            service=site.service(part),
        ),
        "\n".join(f"{task.part}: {task.state} {task.error}" for task in tasks(site)),
    )


def _runs(part: str, there: Sequence[Task], images: set[str]) -> bool:
    wanted = [task for task in there if task.part == part and task.wanted]
    return bool(wanted) and all(task.running and task.image in images for task in wanted)


def _log(service: str) -> str:
    """The last lines of a part; its standard error comes on the client's standard error."""
    done = subprocess.run(
        ["docker", "service", "logs", "--raw", "--tail", "15", service],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False,
    )  # fmt: skip
    return done.stdout.decode(errors="replace")


def answers(url: str) -> bool:
    """True when a GET of the address is answered with 200 within three seconds."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError, ValueError):
        return False


def wait_for(ready: Callable[[], bool], seconds: float, pause: float = 0.2) -> bool:
    """True as soon as `ready` is, False when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
