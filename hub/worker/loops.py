"""Each chore in a loop of its own, so that one that is stuck or broken holds up no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import httpx

from config.settings import Settings
from hub.hubapi import HubError
from hub.keeper_client import KeeperDown
from hub.worker.chores import Chores

log = logging.getLogger("paillasse.worker")

RECONCILE, RECHECK = 10.0, 2.0  # seconds; the second when something looked wrong
PROXY = 2.0
HOMES = 600.0
LONGEST_PAUSE = 30.0


async def run(chores: Chores, settings: Settings) -> None:
    """Until cancelled."""

    async def reconcile() -> float:
        return RECHECK if await chores.reconcile() else RECONCILE

    async with asyncio.TaskGroup() as loops:
        loops.create_task(forever("reconciliation", reconcile, RECONCILE))
        loops.create_task(forever("idle sweep", chores.sweep, settings.idle_check))
        loops.create_task(forever("proxy", chores.repair_proxy, PROXY))
        loops.create_task(forever("homes", chores.clear_homes, HOMES))


async def forever(
    name: str,
    chore: Callable[[], Awaitable[float | None]],
    every: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Do the chore, rest, do it again; what cannot be reached is waited for, ever longer."""
    troubles = 0
    while True:
        try:
            pause = await chore() or every
            if troubles:
                log.info("%s: works again", name)
            troubles = 0
        except (HubError, KeeperDown, httpx.HTTPError) as away:
            troubles += 1
            pause = min(every * troubles, max(every, LONGEST_PAUSE))
            if troubles in {1, 10, 100}:
                log.warning("%s: %s: %s", name, type(away).__name__, away)
        except Exception:
            troubles += 1
            pause = max(every, LONGEST_PAUSE)
            log.exception("%s: broke; next try in %s s", name, pause)
        await sleep(pause)
