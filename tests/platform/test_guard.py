"""The guard's rules as text, and what it reads them from."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest

from spawners import guard
from spawners.guard import Addresses

EVERYWHERE = "0.0.0.0"  # noqa: S104
NETWORK = "z63673t8dmabcdefghijklmno"


def task(
    address: str, state: str = "running", desired: str = "running", network: str = NETWORK
) -> dict[str, Any]:
    return {
        "Status": {"State": state},
        "DesiredState": desired,
        "NetworksAttachments": [{"Network": {"ID": network}, "Addresses": [address]}],
    }


def test_addresses_are_those_of_living_tasks_on_this_network() -> None:
    tasks = [
        task("10.1.0.5/20"),
        task("10.1.0.6/20", state="assigned"),
        task("10.1.0.7/20", state="preparing", desired="ready"),
        task("10.1.0.8/20", state="failed"),
        task("10.1.0.9/20", desired="shutdown"),
        task("10.2.0.5/20", network="another"),
        {"Status": {"State": "new"}, "DesiredState": "running"},
    ]
    assert guard.addresses_of(tasks, NETWORK) == {"10.1.0.5", "10.1.0.6", "10.1.0.7"}


def test_the_name_space_of_a_network_is_found_in_every_generation() -> None:
    names = [
        "1-z63673t8dm",
        "12-z63673t8d",
        "1-2chstf8ms5",
        "lb_z63673t8d",
        "ingress_sbox",
        "1-z6",
        "default",
    ]
    assert guard.namespaces_of(NETWORK, names) == ["1-z63673t8dm", "12-z63673t8d"]


def test_servers_may_only_open_connections_to_the_hub_api() -> None:
    rules = guard.overlay_rules(Addresses(hub=frozenset({"10.1.0.5"}), proxy=frozenset({"10.1.0.2"})))
    assert "policy drop" in rules
    assert "elements = { 10.1.0.2, 10.1.0.5 }" in rules
    assert re.findall(r"dport (\S+)", rules) == ["8081"]
    assert "ip daddr @hub tcp dport 8081 accept" in rules


def test_with_no_platform_in_sight_nothing_passes() -> None:
    rules = guard.overlay_rules(Addresses())
    assert "elements" not in rules
    assert "policy drop" in rules


def test_rules_replace_what_was_there_in_one_transaction() -> None:
    for rules in (guard.overlay_rules(Addresses()), guard.host_rules("paillasse_x", [], EVERYWHERE, 8000)):
        first, second, third = rules.splitlines()[:3]
        assert first.startswith("add table")
        assert second == first.replace("add", "delete", 1)
        assert third == first.replace("add ", "", 1) + " {"


def test_an_unbound_port_needs_no_rule_and_a_bound_one_closes_the_other_addresses() -> None:
    assert "8000" not in guard.host_rules("t", [], EVERYWHERE, 8000)
    bound = guard.host_rules("t", [], "127.0.0.1", 8000)
    assert bound.count("tcp dport 8000 fib daddr type local ip daddr != 127.0.0.1") == 2
    assert bound.count("meta nfproto ipv6") == 2
    six = guard.host_rules("t", [], "::1", 8000)
    assert six.count("ip6 daddr != ::1") == 2
    assert six.count("meta nfproto ipv4") == 2


def test_name_servers_on_the_machine_or_in_the_link_local_range_stay_reachable() -> None:
    text = "nameserver 127.0.0.53\nnameserver 169.254.169.254\nnameserver fd00::53\n# nameserver 1.1.1.1\n"
    servers = guard.nameservers_in(text)
    assert servers == ["169.254.169.254", "fd00::53"]
    rules = guard.host_rules("t", servers, EVERYWHERE, 8000)
    assert rules.count("ip daddr 169.254.169.254 meta l4proto { tcp, udp } th dport 53 accept") == 2
    assert rules.index("169.254.169.254 meta") < rules.index("169.254.0.0/16 }")
    assert "ip6 daddr fd00::53 meta" in rules


def test_the_platforms_subnets_are_not_looked_for_outside() -> None:
    rules = guard.host_rules("t", [], EVERYWHERE, 8000, ["10.128.16.0/20", "10.128.0.0/20"])
    assert "ip daddr { 10.128.0.0/20, 10.128.16.0/20, 169.254.0.0/16 } drop" in rules


@pytest.mark.parametrize("address", ["10.0.0.1; drop", "hub", ""])
def test_what_is_no_address_never_becomes_a_rule(address: str) -> None:
    with pytest.raises(ValueError):
        guard.overlay_rules(Addresses(hub=frozenset({address})))
    with pytest.raises(ValueError):
        guard.host_rules("t", [address], EVERYWHERE, 8000)


def test_two_stacks_have_two_tables() -> None:
    assert guard.table_name("lab-2") == "paillasse_lab_2"


@pytest.mark.skipif(
    not shutil.which("nft"), reason="nftables is in the platform image, not always on the machine"
)
def test_nftables_understands_every_rule() -> None:
    addresses = Addresses(hub=frozenset({"10.1.0.5"}), proxy=frozenset({"10.1.0.2"}))
    for rules in (
        guard.overlay_rules(addresses),
        guard.overlay_rules(Addresses()),
        guard.host_rules("t", ["10.0.0.53", "fd00::53"], "127.0.0.1", 8000),
        guard.host_rules("t", [], "::1", 8000, ["10.128.0.0/20"]),
        guard.removal("t"),
    ):
        done = subprocess.run(["nft", "--check", "-f", "-"], input=rules, text=True, capture_output=True)
        assert done.returncode == 0 or "permitted" in done.stderr, done.stderr
