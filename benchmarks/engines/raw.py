"""`raw`: the engine alone. One service per start, the very one paillasse makes, created by one API call."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import TimeoutError as TooLate

import docker

from benchmarks.engines import environment, swarm
from benchmarks.engines.births import Births
from benchmarks.engines.reference import HUB, NETWORK, RAW, Reference
from benchmarks.harness import READY_SECONDS, Sample, StartFailed
from spawners import service_spec

STACK = RAW


class Raw:
    """From the call that creates the service to the first answer of the server in it.

    From the moment its container runs, the server is asked every 15 ms from another container of the same
    network. The answer comes from below an address that only this start's server has.
    """

    name = "raw"

    def __init__(self, client: docker.DockerClient, reference: Reference) -> None:
        self.client = client
        self.reference = reference
        self.tokens: dict[int, str] = {}
        self.site = service_spec.Site(STACK, NETWORK)

    def open(self) -> None:
        swarm.remove_services(self.client, f"{STACK}-")
        self.births = Births(self.client)

    def prepare(self, count: int) -> None:
        for person in range(len(self.tokens), count):
            self.tokens[person] = self.reference.token_of(f"{STACK}-{person}")

    def start(self, person: int) -> Sample:
        launch = environment.launch(STACK, secrets.token_hex(6), person)
        prefix = f"/user/{launch.username}/{launch.launch_id}/"
        service = service_spec.build(
            launch, self.site, image=self.reference.image, hub=self._told(launch.username, prefix, person)
        )
        born = self.births.of(service["name"])
        began = time.perf_counter()
        self.client.api.create_service(**service)
        try:
            born.result(READY_SECONDS)
            started = time.perf_counter() - began
            answer = self.reference.probe.first_answer(service["name"], environment.PORT, f"{prefix}api")
            told = answer.result(READY_SECONDS)
        except TooLate:
            raise StartFailed(self._last_words(service["name"])) from None
        seconds = time.perf_counter() - began
        if told["status"] != 200:
            raise StartFailed(f"{prefix}api answered {told['status']}")
        return Sample(seconds, {"container_started": started})

    def stop(self) -> None:
        swarm.remove_services(self.client, f"{STACK}-")

    def hub(self) -> str:
        return ""

    def close(self) -> None:
        self.births.close()
        self.stop()
        swarm.remove_volumes(self.client, f"{STACK}-")

    def _told(self, username: str, prefix: str, person: int) -> dict[str, str]:
        """What the Hub tells a server that it starts."""
        api = f"http://{HUB}:8081/hub/api"
        scopes = f'["access:servers!user={username}"]'
        return {
            "JUPYTERHUB_API_TOKEN": self.tokens[person],
            "JUPYTERHUB_API_URL": api,
            "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/{username}/activity",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{username}",
            "JUPYTERHUB_HOST": "",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": scopes,
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{prefix}oauth_callback",
            "JUPYTERHUB_OAUTH_SCOPES": scopes,
            "JUPYTERHUB_SERVER_NAME": environment.SLUG,
            "JUPYTERHUB_SERVICE_PREFIX": prefix,
            "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:{environment.PORT}{prefix}",
            "JUPYTERHUB_USER": username,
        }

    def _last_words(self, service: str) -> str:
        tasks = self.client.api.tasks({"service": service})
        return "; ".join(f"{task['Status']['State']}: {task['Status'].get('Err', '')}" for task in tasks)
