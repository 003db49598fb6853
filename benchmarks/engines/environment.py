"""The one environment that all three ways start: the first one of the catalogue, with room for a class."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from environments import (
    Ceilings,
    EnvironmentSpec,
    Home,
    HomeKind,
    IdlePolicy,
    Interface,
    LaunchSpec,
    Resources,
    parse_yaml,
    to_yaml,
)

CATALOGUE = Path(__file__).resolve().parents[2] / "environments/catalogue/jupyterlab-python.yaml"
IMAGE = "paillasse/jupyterlab-python:latest"
SLUG = "bench"
PORT = 8888
CPU_RESERVATION, MEMORY_RESERVATION = 0.01, 64 * 2**20
"""Less than a real environment's, so that 20 fit on a small machine: what is compared is the start."""

CEILINGS = Ceilings(
    cpu=64, memory=2**40, pids=100_000, shm=2**34, max_duration=timedelta(days=1),
    allowed_images=("*",), servers_per_user=4,
)  # fmt: skip


def spec() -> EnvironmentSpec:
    """The catalogue's environment under the benchmark's slug."""
    read = parse_yaml(CATALOGUE.read_text(), CEILINGS)
    small = {"cpu_reservation": CPU_RESERVATION, "memory_reservation": MEMORY_RESERVATION}
    resources = read.resources.model_copy(update=small)
    return read.model_copy(update={"slug": SLUG, "image": IMAGE, "resources": resources})


def as_yaml() -> str:
    """The same as a file for `./paillasse env apply`."""
    return to_yaml(spec())


def launch(stack: str, launch_id: str, person: int) -> LaunchSpec:
    """What paillasse hands to its spawner for this person's start."""
    wanted = spec()
    resources = Resources(
        cpu_limit=wanted.resources.cpu,
        cpu_reservation=wanted.resources.reserved_cpu,
        memory_limit=wanted.resources.memory,
        memory_reservation=wanted.resources.reserved_memory,
        pids_limit=wanted.resources.pids,
        shm_size=wanted.resources.shm,
    )
    return LaunchSpec(
        launch_id=launch_id,
        reference=launch_id,
        username=f"{stack}-{person}",
        person_id=f"person{person}",
        environment_id=SLUG,
        slug=SLUG,
        revision=1,
        title=SLUG,
        image=IMAGE,
        command=None,
        environment=(),
        interface=Interface("lab", PORT, "/lab"),
        resources=resources,
        home=Home(HomeKind.ENVIRONMENT, wanted.home.path),
        home_volume=f"{stack}-home-{person}",
        idle=IdlePolicy(None, None, timedelta(0)),
        language="fr",
    )
