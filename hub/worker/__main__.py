"""`python -m hub.worker`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

from config.settings import Settings
from environments import Store
from hub.hubapi import HubApi, http_client
from hub.keeper_client import Keeper
from hub.worker import loops
from hub.worker.chores import Chores


async def main() -> None:
    """Work until told to stop."""
    settings = Settings.from_environ(os.environ)
    store = Store(settings.database_url, stack=settings.stack)
    store.migrate()
    chores = Chores(
        store=store,
        hub=HubApi(http_client(f"{settings.hub_url}/hub/api")),
        keeper=Keeper(http_client(settings.keeper_url), settings.secret("keeper_token")),
        proxy=http_client(settings.proxy_api_url, timeout=5),
        token=settings.secret("worker_token"),
        proxy_token=settings.secret("proxy_token"),
    )
    working = asyncio.create_task(loops.run(chores, settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        logging.getLogger("paillasse.worker").info("told to stop")
    finally:
        await chores.hub.close()
        await chores.keeper.close()
        await chores.proxy.aclose()
        store.dispose()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(main())
