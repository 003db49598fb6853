"""Fixtures of every room; those that need an engine are only made when a test asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.platform import Platform, running_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for the whole run, brought up by `./paillasse up`."""
    with running_platform(tmp_path_factory.mktemp("platform")) as running:
        yield running
