"""From a LaunchSpec to the Swarm service that runs it. Pure; every limit of a student's server is here.

Mends SwarmSpawner: restart for ever, bind mounts, no pids limit, no log cap, all capabilities, one
address too many per service (VIP). `extra_*_spec` keep their meaning: keyword arguments of the docker
package's types, which win over what is set here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docker.types import ContainerSpec, EndpointSpec, Placement, Resources, TaskTemplate

from environments import LaunchSpec
from spawners import storage

SECOND = 10**9  # the engine counts in nanoseconds
GRACE = 10 * SECOND
LOG = {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LOCALES = {"fr": "fr_FR.UTF-8", "en": "en_US.UTF-8"}
# What only the Hub may say to a server.
RESERVED = ("JUPYTERHUB_", "JPY_")


@dataclass(frozen=True, slots=True)
class Site:
    """What does not depend on who starts: the stack, the users' network, where homes are kept."""

    stack: str
    network: str
    driver: storage.Driver = field(default_factory=storage.Driver)


@dataclass(frozen=True, slots=True)
class Extras:
    """The operator's `extra_*_spec`, keyword arguments of the docker package's types, and `volumes`."""

    container: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    placement: Mapping[str, Any] = field(default_factory=dict)
    task: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    create: Mapping[str, Any] = field(default_factory=dict)
    mounts: Sequence[Mapping[str, Any]] = ()


def service_name(stack: str, launch_id: str) -> str:
    """A new name for every start: an old container never answers in a new one's place."""
    return f"{stack}-{launch_id}"


def labels(launch: LaunchSpec, stack: str) -> dict[str, str]:
    """What finds the traces of a start again; ids, compared for equality."""
    marks = {
        storage.LABEL_STACK: stack,
        storage.LABEL_LAUNCH: launch.launch_id,
        storage.LABEL_PERSON: launch.person_id,
        storage.LABEL_ENVIRONMENT: launch.environment_id,
        storage.LABEL_SLUG: launch.slug,
    }
    if launch.home_volume:
        marks[storage.LABEL_HOME] = launch.home_volume
    return marks


def environment(launch: LaunchSpec, hub: Mapping[str, str], cpus: float | None = None) -> dict[str, str]:
    """Our defaults, then the teacher's variables, then the Hub's: the later wins."""
    threads = str(max(1, math.ceil(_cpu_limit(launch, cpus))))
    locale = LOCALES.get(launch.language[:2], LOCALES["en"])
    ours = dict.fromkeys(THREAD_VARIABLES, threads) | {"LANG": locale, "LC_ALL": locale}
    theirs = {name: value for name, value in launch.environment if not name.startswith(RESERVED)}
    return {**ours, **theirs, **hub}


def build(
    launch: LaunchSpec,
    site: Site,
    *,
    image: str,
    hub: Mapping[str, str],
    cpus: float | None = None,
    extras: Extras | None = None,
) -> dict[str, Any]:
    """Keyword arguments of `create_service`; `cpus` is the most the nodes have, a higher limit is refused."""
    extras = extras or Extras()
    marks = labels(launch, site.stack)
    task = {
        "container_spec": _container(launch, site, image, marks, environment(launch, hub, cpus), extras),
        "resources": _resources(launch, cpus, extras),
        # A server that leaves has left: restarting is for people. The parent's default is for ever.
        "restart_policy": {"Condition": "none"},
        "log_driver": LOG,
        "networks": [site.network],
        "placement": Placement(**extras.placement) if extras.placement else None,
        **extras.task,
    }
    return {
        "name": service_name(site.stack, launch.launch_id),
        "labels": marks,
        "task_template": TaskTemplate(**task),
        # One address per server, and no need for IPVS in the kernel.
        "endpoint_spec": EndpointSpec(**{"mode": "dnsrr", **extras.endpoint}),
        **extras.create,
    }


def _container(
    launch: LaunchSpec,
    site: Site,
    image: str,
    marks: Mapping[str, str],
    variables: Mapping[str, str],
    extras: Extras,
) -> ContainerSpec:
    return ContainerSpec(
        **{
            "image": image,
            # Replaces the image's own command (CMD) and keeps its entry point; None leaves both alone.
            "args": list(launch.command) if launch.command else None,
            "env": dict(variables),
            "hostname": launch.slug,
            "labels": dict(marks),
            "mounts": [*_mounts(launch, site), *extras.mounts],
            "init": True,
            "stop_grace_period": GRACE,
            "cap_drop": ["ALL"],
            # Engines before API 1.44 do not know it and ignore it; there the engine's own default
            # (`no-new-privileges` in daemon.json) does it, which `up` sets and `doctor` checks.
            "privileges": {"NoNewPrivileges": True},
            **extras.container,
        }
    )


def _mounts(launch: LaunchSpec, site: Site) -> list[dict[str, Any]]:
    mounts = []
    if launch.home_volume:
        marks = {
            storage.LABEL_STACK: site.stack,
            storage.LABEL_HOME: launch.home_volume,
            storage.LABEL_PERSON: launch.person_id,
        }
        mounts.append(storage.home_mount(launch.home_volume, launch.home.path, site.driver, marks))
    if launch.resources.shm_size:
        mounts.append(storage.shm_mount(launch.resources.shm_size))
    return mounts


def _cpu_limit(launch: LaunchSpec, cpus: float | None) -> float:
    """The engine refuses a limit above what the node has, where it would limit nothing."""
    wanted = launch.resources.cpu_limit
    return min(wanted, cpus) if cpus else wanted


def _resources(launch: LaunchSpec, cpus: float | None, extras: Extras) -> Resources:
    wanted = launch.resources
    resources = Resources(
        **{
            "cpu_limit": int(_cpu_limit(launch, cpus) * 1e9),
            "mem_limit": wanted.memory_limit,
            "cpu_reservation": int(wanted.cpu_reservation * 1e9) or None,
            "mem_reservation": wanted.memory_reservation or None,
            **extras.resources,
        }
    )
    # The docker package has no name for it.
    resources.setdefault("Limits", {}).setdefault("Pids", wanted.pids_limit)
    return resources
