"""What every handler of one portal process shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fastapi import Request

from config.settings import Settings
from environments import Ceilings, Store
from hub.hubapi import HubApi
from hub.keeper_client import Keeper
from hub.portal.limiter import Limiter
from hub.portal.sessions import Sessions
from hub.portal.stream import RetryMemory

if TYPE_CHECKING:
    from hub.portal.auth import Doorkeeper
    from hub.portal.launcher import Launcher
    from hub.portal.render import Renderer
    from hub.portal.tail import Tail


@dataclass
class Portal:
    """One running portal."""

    settings: Settings
    store: Store
    hub: HubApi
    keeper: Keeper
    sessions: Sessions
    renderer: Renderer
    doorkeeper: Doorkeeper
    launcher: Launcher
    tail: Tail
    retries: RetryMemory = field(default_factory=RetryMemory)
    guesses_of_person: Limiter = field(default_factory=lambda: Limiter(20, 600))
    guesses_of_address: Limiter = field(default_factory=lambda: Limiter(300, 600))

    @staticmethod
    def now() -> datetime:
        """The one clock of the pages."""
        return datetime.now(UTC)

    @property
    def timezone(self) -> ZoneInfo:
        """Where the installation's people read the hour."""
        return ZoneInfo(self.settings.timezone)

    @property
    def ceilings(self) -> Ceilings:
        """The site's limits as the domain wants them."""
        settings = self.settings
        return Ceilings(
            cpu=settings.max_cpu,
            memory=settings.max_memory,
            pids=settings.max_pids,
            shm=settings.max_shm,
            max_duration=settings.max_duration,
            allowed_images=settings.allowed_images,
            servers_per_user=settings.servers_per_user,
        )


def portal_of(request: Request) -> Portal:
    """The portal that answers this request."""
    portal: Portal = request.app.state.portal
    return portal


def address_of(request: Request) -> str:
    """Where the request came from: what our own proxy wrote last, which a client cannot forge."""
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded.rpartition(",")[2].strip() or (request.client.host if request.client else "")
