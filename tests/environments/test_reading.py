"""YAML from strangers: every problem with its place, at once; hostile text is one clear Invalid, quickly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments import EnvironmentSpec, Invalid, Problem, parse_yaml
from environments.yaml_tree import MAX_BYTES, MAX_DEPTH
from tests.environments.support import CEILINGS

HEAD = "slug: lab\ntitle: Lab\nimage: paillasse/lab:1\n"


def problems(text: str) -> list[Problem]:
    with pytest.raises(Invalid) as refused:
        parse_yaml(text, CEILINGS)
    return list(refused.value.problems)


def read(text: str) -> EnvironmentSpec | list[Problem]:
    """The specification, or what is wrong with it; any other exception comes out."""
    try:
        return parse_yaml(text, CEILINGS)
    except Invalid as refused:
        return list(refused.problems)


def places(text: str) -> list[tuple[str, str, int | None, int | None]]:
    return [(each.path, each.code, each.line, each.column) for each in problems(text)]


def test_a_whole_definition_with_comments() -> None:
    spec = parse_yaml(
        "# my course\n" + HEAD + "opening:\n  until: 2026-12-01  # included\ncommand: [a, '1']\n",
        CEILINGS,
        zone="Europe/Paris",
    )
    assert spec.command == ("a", "1")
    assert spec.opening.closes_at is not None
    assert spec.opening.closes_at.isoformat() == "2026-12-01T23:00:00+00:00"


def test_all_problems_are_told_at_once_in_the_order_of_the_text() -> None:
    text = (
        "slug: TP_1\ntitel: Lab\nimage: paillasse/lab:1\nresources:\n  cpu: many\n  memory: 20G\nslug: tp\n"
    )
    assert [(path, code) for path, code, _, _ in places(text)] == [
        ("title", "missing"),
        ("titel", "unknown-key"),
        ("resources.cpu", "number"),
        ("slug", "duplicate-key"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HEAD + "privileged: true\n", ("privileged", "unknown-key", 4, 1)),
        (HEAD + "resources:\n  cpu: 1\n  memmory: 1G\n", ("resources.memmory", "unknown-key", 6, 3)),
        (HEAD + "resources: {cpu: 99}\n", ("resources.cpu", "resources-too-large", 4, 13)),
        (HEAD + "environment:\n  A.B: x\n", ("environment.A.B", "variable-name", 5, 3)),
        (HEAD + "command:\n  - a\n  - 2\n", ("command.1", "text", 6, 5)),
        (HEAD + "interface: code\n", ("interface.kind", "choice", 4, 1)),
        (HEAD + "title: Again\n", ("title", "duplicate-key", 4, 1)),
        (HEAD + "resources:\n", ("resources", "mapping", 4, 1)),
        ("title: Lab\nimage: paillasse/lab:1\n", ("slug", "missing", 1, 1)),
        ("- a\n", ("", "mapping", 1, 1)),
        ("", ("", "mapping", 1, 1)),
        ("just words", ("", "mapping", 1, 1)),
        ("slug: [unclosed\n", ("", "yaml", 2, 1)),
        ("a: b: c", ("", "yaml", 1, 5)),
        (HEAD + "\tx: 1", ("", "yaml", 4, 1)),
        (HEAD + "? [a]\n: b\n", ("", "yaml-key", 4, 3)),
        (HEAD + "---\n" + HEAD, ("", "yaml-documents", 4, 1)),
        (HEAD + "home: !!python/object/apply:os.system ['id']\n", ("", "yaml-tag", 4, 7)),
        (HEAD + "home: !!str none\n", ("", "yaml-tag", 4, 7)),
        (HEAD + "a: &a [x]\nb: [*a, *a]\n", ("", "yaml-alias", 4, 4)),
        (HEAD + "<<: *x\n", ("", "yaml-alias", 4, 5)),
        ('description: "\\ud800"\n', ("description.fr", "character", 1, 1)),
        ("slug: \ud800\n", ("", "yaml-encoding", 1, 1)),
    ],
)
def test_the_place_of_a_problem(text: str, place: tuple[str, str, int, int]) -> None:
    assert place in places(text)


def test_a_sentence_says_what_to_do() -> None:
    (problem,) = problems(HEAD + "resorces: {}\n")
    assert str(problem) == (
        "line 4, column 1: resorces: The key resorces is not known here. Did you mean resources?"
    )


def test_a_hostile_key_does_not_reach_the_terminal() -> None:
    (problem,) = problems(HEAD + '"\\x1b]0;owned\\a": 1\n')
    assert str(problem).isprintable()


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
)
HOSTILE = {
    "ten megabytes": "title: " + "x" * 10_000_000,
    "alias bomb": BOMB,
    "deep lists": "[" * MAX_BYTES,
    "deep mappings": "{" * MAX_BYTES,
    "deep blocks": "- " * (MAX_BYTES // 2),
    "deep keys": "? " * (MAX_BYTES // 2),
    "deep indentation": "\n".join(" " * i + "a:" for i in range(700)),
    "just too deep": "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    "huge integer": HEAD + "resources: {pids: " + "9" * 5000 + "}",
    "huge float": HEAD + "resources: {cpu: 1e999}",
    "huge size": HEAD + "resources: {memory: " + "9" * 5000 + "G}",
    "huge duration": HEAD + "idle: {timeout: " + "9" * 5000 + "d}",
    "huge directive": "%YAML " + "9" * 5000 + ".1\n---\n" + HEAD,
    "impossible escape": 'slug: "\\UFFFFFFFF"',
    "python tag": "!!python/object/apply:os.system ['id']",
    "many keys": "".join(f"k{i}: 1\n" for i in range(25_000)),
    "many documents": "--- \n" * 50_000,
    "one long line": "slug: " + "x " * 125_000,
    "one long tag": "!" + "a" * 250_000,
    "unclosed quote": '"' + "x\n" * 125_000,
    "many unknown keys": HEAD + "".join(f"resource{i}: 1\n" for i in range(4000)),
    "NUL": "slug: a\0b",
    "control characters": "".join(map(chr, range(32))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_quickly(name: str) -> None:
    began = time.process_time()
    found = problems(HOSTILE[name])
    assert time.process_time() - began < 1.0
    assert all(problem.line and problem.column for problem in found)
    assert sum(len(str(problem)) for problem in found) < 5_000


WORDS = [
    *EnvironmentSpec.model_fields,
    "kind",
    "path",
    "cpu",
    "memory",
    "timeout",
    "from",
    "fr",
    "docker.sock",
    "..",
]
scalars = st.sampled_from(
    [*WORDS, "1", "1G", "60m", "off", "lab", "none", "true", "~", "-1", "1e400", "2026-09-01"]
)
scalars |= st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: "[" + ", ".join(each) + "]")
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3).map(
            lambda each: "{" + ", ".join(f"{key}: {value}" for key, value in each.items()) + "}"
        )
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(WORDS), values, max_size=8).map(
    lambda each: "".join(f"{key}: {value}\n" for key, value in each.items())
)
noise = st.text(alphabet="-?:,[]{}#&*!|>'\"%@`~<=\\ \t\r\nab01\x85\u2028\ufeff\ud800", max_size=60)


@settings(max_examples=400, deadline=None)
@given(documents | noise | st.tuples(documents, noise).map("".join) | st.text(max_size=60))
def test_any_text_gives_a_specification_or_invalid(text: str) -> None:
    found = read(text)
    if isinstance(found, EnvironmentSpec):
        assert EnvironmentSpec.model_validate_json(found.canonical()) == found
    else:
        assert found
        assert all(problem.line and problem.column and problem.sentence for problem in found)


mutations = st.lists(st.tuples(st.integers(0, 400), st.sampled_from("x:-[]{}'\"&*!#\n 0\t")), max_size=4)
WHOLE = HEAD + (
    "description:\n  fr: |\n    Bonjour\n  en: Hello\nstatus: published\ncommand: [a, b]\n"
    "environment:\n  A: '1'\ninterface: {kind: lab, port: 8888, path: /lab}\n"
    "resources:\n  cpu: 1\n  memory: 1G\nhome:\n  kind: personal\n  path: /home/student\n"
    "idle: {timeout: 60m, max_duration: 12h, warning: 10m}\nopening: {from: 2026-09-01}\n"
)


@settings(max_examples=200, deadline=None)
@given(mutations)
def test_a_definition_with_slips_is_read_or_refused(slips: list[tuple[int, str]]) -> None:
    text = WHOLE
    for at, character in slips:
        text = text[: at % len(text)] + character + text[at % len(text) :]
    found = read(text)
    assert isinstance(found, EnvironmentSpec) or all(problem.line and problem.column for problem in found)
