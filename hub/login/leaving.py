"""The ways out of the Hub's own pages: signing out, and on to the portal."""

from __future__ import annotations

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LogoutHandler
from jupyterhub.utils import url_path_join
from tornado import web

from hub.login import sessions

PORTAL = "services/portal/"


class LogoutPage(LogoutHandler):
    """Ends the session here and makes every copy of its cookie worthless."""

    async def get(self) -> None:
        """Another site may not sign people out: what comes from there is asked to confirm."""
        if self.current_user and self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            self.finish(await self.render_template("logout.html", confirm=True))
            return
        await super().get()

    async def post(self) -> None:
        """The confirmed sign-out."""
        await super().get()

    async def default_handle_logout(self) -> None:
        """Sign out, then change what the cookie was made of."""
        user = self.current_user
        await super().default_handle_logout()
        if user:
            sessions.spoil_cookies(user)

    async def render_logout_page(self) -> None:
        """Say that it is done."""
        self.finish(await self.render_template("logout.html", confirm=False))


class ToPortal(BaseHandler):
    """The Hub's own home, start and waiting pages are the portal's; nothing starts here."""

    @web.authenticated
    async def get(self, username: str | None = None, slug: str | None = None) -> None:
        """To the start page of the server that was asked for, else home."""
        if username is not None and username != self.current_user.name:
            raise web.HTTPError(404)
        target = f"start/{slug}" if slug else ""
        self.redirect(url_path_join(self.base_url, PORTAL, target))
