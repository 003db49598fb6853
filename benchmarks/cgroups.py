"""What a container has used, read from its control group (version 1 and 2)."""

from __future__ import annotations

from pathlib import Path

import docker

ROOT = Path("/sys/fs/cgroup")


def cpu_seconds(client: docker.DockerClient, container: str) -> float:
    """Processor seconds the container has used since it began."""
    group = _groups(client, container)
    if "cpuacct" in group:
        return int((group["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
    return _statistics(group[""] / "cpu.stat")["usage_usec"] / 1e6


def memory_bytes(client: docker.DockerClient, container: str) -> int:
    """Memory in use, without the files the kernel only keeps in case they are read again."""
    group = _groups(client, container)
    if "memory" in group:
        used = int((group["memory"] / "memory.usage_in_bytes").read_text())
        return used - _statistics(group["memory"] / "memory.stat")["total_inactive_file"]
    used = int((group[""] / "memory.current").read_text())
    return used - _statistics(group[""] / "memory.stat")["inactive_file"]


def _groups(client: docker.DockerClient, container: str) -> dict[str, Path]:
    """Controller → directory; version 2 has one directory, under the empty name."""
    pid = client.api.inspect_container(container)["State"]["Pid"]
    groups: dict[str, Path] = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            groups[""] = ROOT / path.lstrip("/")
        for controller in filter(None, controllers.split(",")):
            groups[controller] = ROOT / controller / path.lstrip("/")
    return groups


def _statistics(file: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}
