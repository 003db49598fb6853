"""Subnets are chosen where nobody else is."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice

from hub.cli.host import networks

ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0102000A	0003	0	0	0	00000000	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
eth0	0000800A	00000000	0001	0	0	0	00F0FFFF	0	0	0
"""


def test_routes_are_read_from_the_kernel_and_the_default_route_takes_nothing() -> None:
    assert networks.parse_routes(ROUTES) == {IPv4Network("172.17.0.0/16"), IPv4Network("10.128.0.0/20")}


def test_a_name_server_inside_a_private_range_is_not_covered_up() -> None:
    text = "search example\nnameserver 10.129.0.53\nnameserver fe80::1%eth0\nnameserver ::1\noptions edns0\n"
    assert networks.parse_nameservers(text) == {IPv4Network("10.129.0.53/32")}


def test_the_first_free_subnets_overlap_nothing() -> None:
    taken = [IPv4Network("10.128.0.0/16"), IPv4Network("10.129.5.0/24"), IPv4Network("10.129.32.1/32")]
    found = list(islice(networks.free_subnets(taken, 20), 3))
    assert found == [
        IPv4Network("10.129.16.0/20"),
        IPv4Network("10.129.48.0/20"),
        IPv4Network("10.129.64.0/20"),
    ]


def test_when_ten_is_full_the_search_goes_on_elsewhere() -> None:
    taken = [IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/13")]
    assert next(networks.free_subnets(taken, 20)) == IPv4Network("172.24.0.0/20")


def test_none_free_is_an_end_and_not_a_loop() -> None:
    taken = [IPv4Network(pool) for pool in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    assert list(networks.free_subnets(taken, 20)) == []
