"""A small engine that keeps the contract of docker.APIClient for services, tasks and containers.

Tasks move along a plan, one state at each listing. It answers as engine 20.10 does: a removed service's
task stays listed until its container has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from docker.errors import APIError, NotFound

WAY_UP = ("pending", "assigned", "preparing", "ready", "starting", "running")


def response(status: int, words: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.reason = words
    answer._content = b"{}"
    return answer


def api_error(status: int, words: str) -> APIError:
    kind = NotFound if status == 404 else APIError
    return kind(words, response=response(status, words), explanation=words)


@dataclass
class Kept:
    """A service and its one task."""

    id: str
    spec: dict[str, Any]
    plan: list[str]
    removed: bool = False
    err: str = ""
    exit_code: int = 0
    oom: bool = False
    log: str = ""

    @property
    def state(self) -> str:
        return self.plan[0]

    @property
    def name(self) -> str:
        return str(self.spec["name"])


@dataclass
class EngineDouble:
    """`plan` is where the next service goes; `address` is where its task seems to be."""

    network: str = "t-users"
    address: str = "127.0.0.1"
    plan: tuple[str, ...] = WAY_UP
    linger: int = 0  # listings a container outlives its SIGTERM
    err: str = ""
    exit_code: int = 0
    oom: bool = False
    log: str = ""
    broken: Callable[[str], None] | None = None
    kept: dict[str, Kept] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    local_images: dict[str, str] = field(default_factory=dict)
    cpus: float = 2.0
    early: bool = False  # the task's address is known, and answers, before it is said to be starting
    _lock: Any = field(default_factory=threading.RLock)

    def _called(self, name: str) -> None:
        with self._lock:
            self.calls.append(name)
        if self.broken:
            self.broken(name)

    def create_service(self, **spec: Any) -> dict[str, str]:
        self._called("create_service")
        with self._lock:
            if any(kept.name == spec["name"] and not kept.removed for kept in self.kept.values()):
                raise api_error(409, f"name conflicts with an existing object: {spec['name']}")
            kept = Kept(f"id{len(self.kept)}", spec, list(self.plan), err=self.err, exit_code=self.exit_code)
            kept.oom, kept.log = self.oom, self.log
            self.kept[kept.id] = kept
            return {"ID": kept.id}

    def remove_service(self, name: str) -> bool:
        self._called("remove_service")
        kept = self._service(name)
        kept.removed = True
        return True

    def _service(self, name: str) -> Kept:
        for kept in self.kept.values():
            if not kept.removed and name in (kept.id, kept.name):
                return kept
        raise api_error(404, f"service {name} not found")

    def services(self, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        self._called("services")
        return [
            {
                "ID": kept.id,
                "CreatedAt": "2026-11-21T09:36:33.465229166Z",
                "Spec": {"Name": kept.name, "Labels": kept.spec["labels"]},
            }
            for kept in self.kept.values()
            if not kept.removed and _matches(kept, filters["label"])
        ]

    def tasks(self, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        self._called("tasks")
        with self._lock:
            found = [
                kept
                for kept in self.kept.values()
                if _matches(kept, filters.get("label", []))
                and any(f"{kept.name}.1.x".startswith(prefix) for prefix in filters.get("name", [""]))
                and not (kept.removed and kept.state in {"shutdown", "failed", "complete", "rejected"})
            ]
            listed = [self._task(kept) for kept in found]
            for kept in found:
                if len(kept.plan) > 1:
                    kept.plan.pop(0)
            return listed

    def _task(self, kept: Kept) -> dict[str, Any]:
        bad = kept.state in ("failed", "rejected")
        waits = kept.state == "pending" and kept.err.startswith("no suitable node")
        status = {"State": kept.state, "Err": kept.err if bad or waits else ""}
        if kept.state not in ("pending", "assigned", "preparing", "rejected"):
            code = kept.exit_code if kept.state in ("failed", "complete") else 0
            status["ContainerStatus"] = {"ContainerID": f"c-{kept.id}", "ExitCode": code}
        return {
            "ID": f"t-{kept.id}",
            "ServiceID": kept.id,
            "CreatedAt": "2026-11-21T09:36:33Z",
            "Spec": {"ContainerSpec": {"Labels": kept.spec["labels"]}},
            "Status": status,
            "DesiredState": "remove" if kept.removed else "running",
            "NetworksAttachments": self._attachments(kept),
        }

    def _attachments(self, kept: Kept) -> list[dict[str, Any]]:
        """The real engine says it from `assigned` on; nothing answers there before `starting`."""
        if kept.state in ("pending", "assigned", "preparing", "ready") and not self.early:
            return []
        return [{"Network": {"Spec": {"Name": self.network}}, "Addresses": [f"{self.address}/8"]}]

    def kill(self, container: str, signal: str) -> None:
        self._called("kill")
        kept = self.kept[container.removeprefix("c-")]
        kept.plan = [kept.state] * self.linger + ["shutdown"]

    def inspect_container(self, container: str) -> dict[str, Any]:
        self._called("inspect_container")
        kept = self.kept.get(container.removeprefix("c-"))
        if kept is None:
            raise api_error(404, "No such container")
        return {"State": {"OOMKilled": kept.oom}}

    def service_logs(self, name: str, **_: Any) -> list[bytes]:
        self._called("service_logs")
        return [self._service(name).log.encode()]

    def inspect_image(self, name: str) -> dict[str, Any]:
        self._called("inspect_image")
        if name not in self.local_images:
            raise api_error(404, "No such image")
        return {"Id": self.local_images[name], "RepoDigests": [f"{name.split(':')[0]}@sha256:digest"]}

    def nodes(self) -> list[dict[str, Any]]:
        self._called("nodes")
        size = {"NanoCPUs": int(self.cpus * 1e9), "MemoryBytes": 8 << 30}
        return [
            {
                "Status": {"State": "ready"},
                "Spec": {"Availability": "active"},
                "Description": {"Resources": size},
            }
        ]

    def running(self) -> list[str]:
        """Names of the services that are not removed."""
        return [kept.name for kept in self.kept.values() if not kept.removed]


def _matches(kept: Kept, marks: list[str]) -> bool:
    have = {f"{key}={value}" for key, value in kept.spec["labels"].items()}
    return set(marks) <= have
