"""Keeps students' servers apart: nftables rules in their network and in the machine, ensured all the time.

Runs as root on every node, in the host's network, with NET_ADMIN and SYS_ADMIN. What it enforces:

- in the users network (one bridge per node, in a name space of its own): only the hub and the proxy talk to
  servers; a server can open one kind of connection, to the Hub's API;
- in the machine: nothing that comes from a container's way out reaches the machine itself, other
  containers' way out, the platform's own subnets (what answers there would be somebody else outside), or
  the link-local range where clouds keep their credentials.

The rules stay when this process ends, because a restart must leave no gap; `--remove` takes them away.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from types import FrameType
from typing import Any

import docker
from docker.errors import DockerException

log = logging.getLogger("guard")

NAMESPACES = Path("/run/docker/netns")
GATEWAY = "docker_gwbridge"
HUB_API_PORT = 8081
LINK_LOCAL = "169.254.0.0/16"
PACE = 0.5  # seconds between looks; a replaced hub is let in before it listens
RENEWAL = 5.0  # seconds after which rules are written again unasked: a firewall's reload flushes them
FAMILY = {4: "ip", 6: "ip6"}  # nftables' words
OVER = {"complete", "shutdown", "failed", "rejected", "orphaned", "remove"}


@dataclass(frozen=True)
class Addresses:
    """Where the platform's own parts are on the users network."""

    hub: frozenset[str] = frozenset()
    proxy: frozenset[str] = frozenset()


def overlay_rules(addresses: Addresses) -> str:
    """The users network: drop every frame that neither comes from the platform nor may go to it."""
    platform = addresses.hub | addresses.proxy
    return f"""\
add table bridge paillasse
delete table bridge paillasse
table bridge paillasse {{
  set platform {{ type ipv4_addr; {_elements(platform)} }}
  set hub {{ type ipv4_addr; {_elements(addresses.hub)} }}
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ip saddr @platform accept
    arp saddr ip @platform accept
    arp daddr ip @platform accept
    ip daddr @hub tcp dport {HUB_API_PORT} accept
    ip daddr @platform tcp flags & (syn | ack) != syn accept
    ip daddr @platform icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept
  }}
}}
"""


def host_rules(
    table: str, nameservers: Iterable[str], bind: str, port: int, subnets: Iterable[str] = ()
) -> str:
    """The machine: containers' way out leads outside and nowhere near, the host's name servers apart."""
    near = ", ".join(sorted({LINK_LOCAL, *(str(ip_network(each)) for each in subnets)}))
    return f"""\
add table inet {table}
delete table inet {table}
table inet {table} {{
  chain input {{
    type filter hook input priority -10; policy accept;
    iifname != "{GATEWAY}" accept
    ct state established,related accept
{_name_service(nameservers)}    drop
  }}
  chain forward {{
    type filter hook forward priority -10; policy accept;
    iifname != "{GATEWAY}" accept
    oifname "{GATEWAY}" drop
{_name_service(nameservers)}    ip daddr {{ {near} }} drop
    ip6 daddr {{ fe80::/10, fd00:ec2::/32 }} drop
  }}
{_bind_rules(bind, port)}}}
"""


def removal(table: str) -> str:
    """Takes the machine's rules away, and is content when there are none."""
    return f"add table inet {table}\ndelete table inet {table}\n"


def table_name(stack: str) -> str:
    """An nftables word for a stack; stacks have no underscore, so no two share one."""
    return f"paillasse_{stack.replace('-', '_')}"


def _elements(addresses: Iterable[str]) -> str:
    listed = ", ".join(sorted(str(ip_address(each)) for each in addresses))
    return f"elements = {{ {listed} }}" if listed else ""


def _name_service(nameservers: Iterable[str]) -> str:
    """The engine asks name servers from within a container's network, so its questions look like theirs."""
    question = "meta l4proto { tcp, udp } th dport 53 accept"
    addresses = [ip_address(each) for each in sorted(nameservers)]
    return "".join(f"    {FAMILY[each.version]} daddr {each} {question}\n" for each in addresses)


def _bind_rules(bind: str, port: int) -> str:
    """A Swarm port in host mode opens on all addresses: close the others before packets are rewritten."""
    address = ip_address(bind)
    if address.is_unspecified:
        return ""
    family, other = FAMILY[address.version], "ipv6" if address.version == 4 else "ipv4"
    closed = f"tcp dport {port} fib daddr type local"
    lines = "".join(
        f"""\
  chain {hook} {{
    type filter hook {hook} priority raw; policy accept;
    {closed} {family} daddr != {address} {verdict}
    {closed} meta nfproto {other} {verdict}
  }}
"""
        for hook, verdict in (("prerouting", "drop"), ("output", "reject with tcp reset"))
    )
    return lines


