"""The one authenticator: any number of providers prove who somebody is, one place admits and dismisses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.user import User
from tornado.web import RequestHandler
from traitlets import Bool, Unicode

from environments import Invalid, Store, names
from hub.login import discretion, pages, sessions
from hub.login.leaving import LogoutPage, ToPortal
from hub.login.local import LocalAccounts
from hub.login.provider import Admission, Proof, Provider, Route
from hub.login.statics import STATIC_ROUTES


class PaillasseAuthenticator(Authenticator):
    """Denies by default: without a proof that one of its providers has made, nobody is admitted."""

    database_url = Unicode(config=True, help="Where people and accounts are kept (SQLAlchemy URL).")
    language = Unicode("fr", config=True, help="Language when the browser asks for none of ours.")
    timezone = Unicode("Europe/Paris", config=True, help="Time zone of the hours shown on the pages.")
    self_registration = Bool(False, config=True, help="Whether people may make their own account.")

    # Everybody a provider admits may enter: the list of people is in the domain, not in traits.
    any_allow_config = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.store = Store(self.database_url)
        self.store.migrate()
        local = LocalAccounts(self.store, registration=self.self_registration)
        self.providers: dict[str, Provider] = {provider.key: provider for provider in (local,)}
        self._dismissals: set[asyncio.Task[None]] = set()

    def get_handlers(self, app: Any) -> Sequence[Route]:
        """Every page we add to the Hub; they come before the Hub's own of the same address."""
        pages.install()
        discretion.install()
        app.tornado_settings[pages.LANGUAGE] = self.language
        app.tornado_settings[pages.TIMEZONE] = self.timezone
        routes: list[Route] = [
            *STATIC_ROUTES,
            (r"/logout", LogoutPage),
            (r"/home", ToPortal),
            (r"/spawn(?:-pending)?(?:/(?P<username>[^/]+)(?:/(?P<slug>[^/]+))?)?", ToPortal),
        ]
        for provider in self.providers.values():
            routes.extend(provider.routes())
        return routes

    def normalize_username(self, username: str) -> str:
        """One spelling for look-alikes; what has none stays as it is and is then refused as invalid."""
        try:
            return names.parse_username(username)
        except Invalid:
            return username

    async def authenticate(self, handler: RequestHandler, data: dict[str, Any]) -> dict[str, Any] | None:
        """Admit whoever a provider has proven. A posted form cannot hold a Proof, only text."""
        proof = (data or {}).get("proof")
        if not isinstance(proof, Proof):
            return None
        admission = await self.providers[proof.provider].admit(proof.subject)
        if admission is None:
            return None
        self._end_outdated(handler, admission)
        return {
            "name": admission.username,
            "admin": admission.admin,
            "user_info": {"provider": proof.provider, "subject": proof.subject, "stamp": admission.stamp},
        }

    def check_allowed(self, username: str, authentication: dict[str, Any] | None = None) -> bool:
        """Only what `authenticate` has made passes; a bare name does not."""
        return bool(authentication and (authentication.get("user_info") or {}).get("stamp"))

    async def refresh_user(self, user: User, handler: RequestHandler | None = None) -> bool | dict[str, Any]:
        """Ask the provider again: a closed account or another password ends every open session."""
        info = user.user_info or {}
        provider = self.providers.get(info.get("provider", ""))
        admission = await provider.admit(info["subject"]) if provider else None
        if admission is None:
            self._dismiss(user, handler)
            return False
        if admission.stamp != info.get("stamp"):
            sessions.end_all(user)
            return False
        return True if admission.admin == user.admin else {"name": user.name, "admin": admission.admin}

    def _end_outdated(self, handler: Any, admission: Admission) -> None:
        """Sessions begun with an earlier password end before a new one begins."""
        known = handler.find_user(admission.username)
        if known is not None and (known.user_info or {}).get("stamp", admission.stamp) != admission.stamp:
            sessions.end_all(known)

    def _dismiss(self, user: User, handler: Any) -> None:
        """End what a person who may no longer be here has open, servers included."""
        for name, spawner in list(user.spawners.items()):
            if spawner.active and not spawner.pending and handler is not None:
                task = asyncio.create_task(sessions.stop_server(handler, user, name))
                self._dismissals.add(task)
                task.add_done_callback(self._dismissals.discard)
        sessions.end_all(user, servers=True)
