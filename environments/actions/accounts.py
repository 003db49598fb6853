"""Local accounts: made one by one, from a class list or by oneself; passwords, locks, closing.

A password is checked outside the transaction (it costs tens of milliseconds of work): `credentials` is read,
the password compared, then `record_login` or `record_failure` written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from environments import models
from environments.errors import (
    N_,
    Invalid,
    NotFound,
    NotYours,
    Problem,
    RegistrationClosed,
    UsernameTaken,
    WeakPassword,
    WrongCredentials,
)
from environments.names import RESERVED_USERNAMES, parse_username
from environments.passwords import check_password, hash_password, matches, stamp
from environments.roster import Entry
from environments.store import reads
from environments.values import Actor, PersonView, Role
from environments.views import person_view

TRIES = 5
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)

_LOOKS_LIKE = str.maketrans({"0": "o", "1": "l", "_": "-", ".": "-"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is needed to check a password; `stamp` changes with the password."""

    person: PersonView
    password_hash: str | None
    stamp: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of people, by username; pages are counted from 1."""

    people: tuple[PersonView, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Import:
    """What became of a class list: usernames, and the passwords to hand out (username, one-time password)."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    passwords: tuple[tuple[str, str], ...]
    dry_run: bool


def lock_for(failures: int) -> timedelta | None:
    """How long so many wrong passwords in a row lock an account: 30 s, then twice as long each time."""
    if failures < TRIES:
        return None
    doublings = min(failures - TRIES, 20)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def create(
    session: Session,
    actor: Actor,
    username: str,
    role: Role,
    password: str | None,
    *,
    display_name: str = "",
    must_change: bool = True,
    now: datetime,
) -> PersonView:
    """Make an account; without a password the person can sign in by other means only.

    Raises NotYours unless an administrator asks, Invalid or WeakPassword for what is given, UsernameTaken.
    """
    _check_admin(actor)
    name = parse_username(username)
    if password is not None:
        check_password(password, name)
    person = _find(session, name)
    if person is not None and person.account is not None:
        raise _taken(name)
    hashed = hash_password(password) if password is not None else None
    if person is None:
        person = _add(session, name, display_name, role, now)
    else:
        person.role, person.display_name = role, display_name or person.display_name
    person.account = models.Account(
        password_hash=hashed, must_change=must_change and hashed is not None, created_by=actor.username
    )
    session.flush()
    return person_view(person)


def register(
    session: Session, username: str, password: str, *, display_name: str = "", allowed: bool, now: datetime
) -> PersonView:
    """Make one's own student account; raises RegistrationClosed unless the site allows it.

    A name that could be taken for an existing one is refused as taken.
    """
    if not allowed:
        raise RegistrationClosed
    name = parse_username(username)
    check_password(password, name)
    looks = _looks(name)
    names = session.scalars(select(models.Person.username))
    if any(_looks(other) == looks for other in (*RESERVED_USERNAMES, "admin", *names)):
        raise _taken(name)
    person = _add(session, name, display_name, Role.STUDENT, now)
    person.account = models.Account(password_hash=hash_password(password), must_change=False, created_by=name)
    session.flush()
    return person_view(person)


def import_csv(
    session: Session,
    actor: Actor,
    entries: Sequence[Entry],
    *,
    must_change: bool = False,
    dry_run: bool = False,
    now: datetime,
) -> Import:
    """Create the people of a class list (`roster.read_roster`), all or none of them.

    Whoever exists keeps the password; display name and role follow the list. One-time passwords must always
    be changed, given ones when `must_change` says so. A dry run writes nothing and hands out no password.
    """
    _check_admin(actor)
    _check_own_role(actor, entries)
    wanted = {entry.username for entry in entries}
    everybody = session.scalars(select(models.Person))
    known = {person.username: person for person in everybody if person.username in wanted}
    created = tuple(e for e in entries if not _has_account(known.get(e.username)))
    changed = tuple(
        e for e in entries if _has_account(known.get(e.username)) and _differs(known[e.username], e)
    )
    if not dry_run:
        for entry in (*created, *changed):
            _write(session, actor, known.get(entry.username), entry, must_change, now)
        session.flush()
    touched = {entry.username for entry in (*created, *changed)}
    return Import(
        created=tuple(entry.username for entry in created),
        changed=tuple(entry.username for entry in changed),
        unchanged=tuple(entry.username for entry in entries if entry.username not in touched),
        passwords=tuple((e.username, e.password) for e in created if e.one_time and not dry_run),
        dry_run=dry_run,
    )


@reads
def credentials(session: Session, username: str) -> Credentials | None:
    """What to check a password against; nothing when nobody here has that name."""
    person = _find(session, username)
    if person is None:
        return None
    hashed = person.account.password_hash if person.account else None
    return Credentials(person_view(person), hashed, stamp(hashed))


def record_failure(session: Session, username: str, *, now: datetime) -> datetime | None:
    """Count a wrong password; returns until when the account is locked, if it now is."""
    account = _account(session, username)
    account.failures += 1
    length = lock_for(account.failures)
    if length is not None:
        account.locked_until = now + length
    return account.locked_until if length else None