def addresses_of(tasks: Sequence[Mapping[str, Any]], network: str) -> frozenset[str]:
    """Addresses that living tasks hold on a network; a dead task's address may already be a student's."""
    return frozenset(
        str(ip_interface(address).ip)
        for task in tasks
        if task["Status"]["State"] not in OVER and task["DesiredState"] not in OVER
        for attachment in task.get("NetworksAttachments") or ()
        if attachment["Network"]["ID"] == network
        for address in attachment.get("Addresses") or ()
    )


def namespaces_of(network: str, names: Iterable[str]) -> list[str]:
    """The engine names an overlay's name space `<generation>-<first letters of the network's id>`."""
    found = []
    for name in names:
        match = re.fullmatch(r"\d+-([a-z0-9]{8,})", name)
        if match and network.startswith(match[1]):
            found.append(name)
    return sorted(found)


def nameservers_in(text: str) -> list[str]:
    """Name servers of a resolv.conf, the machine's own loopback apart: containers are never sent there."""
    words = [line.split() for line in text.splitlines() if line.startswith("nameserver")]
    addresses = [ip_address(each[1].partition("%")[0]) for each in words if len(each) > 1]
    return sorted(str(each) for each in addresses if not each.is_loopback)


@dataclass
class Guard:
    """Ensures the rules; forgets nothing while the engine is silent."""

    stack: str
    bind: str
    port: int
    client: docker.APIClient
    _written: dict[str, tuple[str, float]] = field(default_factory=dict)

    def look(self) -> None:
        """One round. Raises DockerException when the engine does not answer."""
        nameservers = nameservers_in(Path("/etc/resolv.conf").read_text())
        ours = self._networks()
        subnets = [pool["Subnet"] for each in ours.values() for pool in each["IPAM"]["Config"]]
        table = table_name(self.stack)
        self._ensure("host", host_rules(table, nameservers, self.bind, self.port, subnets), ())
        if users := ours.get(f"{self.stack}-users"):
            network = users["Id"]
            rules = overlay_rules(self._platform(network))
            for name in namespaces_of(network, (each.name for each in NAMESPACES.iterdir())):
                path = NAMESPACES / name
                # A name space that was made anew under the same name is another one, without rules.
                self._ensure(f"{name}:{path.stat().st_ino}", rules, ("nsenter", f"--net={path}"))

    def _networks(self) -> dict[str, dict[str, Any]]:
        names = (f"{self.stack}-control", f"{self.stack}-users")
        # The engine's filter matches parts of names.
        found = self.client.networks(names=list(names))
        return {each["Name"]: each for each in found if each["Name"] in names}

    def _platform(self, network: str) -> Addresses:
        return Addresses(
            hub=addresses_of(self._tasks("hub"), network), proxy=addresses_of(self._tasks("proxy"), network)
        )

    def _tasks(self, part: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.tasks(filters={"service": f"{self.stack}_{part}"})
        return found

    def _ensure(self, place: str, rules: str, prefix: Sequence[str]) -> None:
        written, moment = self._written.get(place, ("", 0.0))
        if rules == written and time.monotonic() - moment < RENEWAL:
            return
        if rules != written:
            log.info("new rules in %s", place)
        nft(rules, prefix)
        self._written[place] = (rules, time.monotonic())


def nft(rules: str, prefix: Sequence[str] = ()) -> None:
    """Apply rules in one transaction: there is no moment without any. Raises CalledProcessError."""
    subprocess.run([*prefix, "nft", "-f", "-"], input=rules, text=True, check=True, timeout=10)


def main() -> None:
    """Guard until told to stop; or, with --remove, take the machine's rules away."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    stack = os.environ["PAILLASSE_STACK"]
    if sys.argv[1:] == ["--remove"]:
        nft(removal(table_name(stack)))
        return
    client = docker.APIClient(version="auto", timeout=10)
    bind = os.environ.get("PAILLASSE_BIND", "0.0.0.0")  # noqa: S104  what the port is open on, not what we bind
    guard = Guard(stack, bind, int(os.environ.get("PAILLASSE_PORT", "8000")), client)
    signal.signal(signal.SIGTERM, _leave)
    while True:
        try:
            guard.look()
        except (DockerException, OSError, subprocess.SubprocessError) as error:
            # The rules that stand go on working; the next look will tell whether it has passed.
            log.warning("could not look: %s", error)
        time.sleep(PACE)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
