"""Local accounts on a real database: made, proven, locked, changed, closed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from environments import (
    Actor,
    Invalid,
    NotFound,
    NotYours,
    PersonView,
    RegistrationClosed,
    Role,
    Store,
    UsernameTaken,
    WeakPassword,
    WrongCredentials,
    accounts,
    passwords,
    people,
    roster,
)
from tests.environments.support import NOW

ADMIN = Actor("root", Role.ADMIN)
PASSWORD = "correct horse battery"


def made(store: Store, name: str = "lea", role: Role = Role.STUDENT, **options: bool) -> PersonView:
    return store.run_sync(accounts.create, ADMIN, name, role, PASSWORD, now=NOW, **options)


def found(store: Store, name: str = "lea") -> accounts.Credentials:
    credentials = store.run_sync(accounts.credentials, name)
    assert credentials is not None
    return credentials


def test_an_account_is_made_with_a_password_to_change(store: Store) -> None:
    person = made(store, "Ｌea")
    assert (person.username, person.role, person.must_change_password) == ("lea", Role.STUDENT, True)
    assert passwords.matches(PASSWORD, found(store).password_hash)


def test_somebody_known_from_elsewhere_gets_an_account_and_stays_the_same_person(store: Store) -> None:
    known = store.run_sync(people.ensure, "lea", display_name="Léa", now=NOW)
    person = made(store, role=Role.TEACHER)
    assert (person.id, person.display_name, person.role) == (known.id, "Léa", Role.TEACHER)


def test_a_name_is_given_once(store: Store) -> None:
    made(store)
    with pytest.raises(UsernameTaken, match="lea is taken"):
        made(store, "LEA")


@pytest.mark.parametrize(
    "name", ["", "a", "9lives", "adm\u0456n", "admin\u200b", "a/b", "root", "x" * 64, "é"]
)
def test_a_name_has_one_plain_spelling(store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        made(store, name)


@pytest.mark.parametrize("role", [Role.STUDENT, Role.TEACHER])
def test_only_administrators_manage_accounts(store: Store, role: Role) -> None:
    made(store)
    actor = Actor("somebody", role)
    for action, *given in (
        (accounts.create, "bob", Role.ADMIN, PASSWORD),
        (accounts.import_csv, ()),
        (accounts.reset_password, "lea", PASSWORD),
        (accounts.set_disabled, "lea", True),
        (accounts.unlock, "lea"),
        (accounts.list,),
    ):
        more = {"now": NOW} if action in (accounts.create, accounts.import_csv) else {}
        with pytest.raises(NotYours):
            store.run_sync(action, actor, *given, **more)


def test_a_lock_grows_and_falls_with_the_right_password(store: Store) -> None:
    made(store)
    for _ in range(accounts.TRIES - 1):
        assert store.run_sync(accounts.record_failure, "lea", now=NOW) is None
    locks = [store.run_sync(accounts.record_failure, "lea", now=NOW) for _ in range(8)]
    lengths = [until - NOW for until in locks if until is not None]
    assert lengths[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert lengths == sorted(lengths)
    assert lengths[-1] == accounts.LONGEST_LOCK
    assert found(store).person.locked_until == locks[-1]
    person = store.run_sync(accounts.record_login, "lea", now=NOW)
    assert (person.locked_until, person.last_login_at) == (None, NOW)
    assert store.run_sync(accounts.record_failure, "lea", now=NOW) is None


def test_an_administrator_unlocks(store: Store) -> None:
    made(store)
    for _ in range(accounts.TRIES):
        store.run_sync(accounts.record_failure, "lea", now=NOW)
    assert store.run_sync(accounts.unlock, ADMIN, "lea").locked_until is None


def test_a_proven_password_changes_once(store: Store) -> None:
    made(store)
    before = found(store)
    after = store.run_sync(accounts.change_password, "lea", "one of a kind", expected=before.stamp)
    assert not after.person.must_change_password
    assert after.stamp == found(store).stamp != before.stamp
    with pytest.raises(WrongCredentials):
        store.run_sync(accounts.change_password, "lea", "another of a kind", expected=before.stamp)
    assert passwords.matches("one of a kind", found(store).password_hash)


@pytest.mark.parametrize("again", [PASSWORD, "azertyuiop", "lea"])
def test_the_same_or_a_weak_password_is_no_change(store: Store, again: str) -> None:
    made(store)
    with pytest.raises(WeakPassword):
        store.run_sync(accounts.change_password, "lea", again, expected=found(store).stamp)
    assert found(store).person.must_change_password


def test_another_password_is_given_for_one_sign_in(store: Store) -> None:
    made(store, must_change=False)
    before = found(store).stamp
    assert store.run_sync(accounts.reset_password, ADMIN, "lea", "something given").must_change_password
    assert found(store).stamp != before


def test_an_account_is_closed_and_opened_again(store: Store) -> None:
    made(store)
    assert store.run_sync(accounts.set_disabled, ADMIN, "lea", True).disabled
    assert not store.run_sync(accounts.set_disabled, ADMIN, "lea", False).disabled
    with pytest.raises(Invalid, match="your own account"):
        store.run_sync(accounts.set_disabled, Actor("lea", Role.ADMIN), "lea", True)


def test_somebody_without_a_password_here_can_be_closed_too(store: Store) -> None:
    store.run_sync(people.ensure, "lti-7", now=NOW)
    assert store.run_sync(accounts.set_disabled, ADMIN, "lti-7", True).disabled
    assert found(store, "lti-7").password_hash is None


def test_what_is_not_there_is_not_found(store: Store) -> None:
    assert store.run_sync(accounts.credentials, "nobody") is None
    with pytest.raises(NotFound):
        store.run_sync(accounts.reset_password, ADMIN, "nobody", "something given")
    with pytest.raises(NotFound):
        store.run_sync(accounts.unlock, ADMIN, "nobody")


def test_people_register_where_they_may(store: Store) -> None:
    with pytest.raises(RegistrationClosed):
        store.run_sync(accounts.register, "lea", PASSWORD, allowed=False, now=NOW)
    person = store.run_sync(accounts.register, "lea", PASSWORD, display_name="Léa", allowed=True, now=NOW)
    assert (person.role, person.must_change_password) == (Role.STUDENT, False)


@pytest.mark.parametrize("name", ["adm1n", "admin", "admln", "r00t", "tess0", "te.sso"])
def test_nobody_registers_as_a_look_alike(store: Store, name: str) -> None:
    made(store, "tesso")
    made(store, "te-sso")
    with pytest.raises(UsernameTaken):
        store.run_sync(accounts.register, name, PASSWORD, allowed=True, now=NOW)


CLASS = """\
username,display_name,role,password
lea,Léa D,student,
bob,Bob,student,given to bob
tess,Tess,teacher,
"""


def test_a_class_is_made_in_one_go_and_again_without_effect(store: Store) -> None:
    entries = roster.read_roster(CLASS)
    done = store.run_sync(accounts.import_csv, ADMIN, entries, now=NOW)
    assert done.created == ("lea", "bob", "tess")
    handed_out = dict(done.passwords)
    assert handed_out.keys() == {"lea", "tess"}
    assert passwords.matches(handed_out["lea"], found(store).password_hash)
    assert found(store).person.must_change_password
    assert not found(store, "bob").person.must_change_password
    again = store.run_sync(accounts.import_csv, ADMIN, roster.read_roster(CLASS), now=NOW)
    assert (again.created, again.changed, again.unchanged) == ((), (), ("lea", "bob", "tess"))
    assert again.passwords == ()
    assert passwords.matches(handed_out["lea"], found(store).password_hash)


def test_a_dry_run_writes_nothing_and_hands_out_nothing(store: Store) -> None:
    made(store)
    done = store.run_sync(accounts.import_csv, ADMIN, roster.read_roster(CLASS), dry_run=True, now=NOW)
    assert (done.created, done.changed, done.passwords) == (("bob", "tess"), ("lea",), ())
    assert store.run_sync(accounts.credentials, "bob") is None
    assert found(store).person.display_name == ""


def test_an_import_changes_names_and_roles_but_no_password(store: Store) -> None:
    made(store)
    before = found(store).stamp
    entries = roster.read_roster("username,display_name,role,password\nlea,Léa D,teacher,another password\n")
    done = store.run_sync(accounts.import_csv, ADMIN, entries, now=NOW)
    assert done.changed == ("lea",)
    assert (found(store).person.display_name, found(store).person.role) == ("Léa D", Role.TEACHER)
    assert found(store).stamp == before


def test_nobody_takes_away_their_own_role(store: Store) -> None:
    made(store, "ada", Role.ADMIN)
    entries = roster.read_roster("username,role\nbob,student\nada,student\n")
    with pytest.raises(Invalid, match="line 3"):
        store.run_sync(accounts.import_csv, Actor("ada", Role.ADMIN), entries, now=NOW)
    assert store.run_sync(accounts.credentials, "bob") is None


def test_people_are_listed_by_page_and_searched(store: Store) -> None:
    entries = roster.read_roster(
        "username,display_name\n" + "".join(f"s{n:03},Élève {n}\n" for n in range(120))
    )
    store.run_sync(accounts.import_csv, ADMIN, entries, now=NOW)
    page = store.run_sync(accounts.list, ADMIN, page=3)
    assert (page.total, page.page, page.pages) == (120, 3, 3)
    assert [person.username for person in page.people] == [f"s{n:03}" for n in range(100, 120)]
    assert store.run_sync(accounts.list, ADMIN, page=99).page == 3
    assert [p.username for p in store.run_sync(accounts.list, ADMIN, search="S11").people][:2] == [
        "s110",
        "s111",
    ]
    assert store.run_sync(accounts.list, ADMIN, search="ve 7").total == 11
    assert store.run_sync(accounts.list, ADMIN, search="%").total == 0
