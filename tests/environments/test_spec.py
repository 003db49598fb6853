"""The model of an environment: what it takes, what it refuses, and that it survives being written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from environments import EnvironmentSpec, HomeKind, Invalid, Status, parse_data, parse_yaml, to_yaml
from environments.views import home_of, idle_of, resources_of, text_of
from tests.environments.support import CEILINGS, make_spec

MINIMAL = {"slug": "lab", "title": "Lab", "image": "paillasse/lab:1"}


def codes(**changes: Any) -> list[tuple[str, str]]:
    """Path and code of every problem of the minimal environment with these changes."""
    with pytest.raises(Invalid) as refused:
        parse_data({**MINIMAL, **changes}, CEILINGS)
    return [(problem.path, problem.code) for problem in refused.value.problems]


def test_little_needs_to_be_said() -> None:
    spec = parse_data(MINIMAL, CEILINGS)
    assert spec.status is Status.DRAFT
    assert spec.interface.port == 8888
    assert home_of(spec).kind is HomeKind.ENVIRONMENT
    assert resources_of(spec).memory_reservation == 256 * 2**20
    assert idle_of(spec).warning.total_seconds() == 600


def test_a_title_for_both_readers_or_one_for_each() -> None:
    both = text_of(make_spec(title={"fr": "Chimie", "en": "Chemistry"}).title)
    assert (both.in_language("fr-CA"), both.in_language("en"), both.in_language("de")) == (
        "Chimie",
        "Chemistry",
        "Chemistry",
    )
    assert text_of(make_spec(title={"fr": "Chimie"}).title).in_language("en") == "Chimie"
    assert text_of(make_spec(title="Lab").title).in_language("fr") == "Lab"


def test_short_forms_of_interface_and_home() -> None:
    spec = make_spec(interface="lab", home="none")
    assert spec.interface.kind == "lab"
    assert home_of(spec).path == ""


def test_a_reservation_left_out_stays_below_a_small_limit() -> None:
    resources = resources_of(make_spec(resources={"cpu": 0.05, "memory": "16M"}))
    assert (resources.cpu_reservation, resources.memory_reservation) == (0.05, 16 * 2**20)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"slug": "TP_1"}, ("slug", "slug")),
        ({"title": ""}, ("title.fr", "too-short")),
        ({"title": "two\nlines"}, ("title.fr", "one-line")),
        ({"title": {}}, ("title", "text-missing")),
        ({"title": 2024}, ("title", "mapping")),
        ({"title": {"de": "Labor"}}, ("title.de", "unknown-key")),
        ({"description": "a\0b"}, ("description.fr", "character")),
        ({"description": "x" * 20_001}, ("description.fr", "too-long")),
        ({"status": "open"}, ("status", "choice")),
        ({"image": "Paillasse/Lab"}, ("image", "image")),
        ({"image": "paillasse/lab:1; rm -rf /"}, ("image", "image")),
        ({"image": "--privileged"}, ("image", "image")),
        ({"image": "quay.io/other/lab:1"}, ("image", "image-not-allowed")),
        ({"command": "jupyter lab"}, ("command", "list")),
        ({"command": []}, ("command", "too-short")),
        ({"command": ["a", ""]}, ("command.1", "too-short")),
        ({"command": ["a\0"]}, ("command.0", "character")),
        ({"environment": {"A-B": "x"}}, ("environment.A-B", "variable-name")),
        (
            {"environment": {"JUPYTERHUB_API_TOKEN": "x"}},
            ("environment.JUPYTERHUB_API_TOKEN", "variable-reserved"),
        ),
        ({"environment": {"paillasse_x": "x"}}, ("environment.paillasse_x", "variable-reserved")),
        ({"environment": {"A": 1.10}}, ("environment.A", "quotes")),
        ({"environment": {"A": True}}, ("environment.A", "quotes")),
        ({"environment": {"A": None}}, ("environment.A", "quotes")),
        ({"interface": "desktop"}, ("interface.kind", "choice")),
        ({"interface": {"port": 70000}}, ("interface.port", "number")),
        ({"interface": {"path": "lab"}}, ("interface.path", "url-path")),
        ({"interface": {"path": "/../hub"}}, ("interface.path", "url-path")),
        ({"interface": {"path": "//evil.example"}}, ("interface.path", "url-path")),
        ({"resources": {"cpu": 0}}, ("resources.cpu", "number")),
        ({"resources": {"cpu": float("nan")}}, ("resources.cpu", "number")),
        ({"resources": {"cpu": 9}}, ("resources.cpu", "resources-too-large")),
        ({"resources": {"memory": "lots"}}, ("resources.memory", "size")),
        ({"resources": {"memory": True}}, ("resources.memory", "size")),
        ({"resources": {"memory": -1}}, ("resources.memory", "size")),
        ({"resources": {"memory": "17G"}}, ("resources.memory", "resources-too-large")),
        ({"resources": {"memory": "1M"}}, ("resources", "memory-too-small")),
        ({"resources": {"memory": "1G", "memory_reservation": "2G"}}, ("resources", "reservation")),
        ({"resources": {"pids": 5000}}, ("resources.pids", "resources-too-large")),
        ({"resources": {"shm": "3G"}}, ("resources.shm", "resources-too-large")),
        ({"home": {"kind": "shared"}}, ("home.kind", "choice")),
        ({"idle": {"timeout": "soon"}}, ("idle.timeout", "duration")),
        ({"idle": {"timeout": 60}}, ("idle.timeout", "duration")),
        ({"idle": {"timeout": "5s"}}, ("idle", "too-brief")),
        ({"idle": {"timeout": "5m", "warning": "10m"}}, ("idle", "warning")),
        ({"idle": {"max_duration": "8d"}}, ("idle.max_duration", "resources-too-large")),
        ({"idle": {"max_duration": "off"}}, ("idle.max_duration", "resources-too-large")),
        ({"opening": {"from": "2026-09-02", "until": "2026-09-01"}}, ("opening", "opening")),
        ({"opening": {"from": "next week"}}, ("opening.from", "date")),
        ({"privileged": True}, ("privileged", "unknown-key")),
        ({"mounts": ["/var/run/docker.sock:/var/run/docker.sock"]}, ("mounts", "unknown-key")),
    ],
)
def test_what_is_refused_and_where(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in codes(**changes)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc",
        "/etc/x",
        "/proc",
        "/proc/1",
        "/usr/local",
        "/var/run",
        "/dev/disk",
        "/home",
        "/sys/fs",
        "/run/x",
    ],
)
def test_a_home_never_covers_the_system(path: str) -> None:
    assert codes(home={"path": path}) in ([("home.path", "path-reserved")], [("home.path", "path")])


@pytest.mark.parametrize(
    "path",
    ["", "home/student", "/home/../etc", "/home/student/", "//etc", "/home/a b", "/home/./a", "/a\n", "~"],
)
def test_a_home_is_at_one_plain_place(path: str) -> None:
    assert [where for where, _ in codes(home={"path": path})] == ["home.path"]


@pytest.mark.parametrize("path", ["/home/student", "/home/jovyan/work", "/work", "/data/.hidden"])
def test_where_a_home_may_be(path: str) -> None:
    assert make_spec(home={"path": path}).home.path == path


def test_a_number_is_a_fine_value_for_a_variable() -> None:
    assert make_spec(environment={"SEED": 42, "B": "x"}).environment == {"SEED": "42", "B": "x"}


def test_a_wrong_key_gets_the_right_one_proposed() -> None:
    with pytest.raises(Invalid) as refused:
        parse_data({**MINIMAL, "resources": {"memmory": "1G"}, "opening": {"form": "2026-01-01"}}, CEILINGS)
    assert {problem.fields["meant"] for problem in refused.value.problems} == {"memory", "from"}


def test_the_class_of_a_refusal_says_its_one_kind() -> None:
    with pytest.raises(Invalid) as refused:
        parse_data({**MINIMAL, "image": "other/lab:1"}, CEILINGS)
    assert refused.value.reason == "image-not-allowed"
    assert "other/lab:1" in str(refused.value)


def test_the_schema_is_published_and_closed() -> None:
    schema = EnvironmentSpec.json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
    assert {"slug", "title", "image"} == set(schema["required"])
    assert all(
        section["additionalProperties"] is False
        for section in schema["$defs"].values()
        if "properties" in section
    )


def test_a_specification_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        make_spec().slug = "other"  # type: ignore[misc]


printable = st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]) | st.sampled_from(
    "\n\t \u00a0#:-'\""
)
durations = st.sampled_from(["off", "45m", "90m", "2h", "1d"])
specs = st.fixed_dictionaries(
    {
        "slug": st.from_regex(r"[a-z](-?[a-z0-9]){0,8}", fullmatch=True),
        "title": st.fixed_dictionaries(
            {},
            optional={
                "fr": st.just("Été : « à l’aise »"),
                "en": st.sampled_from(["# no comment", "yes", "1.0"]),
            },
        ).filter(bool),
        "image": st.just("paillasse/lab:1"),
    },
    optional={
        "description": st.text(printable, max_size=80),
        "status": st.sampled_from(list(Status)),
        "command": st.lists(st.text(printable, min_size=1), min_size=1),
        "environment": st.dictionaries(
            st.from_regex(r"[A-Z_]{1,6}", fullmatch=True),
            st.text(printable, max_size=30),
        ),
        "resources": st.fixed_dictionaries(
            {},
            optional={
                "cpu": st.floats(0.2, 8),
                "memory": st.integers(2**28, 2**34),
                "pids": st.integers(16, 4096),
            },
        ),
        "home": st.sampled_from(["none", "personal", {"kind": "environment", "path": "/work"}]),
        "idle": st.fixed_dictionaries(
            {"warning": st.sampled_from(["off", "5m"])}, optional={"timeout": durations}
        ),
        "opening": st.fixed_dictionaries(
            {
                "from": st.sampled_from([None, "2026-09-01"]),
                "until": st.sampled_from([None, "2026-12-01 18:00"]),
            }
        ),
    },
)


@given(specs)
def test_a_specification_survives_json_and_yaml(data: dict[str, Any]) -> None:
    spec = parse_data(data, CEILINGS, zone="Europe/Paris")
    assert EnvironmentSpec.model_validate_json(spec.canonical()) == spec
    assert parse_yaml(to_yaml(spec), CEILINGS) == spec
