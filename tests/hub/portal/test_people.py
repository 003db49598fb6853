"""The administrator's page: one person, a class, a lost password, a closed account."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

import pytest

from environments import Role, accounts, passwords, people
from tests.hub.portal.conftest import BASE, Site


def test_only_administrators_enter(site: Site) -> None:
    for role in (Role.STUDENT, Role.TEACHER):
        person = site.person(role=role)
        assert 'data-reason="admins-only"' in person.get("/admin/people").text
        assert "/admin/people" not in person.get("/").text
        added = person.post("/admin/people", {"username": "mallory", "role": "admin"})
        assert added.status_code == 403
    assert "/admin/people" in site.person(role=Role.ADMIN).get("/").text


def test_one_person_is_added_with_a_password_shown_once(site: Site) -> None:
    admin, name = site.person(role=Role.ADMIN), f"n{secrets.token_hex(4)}"
    page = admin.post("/admin/people", {"username": name, "display_name": "Nora B.", "role": "teacher"})
    shown = re.search(rf"<td>{name}</td><td><code>([^<]+)</code>", page.text)
    assert shown
    known = site.store.run_sync(accounts.credentials, name)
    assert known is not None
    assert passwords.matches(shown[1], known.password_hash)
    assert known.person.role is Role.TEACHER
    assert known.person.must_change_password
    assert shown[1] not in admin.get("/admin/people").text


@pytest.mark.parametrize(("language", "words"), [("en", "A name begins with"), ("fr", "Un nom commence par")])
def test_a_bad_name_is_explained_and_kept(site: Site, language: str, words: str) -> None:
    admin = site.person(role=Role.ADMIN, language=language)
    page = admin.post("/admin/people", {"username": "9 lives", "display_name": "Cat", "role": "student"})
    assert page.status_code == 422
    assert words in page.text
    assert 'value="9 lives"' in page.text


def test_a_class_list_is_taken_whole_or_not_at_all(site: Site) -> None:
    admin, run = site.person(role=Role.ADMIN), secrets.token_hex(3)
    bad = f"username,role\na{run},student\n9x,student\nb{run},king"
    page = admin.post("/admin/people/import", {"list": bad})
    assert page.status_code == 422
    assert "Line 3:" in page.text
    assert "Line 4:" in page.text
    assert site.store.run_sync(accounts.credentials, f"a{run}") is None
    token = admin.token()
    good = f"username;display_name\na{run};Zoé\nb{run};\n".encode("cp1252")
    done = admin.http.post(
        f"{BASE}/admin/people/import", data={"csrf": token}, files={"file": ("class.csv", good)}
    )
    assert "2 accounts created." in done.text
    assert done.text.count("<td><code>") == 2
    known = site.store.run_sync(accounts.credentials, f"a{run}")
    assert known is not None
    assert known.person.display_name == "Zoé"


def test_searching_and_paging_are_addresses(site: Site) -> None:
    admin, run = site.person(role=Role.ADMIN), secrets.token_hex(3)
    for number in range(55):
        site.store.run_sync(people.ensure, f"s{run}-{number:02d}", now=datetime.now(UTC))
    first = admin.get(f"/admin/people?search=s{run}").text
    assert "55 people" in first
    assert f"s{run}-49" in first
    assert f"s{run}-50" not in first
    second = admin.get(f"/admin/people?search=s{run}&page=2").text
    assert f"s{run}-54" in second
    assert "Page 2 of 2" in second
    assert "Nobody has a name like this." in admin.get("/admin/people?search=qqqq").text


def test_closing_reopening_and_resetting(site: Site) -> None:
    admin, name = site.person(role=Role.ADMIN), f"n{secrets.token_hex(4)}"
    admin.post("/admin/people", {"username": name, "role": "student"})
    search = f"/admin/people?search={name}"
    closed = admin.press(admin.get(search), f"{name}/disable")
    assert "closed" in closed.text
    opened = admin.press(closed, f"{name}/enable")
    assert f"{name}/disable" in opened.text
    reset = admin.press(opened, f"{name}/reset")
    shown = re.search(r"<td><code>([^<]+)</code>", reset.text)
    known = site.store.run_sync(accounts.credentials, name)
    assert shown
    assert known
    assert passwords.matches(shown[1], known.password_hash)
    assert admin.post(f"/admin/people/{admin.username}/disable").status_code == 422


def test_a_locked_person_is_let_in_again(site: Site) -> None:
    admin, name = site.person(role=Role.ADMIN), f"n{secrets.token_hex(4)}"
    admin.post("/admin/people", {"username": name, "role": "student"})
    for _ in range(accounts.TRIES):
        site.store.run_sync(accounts.record_failure, name, now=datetime.now(UTC))
    page = admin.get(f"/admin/people?search={name}")
    assert "locked until" in page.text
    assert "locked until" not in admin.press(page, f"{name}/unlock").text