def record_login(session: Session, username: str, *, now: datetime) -> PersonView:
    """A right password: forget the wrong ones, remember the moment."""
    account = _account(session, username)
    account.failures, account.locked_until, account.last_login_at = 0, None, now
    return person_view(account.person)


def change_password(session: Session, username: str, password: str, *, expected: str) -> Credentials:
    """Set one's own new password; `expected` is the stamp of the one that was proven, so that it works once.

    Raises WeakPassword (also for the same password again), WrongCredentials when the old one has changed
    meanwhile.
    """
    account = _account(session, username)
    if stamp(account.password_hash) != expected:
        raise WrongCredentials
    check_password(password, account.person.username)
    if matches(password, account.password_hash):
        message = N_("Choose another password than the one you have.")
        raise WeakPassword([Problem("password", "same-password", message)])
    account.password_hash = hash_password(password)
    account.must_change, account.failures, account.locked_until = False, 0, None
    return Credentials(person_view(account.person), account.password_hash, stamp(account.password_hash))


def reset_password(
    session: Session, actor: Actor, username: str, password: str, *, must_change: bool = True
) -> PersonView:
    """Give a person another password, to be changed at the next sign-in; open sessions end and locks fall."""
    _check_admin(actor)
    account = _account(session, username)
    check_password(password, account.person.username)
    account.password_hash = hash_password(password)
    account.must_change, account.failures, account.locked_until = must_change, 0, None
    return person_view(account.person)


def set_disabled(session: Session, actor: Actor, username: str, disabled: bool) -> PersonView:
    """Close or reopen an account; raises Invalid for one's own."""
    _check_admin(actor)
    account = _account(session, username, make=True)
    if disabled and account.person.username == actor.username:
        raise Invalid([Problem("username", "own-account", N_("You cannot close your own account."))])
    account.disabled = disabled
    return person_view(account.person)


def unlock(session: Session, actor: Actor, username: str) -> PersonView:
    """Let a person who was locked out try again at once."""
    _check_admin(actor)
    account = _account(session, username)
    account.failures, account.locked_until = 0, None
    return person_view(account.person)


@reads
def list(session: Session, actor: Actor, *, search: str = "", page: int = 1, size: int = 50) -> PeoplePage:
    """People by username, `size` to a page; `search` is a part of the username or of the display name."""
    _check_admin(actor)
    query = select(models.Person)
    if search.strip():
        part = search.strip().lower()
        query = query.where(
            or_(
                models.Person.username.contains(part, autoescape=True),
                func.lower(models.Person.display_name).contains(part, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, ceil(total / size))
    page = min(max(1, page), pages)
    rows = session.scalars(query.order_by(models.Person.username).limit(size).offset((page - 1) * size))
    return PeoplePage(tuple(person_view(person) for person in rows), total, page, pages)


def _check_admin(actor: Actor) -> None:
    if actor.role is not Role.ADMIN:
        raise NotYours


def _check_own_role(actor: Actor, entries: Sequence[Entry]) -> None:
    for entry in entries:
        if entry.username == actor.username and entry.role is not actor.role:
            message = N_("You cannot take away your own role.")
            raise Invalid([Problem("role", "own-account", message, line=entry.line)])


def _find(session: Session, username: str) -> models.Person | None:
    return session.scalars(select(models.Person).where(models.Person.username == username)).one_or_none()


def _account(session: Session, username: str, *, make: bool = False) -> models.Account:
    person = _find(session, username)
    if person is None or (person.account is None and not make):
        raise NotFound
    if person.account is None:
        person.account = models.Account(password_hash=None, must_change=False)
        session.flush()
    return person.account


def _add(session: Session, username: str, display_name: str, role: Role, now: datetime) -> models.Person:
    person = models.Person(
        username=username, display_name=display_name.strip()[:200], role=role, created_at=now
    )
    session.add(person)
    return person


def _write(
    session: Session,
    actor: Actor,
    person: models.Person | None,
    entry: Entry,
    must_change: bool,
    now: datetime,
) -> None:
    if person is None:
        person = _add(session, entry.username, entry.display_name, entry.role, now)
    person.role, person.display_name = entry.role, entry.display_name or person.display_name
    if person.account is None:
        person.account = models.Account(
            password_hash=entry.password_hash,
            must_change=must_change or entry.one_time,
            created_by=actor.username,
        )


def _has_account(person: models.Person | None) -> bool:
    return person is not None and person.account is not None


def _differs(person: models.Person, entry: Entry) -> bool:
    return person.role is not entry.role or (entry.display_name or person.display_name) != person.display_name


def _taken(username: str) -> UsernameTaken:
    fields = {"username": username}
    return UsernameTaken(
        [Problem("username", "username-taken", UsernameTaken.message, fields=fields)], **fields
    )


def _looks(username: str) -> str:
    """What a hurried reader sees: `adm1n_` and `admln-` are one."""
    return username.translate(_LOOKS_LIKE).replace("rn", "m").replace("vv", "w").replace("i", "l")
