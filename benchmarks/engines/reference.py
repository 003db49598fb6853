"""A JupyterHub with SwarmSpawner as its documentation sets it up, on a network of its own.

`vanilla` starts servers through it. `raw` starts none through it, but its servers report to this Hub,
and are watched from this network.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import docker
import httpx
from docker.models.containers import Container

from benchmarks.engines import environment, swarm
from benchmarks.harness import until

PREFIX, RAW = "bench-vanilla", "bench-raw"
NETWORK = f"{PREFIX}-net"
HUB, PROXY, PROBE = f"{PREFIX}-hub", f"{PREFIX}-proxy", f"{PREFIX}-probe"
PLATFORM_IMAGE = "paillasse/platform:latest"
PROXY_IMAGE = "paillasse/proxy:latest"
CONFIGURATION = Path(__file__).resolve().parents[1] / "vanilla/jupyterhub_config.py"
CHP = "/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"


class Reference:
    """Hub, proxy and probe; use as a context."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.image = client.images.get(environment.IMAGE).id
        self.token = secrets.token_hex(16)
        self.proxy_token = secrets.token_hex(16)
        self.url = ""

    def __enter__(self) -> Reference:
        with ExitStack() as stack:
            self._clear()
            stack.callback(self._clear)
            swarm.make_network(self.client, NETWORK)
            self._start_proxy()
            self._start_hub()
            told = {"Authorization": f"token {self.token}"}
            self.api = stack.enter_context(
                httpx.Client(base_url=f"{self.url}/hub/api", headers=told, timeout=120)
            )
            until(self._hub_answers, 60, "the reference Hub does not answer", pause=0.3)
            self.probe = Probe()
            stack.callback(self.probe.close)
            self._undo = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def token_of(self, username: str) -> str:
        """A user's own token, as a server gets one; the user is made if missing."""
        self.api.post(f"/users/{username}")
        made = self.api.post(f"/users/{username}/tokens", json={"note": "benchmark"})
        made.raise_for_status()
        return str(made.json()["token"])

    def _start_proxy(self) -> None:
        options = [
            "--port=8000",
            "--api-ip=0.0.0.0",
            "--api-port=8001",
            f"--default-target=http://{HUB}:8081",
        ]
        container = self._run(
            PROXY, PROXY_IMAGE, ["node", CHP, *options],
            environment={"CONFIGPROXY_AUTH_TOKEN": self.proxy_token}, ports={"8000/tcp": ("127.0.0.1", None)},
        )  # fmt: skip
        container.reload()
        self.url = f"http://127.0.0.1:{container.ports['8000/tcp'][0]['HostPort']}"

    def _start_hub(self) -> None:
        """The Hub as root, because of the engine's socket; its database stays in the container."""
        told = {
            "CONFIGPROXY_AUTH_TOKEN": self.proxy_token,
            "BENCH_TOKEN": self.token,
            "BENCH_HUB": HUB,
            "BENCH_PROXY_API": f"http://{PROXY}:8001",
            "BENCH_NETWORK": NETWORK,
            "BENCH_IMAGE": self.image,
            "BENCH_RESOURCES": json.dumps(environment.spec().resources.model_dump()),
        }
        self._run(
            HUB, PLATFORM_IMAGE, ["jupyterhub", "-f", "/srv/vanilla/jupyterhub_config.py"],
            environment=told, user="0:0", working_dir="/tmp",  # noqa: S108 – inside a container
            volumes={
                str(CONFIGURATION): {"bind": "/srv/vanilla/jupyterhub_config.py", "mode": "ro"},
                "/var/run/docker.sock": {"bind": "/var/run/docker.sock", "mode": "rw"},
            },
        )  # fmt: skip

    def _run(self, name: str, image: str, command: list[str], **options: object) -> Container:
        return self.client.containers.run(
            image, command, name=name, hostname=name, detach=True, network=NETWORK, init=True, **options
        )

    def _hub_answers(self) -> bool:
        try:
            return self.api.get("/").status_code == 200
        except httpx.TransportError:
            return False

    def _clear(self) -> None:
        for prefix in (PREFIX, RAW):
            swarm.remove_services(self.client, f"{prefix}-")
        for name in (HUB, PROXY, PROBE):
            swarm.remove_container(self.client, name)
        swarm.remove_network(self.client, NETWORK)


class Probe:
    """The other end of `probe.py`."""

    def __init__(self) -> None:
        source = Path(__file__).with_name("probe.py").read_text()
        command = ["docker", "run", "--rm", "--interactive", "--name", PROBE, "--network", NETWORK]
        self.process = subprocess.Popen(
            [*command, PLATFORM_IMAGE, "python", "-c", source],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self.waiting: dict[str, Future[Mapping[str, object]]] = {}
        self.lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def first_answer(self, host: str, port: int, path: str) -> Future[Mapping[str, object]]:
        """The first answer of that address: {"status", "body"}."""
        order = {"id": secrets.token_hex(4), "host": host, "port": port, "path": path}
        answer = self.waiting[order["id"]] = Future()
        with self.lock:
            self.process.stdin.write(json.dumps(order) + "\n")
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(10)

    def _listen(self) -> None:
        for line in self.process.stdout:
            answer = json.loads(line)
            self.waiting.pop(answer["id"]).set_result(answer)
