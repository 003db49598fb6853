"""`paillasse user …` as an operator types it: accounts made, listed, closed; passwords read and told once."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from environments import accounts, passwords
from hub.cli import runtime
from hub.cli.app import app

PASSWORD = "correct horse battery"
CLASS = "username;display_name;role\nlea;Léa D;student\nbob;Bob;teacher\n"


def user(*words: str, stdin: str | bytes = "", fails: bool = False) -> Result:
    result = CliRunner().invoke(app, ["user", *words], input=stdin)
    assert result.exit_code == (1 if fails else 0), result.output
    return result


def found(name: str) -> accounts.Credentials:
    credentials = runtime.run(accounts.credentials, name)
    assert credentials is not None
    return credentials


def test_an_account_is_made_with_the_password_that_is_piped_in() -> None:
    told = user(
        "add", "ada", "--role", "admin", "--display-name", "Ada", "--password-stdin", stdin=PASSWORD + "\n"
    )
    assert told.stdout == "ada is created (admin).\n"
    assert passwords.matches(PASSWORD, found("ada").password_hash)
    assert found("ada").person.must_change_password
    user("add", "sam", "--no-must-change", "--password-stdin", stdin=PASSWORD)
    assert not found("sam").person.must_change_password


def test_a_password_that_is_made_here_is_told_once_and_must_change() -> None:
    told = user("add", "lea", "--no-must-change").stdout
    password = told.splitlines()[-1].rpartition(" ")[2]
    assert passwords.matches(password, found("lea").password_hash)
    assert found("lea").person.must_change_password


def test_what_is_refused_says_why_and_changes_nothing() -> None:
    assert "no password" in user("add", "lea", "--password-stdin", fails=True).stderr
    assert "at least 10" in user("add", "lea", "--password-stdin", stdin="short", fails=True).stderr
    assert "begins with a letter" in user("add", "9lives", fails=True).stderr
    assert user("list").stdout == ""
    user("add", "lea")
    assert "lea is taken" in user("add", "lea", fails=True).stderr
    assert "nothing here by that name" in user("unlock", "nobody", fails=True).stderr


def test_people_are_listed_with_their_state() -> None:
    user("import", "-", stdin=CLASS)
    user("disable", "bob")
    assert user("list").stdout.split() == [
        "bob",
        "teacher",
        "disabled",
        "Bob",
        "lea",
        "student",
        "open",
        "Léa",
        "D",
    ]
    user("enable", "bob")
    (bob,) = json.loads(user("list", "--search", "bo", "--json").stdout)
    assert bob == {"username": "bob", "role": "teacher", "state": "open", "display_name": "Bob"}


def test_another_password_is_given() -> None:
    user("add", "lea")
    before = found("lea").stamp
    password = user("passwd", "lea").stdout.splitlines()[-1].rpartition(" ")[2]
    assert found("lea").stamp != before
    assert passwords.matches(password, found("lea").password_hash)
    user("passwd", "lea", "--password-stdin", "--no-must-change", stdin=PASSWORD)
    assert not found("lea").person.must_change_password


def test_a_class_is_imported_and_its_passwords_are_a_csv() -> None:
    dry = user("import", "-", "--dry-run", stdin=CLASS)
    assert (dry.stdout, dry.stderr) == ("", "2 created, 0 changed, 0 unchanged.\n")
    told = dict(row.values() for row in csv.DictReader(io.StringIO(user("import", "-", stdin=CLASS).stdout)))
    assert told.keys() == {"lea", "bob"}
    assert passwords.matches(told["lea"], found("lea").password_hash)
    again = user("import", "-", "--json", stdin=CLASS)
    assert json.loads(again.stdout)["unchanged"] == ["lea", "bob"]


def test_a_list_of_a_western_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes("username;display_name\r\nlea;Léa\r\n".encode("cp1252"))
    user("import", str(path))
    assert found("lea").person.display_name == "Léa"


def test_every_faulty_line_is_told_and_nobody_is_made(tmp_path: Path) -> None:
    told = user("import", "-", stdin="username,role\nlea,\n9,\nbob,boss\n", fails=True).stderr
    assert [line.split(": ")[1] for line in told.splitlines()] == ["3:1", "4:1"]
    assert user("list").stdout == ""
    assert "cannot be read" in user("import", str(tmp_path / "none.csv"), fails=True).stderr
