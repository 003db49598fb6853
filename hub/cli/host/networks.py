"""The platform's two networks, on addresses nobody else here uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path

from hub.cli.host.console import Failure, step
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, docker
from hub.cli.host.site import Site

PRIVATE = ("10.128.0.0/9", "172.16.0.0/12", "10.0.0.0/9", "192.168.0.0/16")
PREFIX = 20  # 4,094 addresses: one for each server and each part


def free_subnets(taken: Iterable[IPv4Network], prefix: int) -> Iterator[IPv4Network]:
    """Private subnets of the given size that overlap none of those taken, in a stable order."""
    busy = tuple(taken)
    for pool in PRIVATE:
        for subnet in IPv4Network(pool).subnets(new_prefix=prefix):
            if not any(subnet.overlaps(other) for other in busy):
                yield subnet


def parse_routes(table: str) -> set[IPv4Network]:
    """Destinations of /proc/net/route (little-endian hexadecimal), the default route apart."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(fields[at]), "little") for at in (1, 7))
        if mask:
            found.add(IPv4Network((destination, mask.bit_count())))
    return found


def parse_nameservers(text: str) -> set[IPv4Network]:
    """The IPv4 name servers of a resolv.conf, as networks of one address."""
    words = [line.split() for line in text.splitlines() if line.startswith("nameserver")]
    addresses = [ip_address(each[1].partition("%")[0]) for each in words if len(each) > 1]
    return {IPv4Network((int(each), 32)) for each in addresses if each.version == 4}


def taken() -> set[IPv4Network]:
    """All that the machine and the engine use already, name servers behind the default route included."""
    found = parse_routes(Path("/proc/net/route").read_text())
    found |= parse_nameservers(Path("/etc/resolv.conf").read_text())
    names = docker("network", "ls", "-q").split()
    for network in json.loads(docker("network", "inspect", *names)) if names else []:
        for pool in (network["IPAM"] or {}).get("Config") or []:
            subnet = ip_network(pool["Subnet"], strict=False) if pool.get("Subnet") else None
            if isinstance(subnet, IPv4Network):
                found.add(subnet)
    return found


def ensure_networks(site: Site, *, internal: bool) -> str:
    """Make the networks that are missing; returns the control network's subnet. Raises Failure."""
    with step(tr("Networks")) as notes:
        control = _ensure(site, "control", ("--internal",) if internal else ())
        users = _ensure(site, "users", ())
        notes.append(f"{control}, {users}")
    return control


def _ensure(site: Site, name: str, options: tuple[str, ...]) -> str:
    full = site.object(name)
    # `ls --filter name=` matches parts of names: compare whole ones.
    if full not in docker("network", "ls", "--format", "{{.Name}}").split():
        _create(site, full, options)
    return docker("network", "inspect", full, "--format", "{{(index .IPAM.Config 0).Subnet}}")


def _create(site: Site, full: str, options: tuple[str, ...]) -> None:
    """Two installations may choose the same subnet at once: the engine refuses one, which looks further."""
    refusal = ""
    for subnet, _ in zip(free_subnets(taken(), PREFIX), range(8), strict=False):
        try:
            docker(
                "network", "create", "--driver", "overlay", "--subnet", str(subnet),
                "--label", f"paillasse.stack={site.stack}", *options, full,
            )  # fmt: skip
        except CommandFailed as error:
            refusal = error.output
            if "overlap" not in refusal.lower():
                break
        else:
            return
    raise Failure(
        tr("The network {name} could not be made.", name=full),
        tr("Read the engine's words above; “./paillasse doctor” may name the cause."),
        refusal,
    )
