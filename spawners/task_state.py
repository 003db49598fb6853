"""What a Swarm task says: Waiting, Running, Failed or Ended. What we do not know counts as running.

Pure. The engine's words below were collected on engine 20.10; a failure keeps them for the log and
gives the person a code, the same word as on the start page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Task = Mapping[str, Any]
Args = dict[str, str | int | float]

# The task ran its course: its container, if there was one, does not run any more.
OVER = frozenset({"complete", "shutdown", "failed", "rejected", "orphaned", "remove"})

# Which step of the start page a task is in. Swarm's order: new, pending, assigned, accepted,
# preparing, ready, starting, running.
_STEPS = {
    "new": "placed",
    "pending": "placed",
    "assigned": "software",
    "accepted": "software",
    "preparing": "software",
    "ready": "files",
    "starting": "starting",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """On its way. `words` tells why it waits, when the engine says so."""

    step: str
    words: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Its container runs; `address` is the task's own, on the users' network."""

    address: str
    container: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot run, or ended badly."""

    code: str
    args: Args = field(default_factory=dict)
    words: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """It ended without a fault: the server left by itself (exit 0) or the engine was told to stop it."""

    by_itself: bool
    container: str = ""


TaskState = Waiting | Running | Failed | Ended


def read(task: Task, network: str) -> TaskState:
    """The state of one task; `network` is the name of the users' network."""
    status = task.get("Status") or {}
    state = str(status.get("State", "")).lower()
    container = str((status.get("ContainerStatus") or {}).get("ContainerID", ""))
    if state in ("failed", "rejected"):
        exit_code = (status.get("ContainerStatus") or {}).get("ExitCode")
        code, args = explain(str(status.get("Err", "")), exit_code)
        return Failed(code, args, str(status.get("Err", "")), container)
    if state in OVER:
        return Ended(by_itself=state == "complete", container=container)
    if state in _STEPS:
        return Waiting(_STEPS[state], str(status.get("Err") or ""), address(task, network))
    return Running(address(task, network), container)


def newest(tasks: Iterable[Task]) -> Task | None:
    """The task that counts when a service had more than one."""
    return max(tasks, key=lambda task: str(task.get("CreatedAt", "")), default=None)


def holds_home(task: Task) -> bool:
    """True while the task's container may still write: also after its service was removed."""
    return str((task.get("Status") or {}).get("State", "")).lower() not in OVER


def container_of(task: Task) -> str:
    """The id of the task's container, or nothing when it has none yet."""
    return str(((task.get("Status") or {}).get("ContainerStatus") or {}).get("ContainerID", ""))


def labels(task: Task) -> Mapping[str, str]:
    """The labels of the task's container, which are ours."""
    return ((task.get("Spec") or {}).get("ContainerSpec") or {}).get("Labels") or {}


def address(task: Task, network: str) -> str:
    """The task's address on `network`, or nothing when it has none yet."""
    for attachment in task.get("NetworksAttachments") or ():
        name = ((attachment.get("Network") or {}).get("Spec") or {}).get("Name")
        addresses = attachment.get("Addresses") or ()
        if name == network and addresses:
            return str(addresses[0]).split("/")[0]
    return ""


# Order matters: the first that matches names the cause.
_CAUSES: tuple[tuple[str, str], ...] = (
    (r"no space left on device|disk quota exceeded", "volume-full"),
    (r"unauthorized|authentication required|no basic auth credentials", "image-auth"),
    (
        r"no such image|manifest unknown|pull access denied|not a valid repository/tag|invalid reference",
        "image-missing",
    ),
    (r"missing plugin", "volume-down"),
    (r"no suitable node|insufficient resources|range of cpus is from", "capacity"),
    (r"available ip|address space|missing network attachments", "capacity"),
    (r"memory limit allowed is|invalid memory value|out of memory|\boom\b", "oom"),
    (r"error while mounting volume|failed to mount local volume|invalid mount config", "volume-down"),
    (r"volume plugin|volumedriver\.|error creating volume", "volume-down"),
    (r"node is down|heartbeat failure", "interrupted"),
    (r"deadline exceeded|connection refused|cannot connect to the docker daemon", "engine-down"),
)
_EXIT = re.compile(r"non-zero exit \((\d+)\)")
# Without an init in front, the engine itself cannot start a command that is not there.
_NO_COMMAND = re.compile(r"executable file not found|exec format error|exec: .*(no such|permission)", re.I)
_FULL = re.compile(r"no space left on device|disk quota exceeded|ENOSPC|EDQUOT", re.I)


def explain(words: str, exit_code: int | None = None) -> tuple[str, Args]:
    """The engine's words → (code, facts). Words nobody foresaw are `internal`, not a guess."""
    for pattern, code in _CAUSES:
        if re.search(pattern, words, re.I):
            return code, {}
    ended = _EXIT.search(words)
    if ended:
        return "exit", {"status": int(ended[1])}
    if _NO_COMMAND.search(words):
        return "exit", {"status": 127}
    if exit_code and "starting container failed" not in words:
        return "exit", {"status": int(exit_code)}
    return "internal", {}


def blame_log(failed: Failed, log_tail: str) -> Failed:
    """A server that left because its files are full says so only in its log."""
    if failed.code == "exit" and _FULL.search(log_tail):
        return Failed("volume-full", {}, failed.words, failed.container)
    return failed
