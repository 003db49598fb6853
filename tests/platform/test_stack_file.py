"""The stack file: every part is bound, capped and confined, and every variable is explained."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from hub.cli.host.shell import ROOT
from hub.cli.host.stack import FILE, PARTS, SECRETS

STACK: dict[str, Any] = YAML(typ="safe").load(FILE.read_text())
SERVICES: dict[str, Any] = STACK["services"]


def test_the_parts_are_those_the_launcher_waits_for() -> None:
    assert set(SERVICES) == set(PARTS)
    assert set(STACK["secrets"]) == set(SECRETS)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_confined(part: str) -> None:
    service = SERVICES[part]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_ADMIN", "SYS_ADMIN"] if part == "guard" else [])
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    limits = service["deploy"]["resources"]["limits"]
    assert limits["memory"]
    assert limits["pids"] <= 1024


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_ends_is_back_at_once(part: str) -> None:
    policy = SERVICES[part]["deploy"]["restart_policy"]
    assert policy["condition"] == "any"
    assert policy["delay"] in ("0s", "1s")


def test_only_those_that_need_the_engine_see_its_socket() -> None:
    near = {
        part
        for part, service in SERVICES.items()
        for volume in service.get("volumes", [])
        if volume["target"] == "/var/run/docker.sock"
    }
    assert near == {"hub", "keeper", "guard"}


def test_students_servers_share_a_network_with_the_hub_and_the_proxy_alone() -> None:
    assert {part for part, service in SERVICES.items() if "users" in service["networks"]} == {"hub", "proxy"}


def test_one_port_is_published() -> None:
    assert [part for part, service in SERVICES.items() if service.get("ports")] == ["proxy"]


def test_no_secret_travels_in_a_variable() -> None:
    for service in SERVICES.values():
        assert [
            name for name in service["environment"] if re.search("TOKEN|SECRET$|KEY|PASSWORD", name)
        ] == []


def test_every_variable_is_explained() -> None:
    used = set(re.findall(r"\$\{(PAILLASSE_[A-Z_]+)", FILE.read_text()))
    told = set(re.findall(r"PAILLASSE_[A-Z_]+", (ROOT / "config/.env.example").read_text()))
    assert used
    assert used - told == set()


def test_the_example_shows_the_defaults_of_the_stack_file() -> None:
    defaults = dict(re.findall(r"\$\{(PAILLASSE_[A-Z_]+):-([^}]*)\}", FILE.read_text()))
    shown = dict(re.findall(r"^#(PAILLASSE_[A-Z_]+)=(.*)$", (ROOT / "config/.env.example").read_text(), re.M))
    assert {name: shown[name] for name in defaults} == defaults
