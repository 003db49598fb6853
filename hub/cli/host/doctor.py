"""`paillasse doctor`: ask the machine and the engine, print each finding with its remedy."""

from __future__ import annotations

import ctypes
import json
import shutil
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from hub.cli.host import findings
from hub.cli.host.console import say
from hub.cli.host.debian import image_id
from hub.cli.host.down import PLATFORM
from hub.cli.host.engine import is_local, shares_mounts
from hub.cli.host.findings import Finding, Level
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, docker, succeeds
from hub.cli.host.site import Site
from hub.cli.host.stack import PARTS
from hub.cli.host.waiting import tasks

MARKS = {Level.GOOD: "✓", Level.WARNING: "!", Level.FAULT: "✗"}
TIME_ERROR = 5  # adjtimex(2): the kernel's clock is not synchronised


def doctor(site: Site) -> int:
    """Print every finding; 0 when none is a fault, 1 otherwise."""
    found = list(_examine(site))
    for finding in found:
        say(f"{MARKS[finding.level]} {finding.subject}: {finding.text}")
        if finding.remedy:
            say(f"    → {finding.remedy}")
    faults = sum(finding.level is Level.FAULT for finding in found)
    warnings = sum(finding.level is Level.WARNING for finding in found)
    say(tr("{faults} faults, {warnings} warnings", faults=faults, warnings=warnings))
    return 1 if faults else 0


def _examine(site: Site) -> Iterator[Finding]:
    try:
        info = json.loads(docker("info", "--format", "{{json .}}", timeout=30))
        if info.get("ServerErrors"):
            raise CommandFailed(("docker", "info"), "\n".join(info["ServerErrors"]))
    except CommandFailed as error:
        yield findings.engine_silent(error.output, known=shutil.which("docker") is not None)
        return
    version = json.loads(docker("version", "--format", "{{json .Server}}"))
    runc = next((each for each in version["Components"] if each["Name"] == "runc"), {"Version": "?"})
    yield findings.engine_version(version["Version"])
    yield findings.runc_version(runc["Version"])
    yield findings.storage(info["Driver"], dict(info["DriverStatus"] or []))
    yield findings.control_groups(info["CgroupVersion"])
    yield from findings.swarm(info["Swarm"])
    yield findings.memory(info["MemTotal"], _reserved_memory())
    yield findings.clock_difference(info["SystemTime"], time.time())
    if is_local():
        yield from _this_machine(info)
    if image_id(PLATFORM):
        yield from _with_our_image(site)
    yield from _network(site)
    yield from _parts(site)


def _this_machine(info: dict[str, Any]) -> Iterator[Finding]:
    yield findings.clock_synchronised(
        ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) != TIME_ERROR
    )
    root = Path(info["DockerRootDir"])
    yield findings.disk(tr("disk of the images and volumes"), shutil.disk_usage(_existing(root)))
    yield findings.quota(_mount_options(root, Path("/proc/mounts").read_text()))
    yield findings.ipvs(Path("/proc/net/ip_vs").exists())
    yield findings.mount_propagation(shares_mounts(Path("/run/docker")))


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _mount_options(path: Path, table: str) -> str:
    """Options of the file system a path is on: the longest mount point that begins it."""
    mounts = [line.split() for line in table.splitlines()]
    fitting = [each for each in mounts if path.is_relative_to(each[1])]
    return max(fitting, key=lambda each: len(each[1]))[3] if fitting else ""


def _with_our_image(site: Site) -> Iterator[Finding]:
    """What only shows from inside a container."""
    tables = "add table bridge doctor; add chain bridge doctor c { type filter hook forward priority 0; }"
    yield findings.bridge_rules(
        succeeds(
            "docker", "run", "--rm", "--network", "none", "--user", "0", "--cap-drop", "ALL",
            "--cap-add", "NET_ADMIN", PLATFORM, "nft", tables,
        )
    )  # fmt: skip
    status = docker("run", "--rm", "--network", "none", PLATFORM, "cat", "/proc/self/status")
    # Asked of a container, because not every engine tells its default.
    yield findings.privileges("NoNewPrivs:\t1" in status)
    container = docker("create", "--network", "none", PLATFORM, "true")
    try:
        config = json.loads(docker("inspect", "--format", "{{json .HostConfig.LogConfig}}", container))
    finally:
        docker("rm", container)
    yield findings.log_caps(config["Type"], config["Config"] or {})
    volume = site.object("data")
    if volume in docker("volume", "ls", "--quiet").split():
        words = docker(
            "run", "--rm", "--network", "none", "--mount", f"type=volume,source={volume},target=/d,readonly",
            PLATFORM, "stat", "--file-system", "--format", "%b %f %a %S", "/d",
        ).split()  # fmt: skip
        blocks, free, available, size = (int(word) for word in words)
        usage = (blocks * size, (blocks - free) * size, available * size)
        yield findings.disk(tr("disk of the data"), usage)


def _network(site: Site) -> Iterator[Finding]:
    name = site.object("users")
    if name not in docker("network", "ls", "--format", "{{.Name}}").split():
        return
    facts = json.loads(docker("network", "inspect", name))[0]
    subnet = ip_network(facts["IPAM"]["Config"][0]["Subnet"])
    ids = docker("service", "ls", "--quiet").split()
    services = json.loads(docker("service", "inspect", *ids)) if ids else []
    attached = [
        each
        for each in services
        if any(net["Target"] == facts["Id"] for net in each["Spec"]["TaskTemplate"].get("Networks") or [])
    ]
    yield findings.addresses(subnet, len(attached))


def _reserved_memory() -> int:
    """Bytes that all services of the Swarm reserve, one task each."""
    ids = docker("service", "ls", "--quiet").split() if succeeds("docker", "service", "ls") else []
    total = 0
    for each in json.loads(docker("service", "inspect", *ids)) if ids else []:
        resources = each["Spec"]["TaskTemplate"].get("Resources") or {}
        total += (resources.get("Reservations") or {}).get("MemoryBytes") or 0
    return total


def _parts(site: Site) -> Iterator[Finding]:
    there = tasks(site)
    if not there:
        yield findings.not_up(site.stack)
        return
    for part in PARTS:
        mine = [task for task in there if task.part == part]
        running = any(task.wanted and task.running for task in mine)
        yield findings.part(part, running, mine[0].error if mine else "", site.service(part))
