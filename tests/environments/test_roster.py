"""Class lists: what is read, and which line is wrong."""

from __future__ import annotations

import pytest

from environments import Invalid, Role, passwords, roster


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_is_read_whatever_the_spreadsheet_writes(mark: str, end: str) -> None:
    rows = [
        ("username", "display_name", "role", "password"),
        ("Lea.D", "Léa D", "", ""),
        ("tess", "Tess", "Teacher", ""),
    ]
    text = "\ufeff" + end.join(mark.join(row) for row in rows) + end
    lea, tess = roster.read_roster(text)
    assert (lea.line, lea.username, lea.display_name, lea.role, lea.one_time) == (
        2,
        "lea.d",
        "Léa D",
        Role.STUDENT,
        True,
    )
    assert (tess.line, tess.role) == (3, Role.TEACHER)
    assert lea.password != tess.password
    assert passwords.matches(lea.password, lea.password_hash)


def test_a_given_password_is_kept_and_names_may_hold_commas() -> None:
    (entry,) = roster.read_roster('username,display_name,password\nlea,"Dupont, Léa",correct horse battery\n')
    assert entry.display_name == "Dupont, Léa"
    assert (entry.password, entry.one_time) == ("correct horse battery", False)


def test_every_faulty_line_is_named() -> None:
    text = "username,role,password\nlea,,\n1st,,\nbob,boss,\nLEA,,\nsam,,short\ntess,teacher,,extra\nroot,,\n"
    with pytest.raises(Invalid) as refused:
        roster.read_roster(text)
    assert [(problem.line, problem.path) for problem in refused.value.problems] == [
        (3, "username"),
        (4, "role"),
        (5, "username"),
        (6, "password"),
        (7, ""),
        (8, "username"),
    ]
    assert refused.value.problems[2].sentence == "lea is already on line 2."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name,role\nlea,\n",
        "username,username\na,b\n",
        "username,colour\nlea,red\n",
        'username\n"lea\n' + "x" * 200_000,
    ],
)
def test_what_is_no_class_list_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        roster.read_roster(text)


def test_a_list_without_end_is_refused_at_once() -> None:
    with pytest.raises(Invalid, match="too long"):
        roster.read_roster("username\n" + "a\n" * 600_000)
