"""Each seeded fault of a machine is named, with a remedy; a good machine is left in peace."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from hub.cli.host import findings
from hub.cli.host.doctor import _mount_options
from hub.cli.host.engine import shares_mounts
from hub.cli.host.findings import Finding, Level

GIB = 2**30
MANAGER: dict[str, Any] = {
    "LocalNodeState": "active",
    "ControlAvailable": True,
    "Managers": 1,
    "Nodes": 1,
    "NodeAddr": "127.0.0.1",
    "Cluster": {"Spec": {"Orchestration": {"TaskHistoryRetentionLimit": 1}}},
}


def swarm(**changes: Any) -> Finding:
    return list(findings.swarm({**MANAGER, **changes}))[-1]


FAULTS = {
    "engine absent": findings.engine_silent("", known=False),
    "engine dead": findings.engine_silent("Cannot connect to the Docker daemon", known=True),
    "engine old": findings.engine_version("19.03.15"),
    "no swarm": swarm(LocalNodeState="inactive"),
    "swarm locked": swarm(LocalNodeState="locked"),
    "worker": swarm(ControlAvailable=False),
    "loopback with nodes": swarm(Nodes=3, Managers=1),
    "too little memory": findings.memory(GIB, 0),
    "engine's clock": findings.clock_difference("2026-11-21T10:00:00.123456789Z", 1795255200.0 + 600),
    "disk nearly full": findings.disk("disk", (100 * GIB, 97 * GIB, 3 * GIB)),
    "disk tiny": findings.disk("disk", (4 * GIB, 3 * GIB, GIB)),
    "private mounts": findings.mount_propagation(False),
    "no bridge rules": findings.bridge_rules(False),
    "small subnet": findings.addresses(IPv4Network("10.0.1.0/24"), 3),
    "dead part": findings.part("hub", False, "task: non-zero exit (1)", "paillasse_hub"),
}
WARNINGS = {
    "engine without the fixes": findings.engine_version("20.10.24+dfsg1"),
    "runc without the fixes": findings.runc_version("1.1.5+ds1"),
    "runc between two lines": findings.runc_version("1.3.1"),
    "slow storage": findings.storage("vfs", {}),
    "control groups v1": findings.control_groups("1"),
    "privileges can grow": findings.privileges(False),
    "two managers": swarm(Managers=2, Nodes=2, NodeAddr="10.0.0.1"),
    "long history": swarm(Cluster={"Spec": {"Orchestration": {"TaskHistoryRetentionLimit": 50}}}),
    "memory promised away": findings.memory(8 * GIB, int(7.5 * GIB)),
    "clock adrift": findings.clock_synchronised(False),
    "disk filling": findings.disk("disk", (100 * GIB, 85 * GIB, 15 * GIB)),
    "no quotas": findings.quota("rw,relatime"),
    "no log caps": findings.log_caps("json-file", {}),
    "addresses running out": findings.addresses(IPv4Network("10.0.0.0/20"), 3500),
    "down": findings.not_up("paillasse"),
}
GOOD = (
    findings.engine_version("28.5.2"),
    findings.engine_version("29.0.1"),
    findings.runc_version("1.2.8"),
    findings.runc_version("1.3.3"),
    findings.runc_version("1.5.0"),
    findings.storage("overlay2", {"Backing Filesystem": "xfs"}),
    findings.control_groups("2"),
    findings.privileges(True),
    swarm(),
    swarm(Nodes=3, Managers=3, NodeAddr="10.0.0.1"),
    findings.memory(16 * GIB, 2 * GIB),
    findings.clock_difference("2026-11-21T10:00:00.123456789Z", 1795255200.0),
    findings.clock_difference("2026-11-21T11:00:00.5+01:00", 1795255200.0),
    findings.clock_synchronised(True),
    findings.disk("disk", (1000 * GIB, 900 * GIB, 100 * GIB)),
    findings.quota("rw,relatime,prjquota"),
    findings.ipvs(False),
    findings.mount_propagation(True),
    findings.bridge_rules(True),
    findings.log_caps("json-file", {"max-size": "10m"}),
    findings.log_caps("journald", {}),
    findings.addresses(IPv4Network("10.0.0.0/20"), 12),
    findings.part("hub", True, "", "paillasse_hub"),
)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_called_so_and_has_a_remedy(name: str) -> None:
    assert FAULTS[name].level is Level.FAULT
    assert FAULTS[name].remedy


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_is_called_so_and_has_a_remedy(name: str) -> None:
    assert WARNINGS[name].level is Level.WARNING
    assert WARNINGS[name].remedy


@pytest.mark.parametrize("finding", GOOD)
def test_what_is_well_needs_no_remedy(finding: Finding) -> None:
    assert finding.level is Level.GOOD
    assert finding.remedy == ""


def test_the_file_system_of_a_path_is_the_nearest_mount_above_it() -> None:
    mounts = (
        "/dev/a / ext4 rw 0 0\n/dev/b /var/lib/docker xfs rw,prjquota 0 0\n/dev/c /var/lib/dock ext4 ro 0 0\n"
    )
    assert _mount_options(Path("/var/lib/docker/volumes"), mounts) == "rw,prjquota"
    assert _mount_options(Path("/srv"), mounts) == "rw"


def test_shared_mounts_are_told_from_private_ones() -> None:
    info = "1 0 8:1 / / rw shared:1 - ext4 /dev/a rw\n2 1 0:2 / /run rw - tmpfs tmpfs rw\n"
    assert not shares_mounts(Path("/run/docker"), info)
    assert shares_mounts(Path("/var"), info)
    assert shares_mounts(Path("/run/docker"), info + "3 2 0:3 / /run rw shared:7 - tmpfs tmpfs rw\n")
