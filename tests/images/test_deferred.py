"""A deferred module behaves as an ordinary one to everybody who uses it, and costs nothing until then."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faststart import deferred


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `heavy` with a part, which counts in `heavy.log` how often its code runs."""
    heavy = tmp_path / "heavy"
    heavy.mkdir()
    note = "with open(__file__.removesuffix('py') + 'log', 'a') as log: log.write('x')\n"
    (heavy / "__init__.py").write_text(note + "ANSWER = 42\n")
    (heavy / "part.py").write_text(note + "from heavy import ANSWER\nclass Trouble(Exception): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield heavy
    for name in [name for name in sys.modules if name.partition(".")[0] == "heavy"]:
        del sys.modules[name]


@pytest.fixture
def finder() -> Iterator[deferred.Deferring]:
    made = deferred.install({"heavy": {}, "heavy.part": {"Trouble": LookupError}})
    yield made
    if made in sys.meta_path:
        sys.meta_path.remove(made)


def runs(package: Path, module: str = "__init__") -> int:
    log = package / f"{module}.log"
    return len(log.read_text()) if log.exists() else 0


def test_importing_runs_nothing_however_often(package: Path, finder: deferred.Deferring) -> None:
    for _ in range(2):
        importlib.import_module("heavy")
    assert runs(package) == 0


def test_the_first_use_runs_the_module_once(package: Path, finder: deferred.Deferring) -> None:
    heavy = importlib.import_module("heavy")
    assert (heavy.ANSWER, heavy.ANSWER) == (42, 42)
    assert runs(package) == 1
    assert type(heavy) is type(sys)


def test_a_name_given_in_advance_needs_no_run_and_is_replaced_by_it(
    package: Path, finder: deferred.Deferring
) -> None:
    part = importlib.import_module("heavy.part")
    assert part.Trouble is LookupError
    assert runs(package, "part") == 0
    assert part.ANSWER == 42
    assert part.Trouble is not LookupError
    assert (runs(package), runs(package, "part")) == (1, 1)


def test_a_missing_name_is_an_attribute_error(package: Path, finder: deferred.Deferring) -> None:
    heavy = importlib.import_module("heavy")
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        heavy.nothing_of_the_kind  # noqa: B018


def test_a_module_that_fails_says_so_at_every_use(package: Path, finder: deferred.Deferring) -> None:
    (package / "__init__.py").write_text("raise RuntimeError('out of order')")
    heavy = importlib.import_module("heavy")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of order"):
            heavy.ANSWER  # noqa: B018


def test_load_runs_a_deferred_module_and_leaves_others_alone(
    package: Path, finder: deferred.Deferring
) -> None:
    part = importlib.import_module("heavy.part")
    assert deferred.load(part).Trouble is not LookupError
    assert deferred.load(sys) is sys


def test_after_removal_modules_run_when_imported(package: Path, finder: deferred.Deferring) -> None:
    sys.meta_path.remove(finder)
    importlib.import_module("heavy")
    assert runs(package) == 1
