"""Comparing passwords: the same words, the same work and the same locks for everybody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from environments import (
    AccountDisabled,
    AccountLocked,
    Actor,
    Refused,
    Role,
    Store,
    WrongCredentials,
    accounts,
    passwords,
    people,
)
from hub.login.checking import PasswordCheck, TooManyFailures
from hub.login.throttle import Throttle

ADMIN = Actor("root", Role.ADMIN)
PASSWORD, WRONG = "correct horse battery", "wrong password"
HERE = "192.0.2.1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/paillasse.sqlite")
    made.migrate()
    now = datetime.now(UTC)
    made.run_sync(accounts.create, ADMIN, "lea", Role.STUDENT, PASSWORD, now=now)
    made.run_sync(people.ensure, "lti-7", now=now)
    yield made
    made.dispose()


@pytest.fixture
def check(store: Store) -> PasswordCheck:
    return PasswordCheck(store)


async def refusal(check: PasswordCheck, name: str, password: str = WRONG) -> Refused:
    with pytest.raises(Refused) as refused:
        await check.prove(name, password, HERE)
    return refused.value


async def test_the_owner_is_proven_whatever_the_spelling(check: PasswordCheck) -> None:
    for name in ("lea", " LEA ", "ｌｅａ"):
        found = await check.prove(name, PASSWORD, HERE)
        assert (found.person.username, found.person.must_change_password) == ("lea", True)


@pytest.mark.parametrize(
    "name", ["lea", "nobody", "lti-7", "", "../../etc/passwd", "x" * 10_000, "l\u0435a", "a\0b"]
)
async def test_everybody_else_is_refused_and_then_locked_in_the_same_words(
    check: PasswordCheck, name: str
) -> None:
    told = [type(await refusal(check, name)) for _ in range(accounts.TRIES + 1)]
    assert told == [WrongCredentials] * (accounts.TRIES - 1) + [AccountLocked] * 2
    assert isinstance(await refusal(check, name, PASSWORD), AccountLocked)


async def test_the_same_work_is_done_for_a_name_that_nobody_has(
    check: PasswordCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []
    truly = passwords.matches

    def count(password: str, kept: str | None) -> bool:
        compared.append(kept)
        return truly(password, kept)

    monkeypatch.setattr(passwords, "matches", count)
    for name in ("lea", "nobody", "lti-7"):
        await refusal(check, name)
    assert len(compared) == 3
    assert compared[1:] == [None, None]


async def test_a_closed_account_is_told_to_its_owner_only(check: PasswordCheck, store: Store) -> None:
    store.run_sync(accounts.set_disabled, ADMIN, "lea", True)
    assert isinstance(await refusal(check, "lea", PASSWORD), AccountDisabled)
    assert isinstance(await refusal(check, "lea"), WrongCredentials)


async def test_a_hundred_guesses_at_once_are_five(check: PasswordCheck, store: Store) -> None:
    check.throttle = Throttle(burst=1000)
    told = await asyncio.gather(*(refusal(check, "lea") for _ in range(100)))
    assert sum(isinstance(each, WrongCredentials) for each in told) == accounts.TRIES - 1
    found = store.run_sync(accounts.credentials, "lea")
    assert found is not None
    assert found.person.locked_until is not None


async def test_a_network_that_guesses_names_is_slowed_down(check: PasswordCheck) -> None:
    check.throttle = Throttle(burst=5, per_minute=20)
    told = [await refusal(check, f"guess-{number}") for number in range(6)]
    assert isinstance(told[-1], TooManyFailures)
    assert 0 < int(told[-1].fields["seconds"]) <= 3
    assert isinstance(await refusal(check, "lea", PASSWORD), TooManyFailures)
    assert (await check.prove("lea", PASSWORD, "192.0.2.99")).person.username == "lea"


async def test_the_event_loop_goes_on_while_passwords_are_compared(
    check: PasswordCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda _given, _kept: time.sleep(0.3) is None)
    proving = asyncio.create_task(check.prove("lea", PASSWORD, HERE))
    ticks = 0
    while not proving.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 10


async def test_accounts_are_not_made_without_end(check: PasswordCheck) -> None:
    for _ in range(300):
        check.count_arrival(HERE)
    with pytest.raises(TooManyFailures):
        check.count_arrival(HERE)
