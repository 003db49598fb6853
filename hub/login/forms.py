"""The pages a person meets on the way in: sign in, new password, new account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httputil import url_concat

from environments import (
    AccountLocked,
    EnvironmentsError,
    Invalid,
    Refused,
    WrongCredentials,
    accounts,
)
from hub.i18n import N_, Words
from hub.login import sessions
from hub.login.checking import PasswordCheck, TooManyFailures
from hub.login.pages import TIMEZONE, reader
from hub.login.provider import Proof
from hub.login.throttle import caller

TICKET_DAYS = 1 / 48

_EXPIRED = N_("This form was open for too long. Please try again.")
_DIFFERENT = N_("The two passwords are not the same.")
_LOCKED = N_("Too many wrong passwords for this name. Try again at %(time)s, in %(span)s.")


class FormPage(BaseHandler):
    """A page with a form: its refusals are shown on the page itself, in the reader's language."""

    template = ""

    def initialize(self, check: PasswordCheck) -> None:
        self.check = check

    async def show(self, *problems: str, status: int = 200, **values: Any) -> None:
        """The form, with what is wrong and the values that were given."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        following = self.get_argument("next", "")
        self.finish(
            await self.render_template(self.template, problems=problems, following=following, **values)
        )

    def check_xsrf_cookie(self) -> None:
        """Say it in words: it mostly means that a tab was left open overnight."""
        try:
            super().check_xsrf_cookie()
        except web.HTTPError as expired:
            raise web.HTTPError(403, reader().say(_EXPIRED)) from expired

    @property
    def caller(self) -> str:
        """The address that asks."""
        forwarded = self.request.headers.get("X-Forwarded-For", "")
        return caller(forwarded, self.request.remote_ip, self.app.trusted_downstream_ips)

    def text(self, name: str) -> str:
        """A field of the posted form; passwords keep their spaces."""
        return str(self.get_body_argument(name, "", strip="password" not in name))

    def sentence(self, refusal: EnvironmentsError) -> list[str]:
        """What to tell the person: one sentence per problem."""
        if isinstance(refusal, Invalid) and refusal.problems:
            return [reader().say(each.message, **each.fields) for each in refusal.problems]
        words = Words(reader().language, ZoneInfo(self.settings[TIMEZONE]))
        if isinstance(refusal, AccountLocked):
            now, until = datetime.now(UTC), datetime.fromisoformat(str(refusal.fields["locked_until"]))
            return [reader().say(_LOCKED, time=words.moment(until, now), span=words.span(until - now))]
        if isinstance(refusal, TooManyFailures):
            return [reader().say(refusal.message, span=words.span(float(refusal.fields["seconds"])))]
        return [reader().say(refusal.message, **refusal.fields)]


class LoginPage(FormPage, LoginHandler):
    """Name and password, and a button for every other way in."""

    template = "login.html"

    def render_template(self, name: str, sync: bool = False, **ns: Any) -> Any:
        """An expired form is shown again rather than an error page."""
        if name == "error.html" and self.request.method == "POST":
            return self._login_page(sync, problems=[ns.get("message") or ns["status_message"]])
        return BaseHandler.render_template(self, name, sync, **ns)

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        return self._login_page(
            False, problems=[login_error] if login_error else [], username=username, **more
        )

    def _login_page(self, sync: bool, **more: Any) -> Any:
        others = [each for each in self.authenticator.providers.values() if each.label]
        following = self.get_argument("next", "")
        given = {"providers": others, "following": following, "username": self.get_argument("username", "")}
        return BaseHandler.render_template(self, "login.html", sync, **(given | more))

    async def post(self) -> None:
        """Sign in, or on to choosing a password, or the form again with the reason."""
        username = self.text("username")
        try:
            found = await self.check.prove(username, self.text("password"), self.caller)
        except Refused as refusal:
            await self._refuse(refusal, username)
            return
        if found.person.must_change_password:
            give_ticket(self, found)
            self.redirect(with_next(self, url_path_join(self.hub.base_url, "password")), status=303)
            return
        user = await sessions.begin(self, Proof("local", found.person.username))
        self.redirect(self.get_next_url(user), status=303)

    async def _refuse(self, refusal: Refused, username: str) -> None:
        self.log.warning("Refused sign-in of %r: %s", username[:32], refusal.reason)
        self.set_status(429 if isinstance(refusal, TooManyFailures) else 403)
        self.set_header("Cache-Control", "no-store")
        self.finish(await self._login_page(False, problems=self.sentence(refusal), username=username[:64]))


class PasswordPage(FormPage):
    """Choosing a password: after a one-time one, which opens no session, or when signed in."""

    template = "password.html"

    async def get(self) -> None:
        """The form; who is neither signing in nor signed in is sent to sign in."""
        if read_ticket(self) is None and self.current_user is None:
            self.redirect(self.settings["login_url"])
            return
        await self._form()

    async def post(self) -> None:
        """Set the password, end every other session, begin one here."""
        if self.text("new_password") != self.text("new_password_again"):
            await self._form(reader().say(_DIFFERENT), status=422)
            return
        try:
            username, expected = await self._proven()
            changed = await self.check.store.run(
                accounts.change_password, username, self.text("new_password"), expected=expected
            )
        except EnvironmentsError as refusal:
            await self._form(*self.sentence(refusal), status=422 if isinstance(refusal, Invalid) else 403)
            return
        user = await sessions.begin(self, Proof("local", changed.person.username))
        self.redirect(self.get_next_url(user), status=303)

    async def _proven(self) -> tuple[str, str]:
        """Whose password may be changed, and the stamp of the one that was proven."""
        ticket = read_ticket(self)
        if ticket is not None:
            return ticket
        if self.current_user is None:
            raise WrongCredentials
        found = await self.check.prove(self.current_user.name, self.text("password"), self.caller)
        return found.person.username, found.stamp

    async def _form(self, *problems: str, status: int = 200) -> None:
        ticket = read_ticket(self)
        name = ticket[0] if ticket else self.current_user.name if self.current_user else ""
        await self.show(*problems, status=status, username=name, first_time=ticket is not None)


class RegisterPage(FormPage):
    """Making one's own account, where the site allows it; elsewhere there is no such page."""

    template = "register.html"

    def initialize(self, check: PasswordCheck, allowed: bool) -> None:  # type: ignore[override]
        super().initialize(check)
        self.allowed = allowed

    async def prepare(self) -> None:
        """Nothing here while the switch is off, whatever is asked."""
        await super().prepare()
        if not self.allowed:
            raise web.HTTPError(404)

    async def get(self) -> None:
        """The empty form."""
        await self.show()

    async def post(self) -> None:
        """Make the account and sign in with it."""
        given = {"username": self.text("username"), "display_name": self.text("display_name")}
        if self.text("new_password") != self.text("new_password_again"):
            await self.show(reader().say(_DIFFERENT), status=422, **given)
            return
        try:
            self.check.count_arrival(self.caller)
            person = await self.check.store.run(
                accounts.register,
                given["username"],
                self.text("new_password"),
                display_name=given["display_name"],
                allowed=self.allowed,
                now=datetime.now(UTC),
            )
        except EnvironmentsError as refusal:
            await self.show(
                *self.sentence(refusal), status=422 if isinstance(refusal, Invalid) else 429, **given
            )
            return
        user = await sessions.begin(self, Proof("local", person.username))
        self.redirect(self.get_next_url(user), status=303)


def give_ticket(handler: BaseHandler, found: accounts.Credentials) -> None:
    """Half an hour to choose a password; worth nothing once the one-time password has changed."""
    ticket = json.dumps([found.person.username, found.stamp])
    handler._set_cookie(sessions.TICKET, ticket, path=handler.hub.base_url, samesite="Strict")


def read_ticket(handler: BaseHandler) -> tuple[str, str] | None:
    """Whose password is to be chosen, and the stamp of the one that was proven."""
    ticket = handler.get_secure_cookie(sessions.TICKET, max_age_days=TICKET_DAYS)
    if not ticket:
        return None
    username, stamp = json.loads(ticket)
    return username, stamp


def with_next(handler: BaseHandler, address: str) -> str:
    """Carry the destination along."""
    following = handler.get_argument("next", "")
    return url_concat(address, {"next": following}) if following else address
