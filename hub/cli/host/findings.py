"""The doctor's judgement: facts in, one finding with its remedy out. Nothing here asks the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from hub.cli.host.messages import tr

GIB = 2**30
OLDEST_ENGINE = (20, 10)
# Versions that carry the fixes of the container escapes of 2025 (CVE-2025-31133, 52565, 52881).
SAFE_ENGINE = (28, 5, 2)
SAFE_RUNC = ((1, 2, 8), (1, 3, 3), (1, 4, 0))


class Level(Enum):
    """A fault breaks something; a warning may one day."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is empty when all is well."""

    level: Level
    subject: str
    text: str
    remedy: str = ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def engine_silent(words: str, *, known: bool) -> Finding:
    subject = tr("Docker engine")
    if not known:
        return Finding(Level.FAULT, subject, tr("not installed"), tr("“./paillasse up” installs it."))
    return Finding(
        Level.FAULT, subject, tr("does not answer") + f" ({words.strip()[-200:]})",
        tr("Start it (systemctl start docker); without systemd “./paillasse up” does."),
    )  # fmt: skip


def engine_version(version: str) -> Finding:
    subject = tr("Docker engine")
    if _numbers(version)[:2] < OLDEST_ENGINE:
        return Finding(Level.FAULT, subject, version, tr("Install 20.10 or newer."))
    if _numbers(version) < SAFE_ENGINE:
        return Finding(
            Level.WARNING, subject, version,
            tr("Your distribution's security tracker tells whether this version has the fixes of 2025."),
        )  # fmt: skip
    return Finding(Level.GOOD, subject, version)


def runc_version(version: str) -> Finding:
    numbers = _numbers(version)
    safe = next((each for each in SAFE_RUNC if each[:2] == numbers[:2]), SAFE_RUNC[-1])
    if numbers >= safe:
        return Finding(Level.GOOD, "runc", version)
    return Finding(
        Level.WARNING, "runc", version,
        tr("Your distribution's security tracker tells whether CVE-2025-31133 is mended in this version."),
    )  # fmt: skip


def storage(driver: str, status: Mapping[str, str]) -> Finding:
    subject = tr("storage driver")
    if driver in ("vfs", "devicemapper", "aufs"):
        return Finding(
            Level.WARNING, subject, driver,
            tr("Slow: put Docker's directory on ext4 or XFS, so that the engine can use overlay2."),
        )  # fmt: skip
    return Finding(Level.GOOD, subject, f"{driver} ({status.get('Backing Filesystem', '?')})")


def control_groups(version: str) -> Finding:
    if version == "2":
        return Finding(Level.GOOD, tr("control groups"), "v2")
    return Finding(
        Level.WARNING, tr("control groups"), f"v{version}",
        tr("Works, but Docker drops v1 in time: start the system with systemd.unified_cgroup_hierarchy=1."),
    )  # fmt: skip


def privileges(confined: bool) -> Finding:
    subject = tr("no-new-privileges by default")
    if confined:
        return Finding(Level.GOOD, subject, tr("yes"))
    return Finding(
        Level.WARNING, subject, tr("no"),
        tr("Put “no-new-privileges: true” in /etc/docker/daemon.json, restart Docker at a quiet hour."),
    )  # fmt: skip


def swarm(facts: Mapping[str, Any]) -> Iterator[Finding]:
    state = facts["LocalNodeState"]
    if state != "active":
        yield Finding(
            Level.FAULT,
            "Swarm",
            state,
            tr("“./paillasse up” makes one; “locked” wants “docker swarm unlock”."),
        )
        return
    if not facts["ControlAvailable"]:
        yield Finding(
            Level.FAULT, "Swarm", tr("a worker, not a manager"), tr("Run the platform on a manager.")
        )
        return
    managers, nodes = facts.get("Managers", 1), facts.get("Nodes", 1)
    text = tr("{managers} managers, {nodes} nodes", managers=managers, nodes=nodes)
    if managers % 2 == 0:
        yield Finding(
            Level.WARNING, "Swarm", text,
            tr("An even number of managers survives no more losses than one fewer: have 1 or 3."),
        )  # fmt: skip
    elif nodes > 1 and str(facts.get("NodeAddr", "")).startswith("127."):
        yield Finding(
            Level.FAULT, "Swarm", tr("advertised at 127.0.0.1, with other nodes"),
            tr("Make the Swarm anew with --advertise-addr and an address the others reach."),
        )  # fmt: skip
    else:
        yield Finding(Level.GOOD, "Swarm", text)
    retention = (
        ((facts.get("Cluster") or {}).get("Spec") or {})
        .get("Orchestration", {})
        .get("TaskHistoryRetentionLimit", 5)
    )
    if retention > 5:
        yield Finding(
            Level.WARNING, tr("task history"), str(retention),
            tr("It keeps {count} ends of each: docker swarm update --task-history-limit 1", count=retention),
        )  # fmt: skip


