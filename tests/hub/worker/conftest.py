"""The same site as the portal's tests, seen by a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.hubapi import HubApi, http_client
from hub.keeper_client import Keeper
from hub.worker.chores import Chores
from tests.hub.double import WORKER
from tests.hub.portal.conftest import Site, running_site, settings_of, site

__all__ = ["chores", "running_site", "settings_of", "site"]


@pytest.fixture
async def chores(site: Site) -> AsyncIterator[Chores]:
    made = Chores(
        store=site.store,
        hub=HubApi(http_client(f"{site.url}/hub/api")),
        keeper=Keeper(http_client(site.url), "keeper-token"),
        proxy=http_client(site.url),
        token=WORKER,
        proxy_token="proxy-token",
    )
    yield made
    await made.hub.close()
    await made.keeper.close()
    await made.proxy.aclose()
