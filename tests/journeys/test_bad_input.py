"""Bad input from teachers and students: each its own clear words, and no trace left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults.kills import state_of
from tests.support.person import PORTAL, Person
from tests.support.platform import Platform, docker

pytestmark = pytest.mark.platform

IMAGE = "paillasse/jupyterlab-python:0.1"


@pytest.fixture(scope="module")
def student(platform: Platform) -> Iterator[Person]:
    with Person(platform.url, *platform.add_person("curious")) as person:
        yield person


@dataclass(frozen=True)
class Broken:
    """An environment that cannot start, and what the student must be told."""

    slug: str
    yaml: str
    failure: str
    says: tuple[str, ...]


BROKEN = [
    Broken("no-image", "image: paillasse/no-such-image:1", "image-missing", ("paillasse/no-such-image:1",)),
    Broken("exits", f"image: {IMAGE}\ncommand: [sh, -c, 'echo tired; exit 3']", "exit", ("3", "tired")),
    Broken(
        "silent",
        f"image: {IMAGE}\ncommand: [sleep, '600']\ninterface: {{kind: lab, port: 8765}}",
        "port-timeout",
        ("8765",),
    ),
    Broken(
        "small",
        f"image: {IMAGE}\nresources: {{cpu: 1, memory: 16M}}",
        "oom",
        ("16",),
    ),
]


def traces(platform: Platform, slug: str) -> list[str]:
    """Swarm services of this platform's people that belong to the environment, by its launches' names."""
    names = docker(
        "service", "ls", "--filter", f"label=paillasse.stack={platform.stack}", "--format", "{{.Name}}"
    ).split()
    return [name for name in names if slug in docker("service", "inspect", "-f", "{{json .Spec}}", name)]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.slug)
def test_an_environment_that_cannot_start_says_why(
    platform: Platform, student: Person, broken: Broken
) -> None:
    platform.apply(f"slug: {broken.slug}\ntitle: Broken\nstatus: published\n{broken.yaml}\n")
    began = time.monotonic()
    student.join(platform.link(broken.slug))
    page = student.get(f"{PORTAL}start/{broken.slug}")
    while not state_of(page).startswith("failed:") and time.monotonic() - began < 150:
        time.sleep(0.5)
        page = student.get(f"{PORTAL}start/{broken.slug}")
    assert state_of(page) == f"failed:{broken.failure}"
    for word in broken.says:
        assert word in page.text
    if broken.failure != "port-timeout":
        assert time.monotonic() - began < 30, "a failure that is certain must not be waited for"
    deadline = time.monotonic() + 20
    while traces(platform, broken.slug) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert traces(platform, broken.slug) == []


LINKS = {
    "unknown": (404, "link-unknown"),
    "expired": (410, "link-expired"),
    "used-up": (410, "link-used-up"),
    "revoked": (410, "link-revoked"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_that_opens_nothing_says_why(platform: Platform, student: Person, kind: str) -> None:
    status, reason = LINKS[kind]
    link = _link(platform, kind)
    page = student.get(link.removeprefix(platform.url))
    assert page.status_code == status
    assert f'data-reason="{reason}"' in page.text
    assert not [form for form in page.text.split("<form")[1:] if "/join/" in form.split(">")[0]]


def _link(platform: Platform, kind: str) -> str:
    if kind == "unknown":
        return f"{platform.url}/join/abcdefghijklmnopqrstuvwxyz"
    if kind == "expired":
        link = platform.link("jupyterlab-python", "--expires-in", "1s")
        time.sleep(2)
        return link
    if kind == "used-up":
        link = platform.link("jupyterlab-python", "--max-uses", "1")
        with Person(platform.url, *platform.add_person("first")) as first:
            first.join(link)
            first.wait_ready("jupyterlab-python")
            first.stop("jupyterlab-python")
        return link
    made = json.loads(platform.cli("env", "link", "jupyterlab-python", "--json").stdout)
    platform.cli("env", "revoke", str(made["id"]))
    return str(made["url"])


YAML = {
    "unknown key": ("slug: bad-key\ntitle: A\nimage: paillasse/x:1\nprivileged: true\n", ("privileged", "4")),
    "alias bomb": (
        "slug: bomb\ntitle: A\nimage: paillasse/x:1\nenvironment:\n  a: &a [x]\n  b: &b [*a, *a]\n",
        ("5",),
    ),
    "a slug the Hub refuses": ("slug: TP1_python\ntitle: A\nimage: paillasse/x:1\n", ("slug", "1")),
    "ten megabytes": ("slug: big\ntitle: " + "x" * 10_000_000 + "\n", ()),
    "not YAML": ("slug: [unclosed\n", ()),
}


@pytest.mark.parametrize("kind", YAML)
def test_yaml_that_is_refused_says_where(platform: Platform, kind: str) -> None:
    text, words = YAML[kind]
    before = platform.cli("env", "list").stdout
    refused = platform.apply(text, check=False)
    told = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "Traceback" not in told
    assert len(told) < 5_000
    for word in words:
        assert word in told
    assert platform.cli("env", "list").stdout == before