def memory(total: int, reserved: int) -> Finding:
    subject = tr("memory")
    text = tr("{total:.1f} GiB, {reserved:.1f} reserved", total=total / GIB, reserved=reserved / GIB)
    if total < 2 * GIB:
        return Finding(Level.FAULT, subject, text, tr("The parts alone need 2 GiB; have 4 or more."))
    if reserved > 0.9 * total:
        return Finding(
            Level.WARNING, subject, text, tr("New servers will wait for room: add memory or a node.")
        )
    return Finding(Level.GOOD, subject, text)


def clock_difference(theirs: str, ours: float) -> Finding:
    """`theirs` is the engine's time (RFC 3339, nanoseconds allowed), `ours` seconds since 1970."""
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", theirs))
    seconds = abs(moment.timestamp() - ours)
    subject = tr("clock of the engine")
    if seconds > 5:
        return Finding(
            Level.FAULT, subject, tr("{seconds:.0f} s off", seconds=seconds),
            tr("Synchronise both machines (systemd-timesyncd or chrony): sign-ins depend on it."),
        )  # fmt: skip
    return Finding(Level.GOOD, subject, tr("agrees"))


def clock_synchronised(yes: bool) -> Finding:
    if yes:
        return Finding(Level.GOOD, tr("clock"), tr("synchronised"))
    return Finding(
        Level.WARNING, tr("clock"), tr("not synchronised"),
        tr("Install chrony or switch systemd-timesyncd on: openings and closings follow this clock."),
    )  # fmt: skip


def disk(subject: str, usage: tuple[int, int, int]) -> Finding:
    total, _, free = usage
    share = free / total if total else 0
    text = tr("{free:.1f} GiB free ({percent:.0f} %)", free=free / GIB, percent=share * 100)
    remedy = tr("Make room (docker image prune, docker builder prune, the journals) or enlarge it.")
    if share < 0.05 or free < 2 * GIB:
        return Finding(Level.FAULT, subject, text, remedy)
    if share < 0.2 and free < 50 * GIB:
        return Finding(Level.WARNING, subject, text, remedy)
    return Finding(Level.GOOD, subject, text)


def quota(mount_options: str) -> Finding:
    subject = tr("quotas for homes")
    if re.search(r"\b(prjquota|pquota)\b", mount_options):
        return Finding(Level.GOOD, subject, tr("project quotas are on"))
    return Finding(
        Level.WARNING, subject, tr("the file system keeps none"),
        tr("One person can fill the disk: put volumes on XFS with “pquota” or ext4 with “prjquota”."),
    )  # fmt: skip


def ipvs(there: bool) -> Finding:
    # The platform publishes in host mode and resolves names itself (dnsrr): nothing here needs IPVS.
    text = tr("there") if there else tr("absent; the platform does without")
    return Finding(Level.GOOD, "IPVS", text)


def mount_propagation(shared: bool) -> Finding:
    subject = tr("mounts below /run/docker")
    if shared:
        return Finding(Level.GOOD, subject, tr("shared"))
    return Finding(
        Level.FAULT,
        subject,
        tr("private: the guard cannot follow the networks"),
        tr("mount --make-rshared /"),
    )


def bridge_rules(work: bool) -> Finding:
    subject = tr("nftables for bridges")
    if work:
        return Finding(Level.GOOD, subject, tr("work"))
    return Finding(
        Level.FAULT, subject, tr("refused by the kernel: servers would reach each other"),
        tr("Use a kernel with CONFIG_NF_TABLES_BRIDGE (Debian's and Ubuntu's have it)."),
    )  # fmt: skip


def log_caps(driver: str, options: Mapping[str, str]) -> Finding:
    subject = tr("log caps")
    if driver == "json-file" and "max-size" not in options:
        return Finding(
            Level.WARNING, subject, tr("none for containers outside the platform"),
            tr("Set log-opts max-size (10m) and max-file (3) in /etc/docker/daemon.json."),
        )  # fmt: skip
    return Finding(Level.GOOD, subject, f"{driver} {options.get('max-size', '')}".strip())


def addresses(subnet: IPv4Network | IPv6Network, used: int) -> Finding:
    subject = tr("addresses for servers")
    room = subnet.num_addresses - 8  # network, broadcast, gateway, the parts and the nodes
    text = tr("{subnet}, {free} of {room} free", subnet=subnet, free=room - used, room=room)
    if subnet.prefixlen > 20:
        return Finding(
            Level.FAULT,
            subject,
            text,
            tr("Too small: take the platform down, remove this network, bring it up again."),
        )
    if room - used < room / 5:
        return Finding(
            Level.WARNING, subject, text, tr("Stop idle servers sooner, or make a larger network.")
        )
    return Finding(Level.GOOD, subject, text)


def not_up(stack: str) -> Finding:
    return Finding(Level.WARNING, stack, tr("does not run"), tr("Start it with “./paillasse up”."))


def part(name: str, running: bool, error: str, service: str) -> Finding:
    if running:
        return Finding(Level.GOOD, name, tr("runs"))
    return Finding(
        Level.FAULT, name, tr("does not run") + (f" ({error})" if error else ""),
        tr("Read “docker service logs {service}”.", service=service),
    )  # fmt: skip
