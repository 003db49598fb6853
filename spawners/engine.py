"""The one client of Docker: awaitable, sixteen calls at a time, a deadline on each.

Mends DockerSpawner: one thread for all calls of all users, and no deadline. An answer that says
nothing about the object (no answer, HTTP 5xx) is EngineDown, never "gone".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env

from spawners.errors import EngineDown, EngineRefused
from spawners.storage import LABEL_STACK

THREADS = 16
DEADLINE = 10.0  # seconds, for one call
LOG_LINES = 30
LOG_BYTES = 8192
Object = dict[str, Any]


class Client(Protocol):
    """The part of docker.APIClient that is used; tests hand in a smaller one."""

    def __getattr__(self, name: str) -> Callable[..., Any]: ...


class Engine:
    """Calls the engine from threads of its own. `stack` is the label every object of ours carries."""

    def __init__(self, stack: str, connect: Callable[[], Client] | None = None) -> None:
        self.stack = stack
        self._connect = connect or _connect
        self._client: Client | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="engine")

    async def call(self, method: str, *args: Any, deadline: float = DEADLINE, **kw: Any) -> Any:
        """One call of the docker package. Raises EngineDown, EngineRefused, or docker's NotFound."""
        return await self._wait(self._submit(method, *args, **kw), deadline)

    def _submit(self, method: str, *args: Any, **kw: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._call, method, *args, **kw)
        )

    async def _wait(self, future: asyncio.Future[Any], deadline: float) -> Any:
        try:
            # Not wait_for: before Python 3.12 it forgets a cancellation that comes with the answer.
            async with asyncio.timeout(deadline):
                return await future
        except TimeoutError as error:
            raise EngineDown(f"no answer in {deadline:g} s") from error

    def _call(self, method: str, *args: Any, **kw: Any) -> Any:
        try:
            if self._client is None:
                self._client = self._connect()
            return getattr(self._client, method)(*args, **kw)
        except NotFound:
            raise
        except APIError as error:
            raise _refusal(error) from error
        except (DockerException, requests.RequestException, OSError) as error:
            raise EngineDown(str(error)) from error

    async def create_service(self, spec: Mapping[str, Any], deadline: float = 30.0) -> str:
        """Create a service; its id. Given up half-way, the service is removed as soon as it exists."""
        future = self._submit("create_service", **spec)
        try:
            return str((await self._wait(asyncio.shield(future), deadline))["ID"])
        except asyncio.CancelledError:
            # The thread goes on: let what it makes be seen by whoever starts next on the same home.
            await asyncio.wait({future}, timeout=0.5)
            future.add_done_callback(self._drop_late)
            raise
        except EngineDown:
            future.add_done_callback(self._drop_late)
            raise
        except NotFound as error:
            raise EngineRefused(str(error.explanation)) from error

    def _drop_late(self, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._submit("remove_service", future.result()["ID"]).add_done_callback(_forget)

    async def remove_service(self, name: str) -> bool:
        """Remove a service by its exact name; False when there is none."""
        try:
            await self.call("remove_service", name)
        except NotFound:
            return False
        return True

    async def services(self, **labels: str) -> Sequence[Object]:
        """Services of this stack with all these labels (`home=…`, `launch=…`)."""
        return list(await self.call("services", filters={"label": self._marks(labels)}))

    async def tasks(self, **labels: str) -> Sequence[Object]:
        """Tasks of this stack with all these labels, also of services that were removed."""
        return list(await self.call("tasks", filters={"label": self._marks(labels)}))

    async def tasks_of(self, names: Sequence[str]) -> Sequence[Object]:
        """Tasks of these services. By name, as an unknown service id would fail the whole call."""
        return list(await self.call("tasks", filters={"name": [f"{name}." for name in names]}))

    async def inspect(self, container: str) -> Object | None:
        """A container of this node; None when it is on another, or gone."""
        try:
            return dict(await self.call("inspect_container", container))
        except NotFound:
            return None

    async def terminate(self, container: str) -> None:
        """Ask the container's process to leave now. Swarm would ask, too, three seconds later."""
        try:
            await self.call("kill", container, "SIGTERM")
        except (NotFound, EngineRefused):
            return  # on another node, or not running: Swarm does it

    async def log_tail(self, service: str, lines: int = LOG_LINES) -> str:
        """The last lines of a service's log, at most 8 kB; nothing when they cannot be had."""
        try:
            chunks = await self._wait(self._submit("service_logs", service, **_tail(lines)), 3.0)
            text = await self._wait(self._read(chunks), 3.0)
        except (NotFound, EngineDown, EngineRefused):
            return ""
        return str(text.decode("utf-8", "replace").replace("\x00", ""))

    def _read(self, chunks: Any) -> asyncio.Future[bytes]:
        return asyncio.get_running_loop().run_in_executor(self._threads, _gather, chunks)

    def _marks(self, labels: Mapping[str, str]) -> list[str]:
        return [f"{LABEL_STACK}={self.stack}", *(f"paillasse.{key}={value}" for key, value in labels.items())]

    def close(self) -> None:
        """Let running calls end and start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _connect() -> Client:
    settings: dict[str, Any] = {"version": "auto", "timeout": 30, "max_pool_size": THREADS}
    client: Any = docker.APIClient(**settings, **kwargs_from_env())
    return client  # type: ignore[no-any-return]


def _refusal(error: APIError) -> Exception:
    words = str(error.explanation or error)
    if error.status_code is not None and error.status_code < 500:
        return EngineRefused(words)
    # The engine answers 500 to some requests that are wrong, such as an unknown network.
    if "not found" in words:
        return EngineRefused(words)
    return EngineDown(words)


def _tail(lines: int) -> dict[str, Any]:
    return {"stdout": True, "stderr": True, "tail": lines}


def _gather(chunks: Any) -> bytes:
    if isinstance(chunks, bytes):
        return chunks[-LOG_BYTES:]
    text = b""
    try:
        for chunk in chunks:
            text = (text + chunk)[-LOG_BYTES:]
    except (DockerException, requests.RequestException, OSError):
        return text  # what came before the break is worth reading
    return text


def _forget(future: asyncio.Future[Any]) -> None:
    """Read the outcome of a call nobody waits for, so that asyncio does not complain."""
    if not future.cancelled():
        future.exception()
