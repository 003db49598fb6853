"""The image by itself: `docker run` to the first answer, on the engine's own bridge."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from typing import Any

import docker

from benchmarks import machine
from benchmarks.engines import environment
from benchmarks.harness import QUIET, QUIET_SECONDS, READY_SECONDS, Spread, StartFailed

PREFIX = "/user/bench/"
FOR_A_HUB = {
    "JUPYTERHUB_API_TOKEN": "none",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
    "JUPYTERHUB_ACTIVITY_URL": "http://127.0.0.1:9/hub/api/users/bench/activity",
    "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-bench",
    "JUPYTERHUB_OAUTH_SCOPES": "[]",
    "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
    "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:{environment.PORT}{PREFIX}",
    "JUPYTERHUB_USER": "bench",
}
WAYS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "alone": ({}, "/api"),
    "for a Hub": (FOR_A_HUB, f"{PREFIX}api"),
    "alone, without faststart": ({"PAILLASSE_FASTSTART": "0"}, "/api"),
}
PAUSE = 0.01


def measure(client: docker.DockerClient, rounds: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Seconds by way of starting, turn by turn."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way, (variables, path) in WAYS.items():
            machine.wait_until_idle(QUIET, QUIET_SECONDS)
            found[way].append(_once(client, variables, path))
            told(f"docker run, {way}, round {number + 1}/{rounds}: {found[way][-1]:.2f} s")
    return {way: Spread.of(seconds) for way, seconds in found.items()}


def _once(client: docker.DockerClient, variables: Mapping[str, str], path: str) -> float:
    began = time.perf_counter()
    container = client.containers.run(environment.IMAGE, detach=True, environment=dict(variables))
    try:
        container.reload()
        address = container.attrs["NetworkSettings"]["IPAddress"]
        while not _answers(address, path):
            if time.perf_counter() - began > READY_SECONDS:
                raise StartFailed(container.logs(tail=20).decode())
            time.sleep(PAUSE)
        return time.perf_counter() - began
    finally:
        container.remove(force=True)


def _answers(address: str, path: str) -> bool:
    line = http.client.HTTPConnection(address, environment.PORT, timeout=5)
    try:
        line.request("GET", path)
        return b"version" in line.getresponse().read()
    except OSError:
        return False
    finally:
        line.close()
