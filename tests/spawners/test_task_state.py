"""Every state a task can be in, and the engine's own words (engine 20.10) for what went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from spawners import task_state
from spawners.task_state import Ended, Failed, Running, Waiting

NETWORK = "t-users"


def task(
    state: str, *, err: str = "", exit_code: int | None = None, desired: str = "running"
) -> dict[str, Any]:
    status: dict[str, Any] = {"State": state, "Message": ""}
    if err:
        status["Err"] = err
    if exit_code is not None:
        status["ContainerStatus"] = {"ContainerID": "c0", "ExitCode": exit_code}
    return {
        "ID": "t0",
        "CreatedAt": "2026-11-21T09:36:33.465229166Z",
        "Status": status,
        "DesiredState": desired,
        "NetworksAttachments": [
            {"Network": {"Spec": {"Name": "ingress"}}, "Addresses": ["10.0.0.9/24"]},
            {"Network": {"Spec": {"Name": NETWORK}}, "Addresses": ["10.211.0.34/20"]},
        ],
    }


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("new", "placed"),
        ("pending", "placed"),
        ("assigned", "software"),
        ("accepted", "software"),
        ("preparing", "software"),
        ("ready", "files"),
        ("starting", "starting"),
    ],
)
def test_on_its_way_is_not_gone(state: str, step: str) -> None:
    assert task_state.read(task(state), NETWORK) == Waiting(step, "", "10.211.0.34")


@pytest.mark.parametrize("state", ["running", "RUNNING", "something-new", ""])
def test_what_is_not_known_counts_as_running(state: str) -> None:
    assert task_state.read(task(state), NETWORK) == Running("10.211.0.34")


def test_address_is_the_one_on_the_users_network() -> None:
    assert task_state.address(task("running"), "another") == ""


@pytest.mark.parametrize(
    ("state", "exit_code", "expected"),
    [
        ("complete", 0, Ended(by_itself=True, container="c0")),
        ("shutdown", 0, Ended(by_itself=False, container="c0")),
        ("orphaned", 0, Ended(by_itself=False, container="c0")),
        ("remove", 0, Ended(by_itself=False, container="c0")),
    ],
)
def test_ended_without_a_fault(state: str, exit_code: int, expected: Ended) -> None:
    assert task_state.read(task(state, exit_code=exit_code), NETWORK) == expected


VOLUME = "error while mounting volume '/var/lib/docker/volumes/v/_data': failed to mount local volume"


@pytest.mark.parametrize(
    ("state", "words", "exit_code", "code", "args"),
    [
        ("rejected", "No such image: nowhere/none:1", 0, "image-missing", {}),
        ("rejected", "pull access denied for x, repository does not exist", 0, "image-missing", {}),
        ("rejected", "unauthorized: authentication required", 0, "image-auth", {}),
        (
            "rejected",
            "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            0,
            "capacity",
            {},
        ),
        (
            "rejected",
            'invalid mount config for type "bind": bind source path does not exist: /nowhere',
            0,
            "volume-down",
            {},
        ),
        ("rejected", "Minimum memory limit allowed is 6MB", 0, "oom", {}),
        (
            "failed",
            f"starting container failed: {VOLUME}: mount :/x:/y, data: addr=127.0.0.1: no such device",
            128,
            "volume-down",
            {},
        ),
        (
            "failed",
            f"starting container failed: {VOLUME}: mount /dev/nope:/y: no such file or directory",
            128,
            "volume-down",
            {},
        ),
        ("failed", "task: non-zero exit (3)", 3, "exit", {"status": 3}),
        ("failed", "task: non-zero exit (126)", 126, "exit", {"status": 126}),
        ("failed", "task: non-zero exit (137)", 137, "exit", {"status": 137}),
        (
            "failed",
            "starting container failed: OCI runtime create failed: container_linux.go:380: starting container"
            ' process caused: exec: "/bin/nope": stat /bin/nope: no such file or directory: unknown',
            127,
            "exit",
            {"status": 127},
        ),
        (
            "failed",
            'starting container failed: OCI runtime create failed: exec: "nope": executable file not found in'
            " $PATH: unknown",
            127,
            "exit",
            {"status": 127},
        ),
        ("failed", "mkdir /var/lib/docker/x: no space left on device", 128, "volume-full", {}),
        ("failed", "words that nobody has seen before", None, "internal", {}),
    ],
)
def test_causes(state: str, words: str, exit_code: int | None, code: str, args: dict[str, int]) -> None:
    found = task_state.read(task(state, err=words, exit_code=exit_code), NETWORK)
    assert isinstance(found, Failed)
    assert (found.code, found.args, found.words) == (code, args, words)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("no suitable node (insufficient resources on 1 node)", "capacity"),
        ("no suitable node (scheduling constraints not satisfied on 1 node)", "capacity"),
        ("no suitable node (missing plugin on 1 node)", "volume-down"),
        ("could not find an available IP while allocating VIP", "capacity"),
        (
            "rpc error: code = InvalidArgument desc = invalid memory value 1024: Must be at least 4MiB",
            "oom",
        ),
        (
            'rpc error: code = InvalidArgument desc = ContainerSpec: "Bad:::x" is not a valid repository/tag',
            "image-missing",
        ),
        ("network t-users not found", "internal"),
    ],
)
def test_words_of_refused_and_waiting_services(words: str, code: str) -> None:
    assert task_state.explain(words)[0] == code


def test_full_files_are_told_by_the_log_only() -> None:
    failed = Failed("exit", {"status": 1}, "task: non-zero exit (1)")
    assert task_state.blame_log(failed, "OSError: [Errno 28] No space left on device").code == "volume-full"
    assert task_state.blame_log(failed, "Traceback: ValueError") == failed
    killed = Failed("oom", {})
    assert task_state.blame_log(killed, "No space left on device") == killed


@pytest.mark.parametrize("state", ["new", "pending", "assigned", "running", "", "ready"])
def test_a_task_that_may_write_holds_the_home_even_when_its_service_is_removed(state: str) -> None:
    assert task_state.holds_home(task(state, desired="remove"))


@pytest.mark.parametrize("state", sorted(task_state.OVER))
def test_a_task_that_has_ended_does_not(state: str) -> None:
    assert not task_state.holds_home(task(state))


def test_the_newest_task_counts() -> None:
    old, new = task("failed"), {**task("running"), "CreatedAt": "2026-11-21T09:36:34.0Z"}
    assert task_state.newest([new, old]) is new
    assert task_state.newest([]) is None
