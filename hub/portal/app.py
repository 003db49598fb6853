"""The portal as an application: `uvicorn --factory hub.portal.app:app`."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from config.settings import Settings
from environments import Store, queries
from hub.hubapi import HubApi, http_client
from hub.keeper_client import Keeper
from hub.portal import errors, urls
from hub.portal.auth import Doorkeeper
from hub.portal.context import Portal
from hub.portal.launcher import Launcher
from hub.portal.pages import about, account, files, home, join, people, servers, start
from hub.portal.render import Renderer
from hub.portal.security import Guard
from hub.portal.sessions import Sessions
from hub.portal.statics import Statics
from hub.portal.tail import Tail

PAGES = (home, join, start, servers, files, people, account, about)


def app() -> FastAPI:
    """The application as the environment of the process describes it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True  # it prints paths, and a path holds a join code
    return create_app(Settings.from_environ(os.environ))


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; its database is brought up to date when it starts."""
    statics = Statics()
    store = Store(settings.database_url, stack=settings.stack)
    hub = HubApi(http_client(f"{settings.hub_url}/hub/api"))
    portal = Portal(
        settings=settings,
        store=store,
        hub=hub,
        keeper=Keeper(http_client(settings.keeper_url), settings.secret("keeper_token")),
        sessions=Sessions(settings.secret("crypt_key"), https=settings.https),
        renderer=Renderer(settings, statics),
        doorkeeper=Doorkeeper(),
        launcher=Launcher(store, hub),
        tail=Tail(lambda after, launches: store.run(queries.events_after, after, launches)),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        store.migrate()
        try:
            yield
        finally:
            await portal.tail.close()
            await portal.launcher.close()
            await portal.hub.close()
            await portal.keeper.close()
            store.dispose()

    application = FastAPI(
        title="Paillasse", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    application.state.portal = portal
    _add_routes(application, statics)
    errors.install(application)
    application.add_middleware(Guard, crash_page=errors.crash_page)
    return application


def _add_routes(application: FastAPI, statics: Statics) -> None:
    for page in PAGES:
        application.include_router(page.router)
    application.include_router(join.bare)

    @application.get(f"{urls.PREFIX}/static/{{path:path}}")
    async def static(request: Request, path: str) -> Response:
        answer = statics.answer(request, path)
        if answer is None:
            raise HTTPException(404)
        return answer
