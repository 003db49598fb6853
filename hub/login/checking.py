"""Comparing a password: constant work, locks that tell nothing, one guess at a time for one name."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from environments import (
    AccountDisabled,
    AccountLocked,
    Invalid,
    Refused,
    Store,
    WrongCredentials,
    accounts,
    names,
    passwords,
)
from hub.i18n import N_
from hub.login.throttle import ShadowLocks, Throttle

# Two at a time leave the Hub's loop and the rest of the machine some breath when a class arrives.
THREADS = 2


class TooManyFailures(Refused):
    """This network has been wrong too often; field `seconds` says how long to wait."""

    reason = "too-many-failures"
    message = N_("Too many failed attempts from your network. Try again in %(span)s.")


class PasswordCheck:
    """Proves the owner of a local account, and refuses everybody else in the same time and words."""

    def __init__(self, store: Store, throttle: Throttle | None = None) -> None:
        self.store = store
        self.throttle = throttle or Throttle()
        # A class that registers at once is larger than a class that mistypes at once.
        self._arrivals = Throttle(burst=300, per_minute=30)
        self._shadow = ShadowLocks(accounts.lock_for)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def prove(self, name: str, password: str, address: str) -> accounts.Credentials:
        """Compare a password; the answer may say that a new one must be chosen before anything else.

        Raises TooManyFailures, AccountLocked, AccountDisabled (to the owner only) or WrongCredentials.
        """
        self._check_network(address)
        try:
            username = names.parse_username(name[:100])
        except Invalid:
            username = name[:100].lower()
        # A hundred guesses at once would all see the lock still open: they take turns.
        turn = self._turns.setdefault(username, asyncio.Lock())
        async with turn:
            found = await self._found(username)
            self._check_lock(username, found, address)
            if not await self._compare(password, found):
                raise await self._failure(username, found, address)
        if found is None or found.person.disabled:
            raise AccountDisabled
        await self.store.run(accounts.record_login, username, now=datetime.now(UTC))
        return found

    def count_arrival(self, address: str) -> None:
        """Count an account that is about to be made; raises TooManyFailures when there were too many."""
        seconds = self._arrivals.wait(address, time.monotonic())
        if seconds:
            raise TooManyFailures(seconds=seconds)
        self._arrivals.fail(address, time.monotonic())

    async def _found(self, username: str) -> accounts.Credentials | None:
        """People who sign in elsewhere have no password here: the same as nobody."""
        found = await self.store.run(accounts.credentials, username)
        return found if found is not None and found.password_hash is not None else None

    async def _compare(self, password: str, found: accounts.Credentials | None) -> bool:
        known = found.password_hash if found else None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, passwords.matches, password, known)

    def _check_network(self, address: str) -> None:
        seconds = self.throttle.wait(address, time.monotonic())
        if seconds:
            raise TooManyFailures(seconds=seconds)

    def _check_lock(self, username: str, found: accounts.Credentials | None, address: str) -> None:
        until = found.person.locked_until if found else self._shadow.locked_until(username)
        if until is not None and until > datetime.now(UTC):
            self.throttle.fail(address, time.monotonic())
            raise AccountLocked(locked_until=until.isoformat())

    async def _failure(self, username: str, found: accounts.Credentials | None, address: str) -> Refused:
        self.throttle.fail(address, time.monotonic())
        now = datetime.now(UTC)
        if found is not None:
            until = await self.store.run(accounts.record_failure, username, now=now)
        else:
            until = self._shadow.fail(username, now)
        return AccountLocked(locked_until=until.isoformat()) if until else WrongCredentials()
