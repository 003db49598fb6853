"""An installation for each test of the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli import runtime


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation of this test's own, in English."""
    monkeypatch.setenv("PAILLASSE_DATA", str(tmp_path))
    monkeypatch.setenv("PAILLASSE_PUBLIC_URL", "https://lab.example")
    monkeypatch.setenv("LC_ALL", "C")
    yield
    if runtime._store.cache_info().currsize:
        runtime._store().dispose()
    for kept in (runtime.settings, runtime.ceilings, runtime._store, runtime.language):
        kept.cache_clear()
