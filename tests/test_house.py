"""The architecture is what it says: sizes of rooms, arrows between them, documented settings and reasons."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import environments

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("environments", "spawners", "hub", "config", "benchmarks", "tests")
LONGEST = 400  # lines; a room that outgrows that is two rooms


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def test_no_module_outgrows_its_room() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in modules()}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST} == {}


def test_every_module_says_in_one_sentence_what_it_is_for() -> None:
    silent = []
    for path in modules():
        text = path.read_text()
        if not text.strip():
            continue
        first = (ast.get_docstring(ast.parse(text)) or "").splitlines()[:1]
        if not first or not first[0].endswith((".", "?", ":")):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_the_arrows_between_rooms_point_one_way() -> None:
    # The console script sits beside the interpreter that runs this test.
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_every_setting_is_documented() -> None:
    names = set(re.findall(r"\bPAILLASSE_[A-Z_]+\b", (ROOT / "config" / "settings.py").read_text()))
    assert names
    for page in ("config/.env.example", "docs/deployment.md"):
        missing = names - set(re.findall(r"\bPAILLASSE_[A-Z_]+\b", (ROOT / page).read_text()))
        assert not missing, f"{page} does not name {sorted(missing)}"


def _subclasses(cls: type) -> Iterator[type]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


def test_every_reason_is_documented() -> None:
    reasons = {cls.reason for cls in _subclasses(environments.EnvironmentsError)}
    assert reasons
    page = (ROOT / "docs" / "reasons.md").read_text()
    assert sorted(reason for reason in reasons if f"`{reason}`" not in page) == []


@pytest.mark.parametrize(
    "pattern", [r"/home/[a-z]+/", r"/(?:tmp|root)/\w+/", r"index-url", r"https?://[\w.]*(?:pypi|npmjs)"]
)
def test_no_machine_and_no_registry_is_named(pattern: str) -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    found = []
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".png", ".svg", ".ico", ".woff2"} or path == Path(__file__) or not path.is_file():
            continue
        for match in re.findall(pattern, path.read_text(errors="ignore")):
            if match not in {"/home/student/", "/home/jovyan/"}:
                found.append(f"{name}: {match}")
    assert found == []
