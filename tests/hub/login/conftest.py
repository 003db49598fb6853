"""One live Hub for the tests of this room that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.login.live import PROXY, LiveHub


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A Hub and a proxy that run until this room is done."""
    if PROXY is None:
        pytest.skip("configurable-http-proxy is not installed: `./paillasse test` installs it")
    live = LiveHub(tmp_path_factory.mktemp("hub"))
    try:
        live.start()
        yield live
    finally:
        live.stop()
