"""The provider of local accounts: a name and a password, kept here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from environments import Role, Store, accounts
from hub.login.checking import PasswordCheck
from hub.login.forms import LoginPage, PasswordPage, RegisterPage
from hub.login.provider import Admission, Provider, Route


class LocalAccounts(Provider):
    """Its form stands on the sign-in page itself; the subject it proves is the username."""

    key: ClassVar[str] = "local"

    def __init__(self, store: Store, *, registration: bool) -> None:
        self.store = store
        self.check = PasswordCheck(store)
        self._registration = registration

    def routes(self) -> Sequence[Route]:
        """Signing in, changing a password, making an account where the site allows it."""
        given: dict[str, object] = {"check": self.check}
        return [
            (r"/login", LoginPage, given),
            (r"/password", PasswordPage, given),
            (r"/register", RegisterPage, given | {"allowed": self._registration}),
        ]

    async def admit(self, subject: str) -> Admission | None:
        """Whoever has an open account here."""
        found = await self.store.run(accounts.credentials, subject)
        if found is None or found.person.disabled or found.password_hash is None:
            return None
        return Admission(found.person.username, found.person.role is Role.ADMIN, found.stamp)
