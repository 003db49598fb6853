"""Home volumes: how they are mounted, and when they are free. Pure; a home has one writer at a time.

Mends SwarmSpawner: it mounts a named volume as a bind with a relative source, so nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spawners import task_state

LABEL_STACK = "paillasse.stack"
LABEL_LAUNCH = "paillasse.launch"
LABEL_PERSON = "paillasse.person"
LABEL_ENVIRONMENT = "paillasse.environment"
LABEL_SLUG = "paillasse.slug"
LABEL_HOME = "paillasse.home"


@dataclass(frozen=True, slots=True)
class Driver:
    """How the site keeps homes: a volume driver and its options (`local`, NFS through `local`, a plugin)."""

    name: str = "local"
    options: Mapping[str, str] | None = None


def home_mount(volume: str, path: str, driver: Driver, labels: Mapping[str, str]) -> dict[str, Any]:
    """The mount of a home. The engine makes the volume on the node at first use, filled from the image."""
    config: dict[str, Any] = {"Name": driver.name}
    if driver.options:
        config["Options"] = {key: value.replace("{volume}", volume) for key, value in driver.options.items()}
    return {
        "Type": "volume",
        "Source": volume,
        "Target": path,
        "ReadOnly": False,
        "VolumeOptions": {"Labels": dict(labels), "DriverConfig": config},
    }


def operator_mount(source: str, target: str, *, read_only: bool, driver: Driver) -> dict[str, Any]:
    """A volume the operator gives to every server: an absolute path is a bind, a name is a volume."""
    if source.startswith("/"):
        return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}
    return {**home_mount(source, target, driver, {}), "ReadOnly": read_only}


def shm_mount(size: int) -> dict[str, Any]:
    """Shared memory of `size` bytes: a Swarm service has no option for it, the default is 64 MB."""
    return {
        "Type": "tmpfs",
        "Target": "/dev/shm",  # noqa: S108 - this is the shared memory itself
        "TmpfsOptions": {"SizeBytes": size, "Mode": 0o1777},
    }


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Who stands in the way of a start: services to remove first, or another environment's server."""

    leftovers: tuple[str, ...] = ()
    busy_with: str = ""


def occupancy(
    services: Iterable[Mapping[str, Any]], *, person: str, environment: str, home: str | None, launch: str
) -> Occupancy:
    """Read the person's services: a trace of this very server is a leftover, another's is not.

    The Hub only starts a server it believes stopped, so whatever runs under its name is lost to people.
    """
    leftovers: list[str] = []
    busy_with = ""
    for service in services:
        marks = (service.get("Spec") or {}).get("Labels") or {}
        if marks.get(LABEL_PERSON) != person or marks.get(LABEL_LAUNCH) == launch:
            continue
        if marks.get(LABEL_ENVIRONMENT) == environment:
            leftovers.append(str(marks.get(LABEL_LAUNCH, "")))
        elif home and marks.get(LABEL_HOME) == home:
            busy_with = str(marks.get(LABEL_SLUG, ""))
    return Occupancy(tuple(leftovers), busy_with)


def writers(tasks: Iterable[task_state.Task], home: str) -> int:
    """How many containers may still write to `home`; compared for equality, labels are ours."""
    return sum(
        1 for task in tasks if task_state.labels(task).get(LABEL_HOME) == home and task_state.holds_home(task)
    )
