"""A LaunchSpec to build on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from environments import Home, HomeKind, IdlePolicy, Interface, LaunchSpec, Resources

MB = 2**20

LAUNCH = LaunchSpec(
    launch_id="abcdefghij22",
    reference="7F3A-21C4",
    username="ada",
    person_id="person222222",
    environment_id="envpython222",
    slug="python-intro",
    revision=3,
    title="Python",
    image="paillasse/jupyterlab-python:1",
    command=None,
    environment=(),
    interface=Interface("lab", 8888, "/lab"),
    resources=Resources(
        cpu_limit=1.5,
        cpu_reservation=0.1,
        memory_limit=512 * MB,
        memory_reservation=64 * MB,
        pids_limit=256,
        shm_size=128 * MB,
    ),
    home=Home(HomeKind.ENVIRONMENT, "/home/student/work"),
    home_volume="paillasse-home-homehome2222",
    idle=IdlePolicy(timedelta(hours=1), timedelta(hours=8), timedelta(minutes=15)),
    language="fr",
)


def launch(**changes: Any) -> LaunchSpec:
    """LAUNCH with other values."""
    return replace(LAUNCH, **changes)


def resources(**changes: Any) -> Resources:
    """LAUNCH's resources with other values."""
    return replace(LAUNCH.resources, **changes)
