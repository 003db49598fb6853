"""Tells when the container of a service has been started, as the engine announces it.

Asking a container's address before it is on the network costs a second: the unanswered question for its
hardware address is only asked again after that time.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future

import docker

LABEL = "com.docker.swarm.service.name"


class Births:
    """Listens to the engine until closed."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._born: dict[str, Future[str]] = {}
        wanted = {"type": "container", "event": "start", "label": LABEL}
        self._events = client.api.events(filters=wanted, decode=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def of(self, service: str) -> Future[str]:
        """The id of the service's container, once it has started; ask before creating the service."""
        return self._born.setdefault(service, Future())

    def close(self) -> None:
        self._events.close()

    def _listen(self) -> None:
        for event in self._events:
            waiting = self._born.pop(event["Actor"]["Attributes"][LABEL], None)
            if waiting is not None:
                waiting.set_result(event["Actor"]["ID"])
