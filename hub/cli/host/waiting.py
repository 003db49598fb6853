"""The wait between deploying and being up: which part is not there yet, and which never will be."""

from __future__ import annotations

import json
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
DEATHS = 4  # a part that died so often within a minute will not come up by waiting


@dataclass(frozen=True)
class Task:
    """One run of one part, in the Swarm's own words."""

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
    def died_lately(self) -> bool:
        lately = "second" in self.state or "about a minute" in self.state.lower()
        return self.state.startswith(("Failed", "Rejected")) and lately


def tasks(site: Site) -> list[Task]:
    """The runs of all parts, the newest of each part first; empty while there is no stack."""
    try:
        lines = docker("stack", "ps", site.stack, "--no-trunc", "--format", "{{json .}}").splitlines()
    except CommandFailed:
        return []
    found = [json.loads(line) for line in lines]
    return [
        Task(
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
        deadline = time.monotonic() + seconds
        told: list[str] = []
        while lacking := _lacking(site, built, url):
            if lacking != told:
                say("  … " + ", ".join(lacking))
                told = lacking
            if time.monotonic() > deadline:
                raise Failure(
                    tr("These do not answer: {names}.", names=", ".join(lacking)),
                    tr("“./paillasse doctor” may name the cause; “docker service logs {service}” has the rest.",
                       service=site.service(lacking[0] if lacking[0] in PARTS else "hub")),
                    "\n".join(f"{task.part}: {task.state} {task.error}" for task in tasks(site)),
                )  # fmt: skip
            time.sleep(0.3)


def _lacking(site: Site, built: Built, url: str) -> list[str]:
    there = tasks(site)
    _refuse_repeated_deaths(site, there)
    parts = [part for part in PARTS if not _runs(part, there, {built.platform, built.proxy})]
    return parts or [path for path in HEALTH if not answers(url + path)]


def _runs(part: str, there: Sequence[Task], images: set[str]) -> bool:
    wanted = [task for task in there if task.part == part and task.wanted]
    return bool(wanted) and all(task.running and task.image in images for task in wanted)


def _refuse_repeated_deaths(site: Site, there: Sequence[Task]) -> None:
    for part in PARTS:
        dead = [task for task in there if task.part == part and task.died_lately]
        if len(dead) >= DEATHS:
            raise Failure(
                tr("The part “{part}” ends as soon as it starts.", part=part),
                tr("Its last words are above; settings are explained in config/.env.example."),
                f"{dead[0].error}\n{_log(site, part)}",
            )


def _log(site: Site, part: str) -> str:
    try:
        return docker("service", "logs", "--raw", "--tail", "15", site.service(part), timeout=20)
    except CommandFailed as error:
        return error.output


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
