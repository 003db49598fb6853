"""`vanilla`: JupyterHub and SwarmSpawner, asked through the Hub's REST API as its documentation tells."""

from __future__ import annotations

import json
import time

import docker
import httpx

from benchmarks.engines import swarm
from benchmarks.engines.reference import HUB, PREFIX, Reference
from benchmarks.harness import READY_SECONDS, Sample, StartFailed, until

WAIT_FOR_ROUTE = 0.02


class Vanilla:
    """From `POST /users/…/server` to the first answer of that person's server through the proxy.

    The Hub answers the POST when the server is up (201), or after ten seconds that it is still coming
    (202); then its progress stream is followed to the event that says ready.

    `vanilla` runs the image's own command, as paillasse does; `stock` is the same with the command that
    JupyterHub's documentation puts into images, `jupyterhub-singleuser` as its authors wrote it.
    """

    def __init__(self, client: docker.DockerClient, reference: Reference, command: str = "") -> None:
        self.name = "stock" if command else "vanilla"
        self.client = client
        self.reference = reference
        self.command = command
        self.people: list[str] = []
        self.made = 0

    def open(self) -> None:
        return

    def prepare(self, count: int) -> None:
        """New people each time: a service under a name that was used before often does not answer at all."""
        self.people = [f"{self.name}-{self.made + number}" for number in range(count)]
        self.made += count
        for name in self.people:
            self.reference.api.post(f"/users/{name}").raise_for_status()

    def start(self, person: int) -> Sample:
        name, api = self.people[person], self.reference.api
        began = time.perf_counter()
        asked = api.post(f"/users/{name}/server", json={"user_options": {"command": self.command}})
        if asked.status_code == 202:
            self._follow(name)
        elif asked.status_code != 201:
            raise StartFailed(f"{asked.status_code}: {asked.text[:300]}")
        told = time.perf_counter() - began
        address = f"{self.reference.url}/user/{name}/api"
        while (answer := api.get(address)).status_code != 200 or "version" not in answer.json():
            if time.perf_counter() - began > READY_SECONDS:
                raise StartFailed(f"{address} answered {answer.status_code}")
            time.sleep(WAIT_FOR_ROUTE)
        return Sample(time.perf_counter() - began, {"hub_says_ready": told})

    def stop(self) -> None:
        """Ask the Hub, then wait for the containers: the Hub is content before they are gone."""
        for name in self.people:
            self.reference.api.delete(f"/users/{name}/server")
        until(lambda: not any(map(self._runs, self.people)), 60, "the Hub still counts a server as running")
        swarm.wait_gone(self.client, f"{PREFIX}-")

    def hub(self) -> str:
        return HUB

    def close(self) -> None:
        self.stop()

    def _follow(self, name: str) -> None:
        try:
            address = f"/users/{name}/server/progress"
            with self.reference.api.stream("GET", address, timeout=READY_SECONDS) as lines:
                for line in lines.iter_lines():
                    event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                    if event.get("ready"):
                        return
                    if event.get("failed"):
                        raise StartFailed(event.get("message", "failed"))
        except httpx.TransportError as error:
            raise StartFailed(str(error)) from error
        raise StartFailed("the progress stream ended before the server was ready")

    def _runs(self, name: str) -> bool:
        return bool(self.reference.api.get(f"/users/{name}").json().get("servers"))
