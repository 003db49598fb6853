"""`paillasse user …`: people and their local accounts from the terminal, by the same actions as the pages."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from environments import Invalid, PersonView, Role, accounts, passwords, roster
from hub.cli.runtime import OPERATOR, explain, give_up, refusals, run, tr
from hub.i18n import N_

app = typer.Typer(no_args_is_help=True, help=tr(N_("People: their accounts, roles and passwords.")))

Name = Annotated[str, typer.Argument(help=tr(N_("The user name.")), metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help=tr(N_("Answer in JSON.")))]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help=tr(N_("Read the password from standard input; else one is made."))),
]
MustChange = Annotated[
    bool,
    typer.Option(
        "--must-change/--no-must-change", help=tr(N_("Whether it must be changed at first sign-in."))
    ),
]


@app.command(help=tr(N_("Make an account.")))
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help=tr(N_("What the person may do here.")))] = Role.STUDENT,
    display_name: Annotated[str, typer.Option(help=tr(N_("The name that people read.")))] = "",
    password_stdin: FromStdin = False,
    must_change: MustChange = True,
) -> None:
    """A password that is made here is printed, and must be changed whatever was asked."""
    password = _given() if password_stdin else passwords.one_time()
    with refusals(name):
        person = run(
            accounts.create,
            OPERATOR,
            name,
            role,
            password,
            display_name=display_name,
            must_change=must_change or not password_stdin,
            now=datetime.now(UTC),
        )
    print(tr(N_("%(name)s is created (%(role)s)."), name=person.username, role=str(person.role)))
    if not password_stdin:
        print(tr(N_("One-time password: %(password)s"), password=password))


@app.command("list", help=tr(N_("List people.")))
def list_(
    search: Annotated[str, typer.Option(help=tr(N_("A part of the user name or of the name.")))] = "",
    as_json: AsJson = False,
) -> None:
    """One line each: user name, role, state, name."""
    found: list[PersonView] = []
    pages = 1
    while len(found) < (page := run(accounts.list, OPERATOR, search=search, page=pages, size=500)).total:
        found.extend(page.people)
        pages += 1
    if as_json:
        print(json.dumps([_facts(person) for person in found], ensure_ascii=False))
        return
    for person in found:
        print("{username:24}  {role:8}  {state:12}  {display_name}".format(**_facts(person)))


@app.command(help=tr(N_("Give somebody another password; their open sessions end.")))
def passwd(name: Name, password_stdin: FromStdin = False, must_change: MustChange = True) -> None:
    """Locks fall too."""
    password = _given() if password_stdin else passwords.one_time()
    change = must_change or not password_stdin
    with refusals(name):
        run(accounts.reset_password, OPERATOR, name, password, must_change=change)
    print(tr(N_("%(name)s has another password."), name=name))
    if not password_stdin:
        print(tr(N_("One-time password: %(password)s"), password=password))


@app.command(help=tr(N_("Close an account: its sessions end within a minute. Files stay.")))
def disable(name: Name) -> None:
    """The person keeps environments and files, and finds them again when enabled."""
    with refusals(name):
        run(accounts.set_disabled, OPERATOR, name, True)
    print(tr(N_("%(name)s may not sign in any more."), name=name))


@app.command(help=tr(N_("Open a closed account again.")))
def enable(name: Name) -> None:
    """The password is the one it had."""
    with refusals(name):
        run(accounts.set_disabled, OPERATOR, name, False)
    print(tr(N_("%(name)s may sign in."), name=name))


@app.command(help=tr(N_("Let somebody who was locked out by wrong passwords try again at once.")))
def unlock(name: Name) -> None:
    """The password stays."""
    with refusals(name):
        run(accounts.unlock, OPERATOR, name)
    print(tr(N_("%(name)s may try again."), name=name))


@app.command("import", help=tr(N_("Make the accounts of a class list: username,display_name,role,password.")))
def import_(
    file: Annotated[str, typer.Argument(help=tr(N_("A CSV file, or - for standard input.")))],
    must_change: MustChange = False,
    dry_run: Annotated[bool, typer.Option(help=tr(N_("Only say what would be done.")))] = False,
    as_json: AsJson = False,
) -> None:
    """All or nobody. One-time passwords are printed as CSV, for those whose line gives none."""
    try:
        entries = roster.read_roster(_text(file))
    except Invalid as error:
        give_up(*(f"{file}: {explain(problem)}" for problem in error.problems))
    with refusals(file):
        done = run(
            accounts.import_csv,
            OPERATOR,
            entries,
            must_change=must_change,
            dry_run=dry_run,
            now=datetime.now(UTC),
        )
    if as_json:
        print(json.dumps(asdict(done) | {"passwords": dict(done.passwords)}))
        return
    _tell(done)


def _tell(done: accounts.Import) -> None:
    """The counts on stderr, so that standard output is a CSV of the passwords to hand out."""
    counts = {"created": len(done.created), "changed": len(done.changed), "unchanged": len(done.unchanged)}
    sentence = N_("%(created)s created, %(changed)s changed, %(unchanged)s unchanged.")
    print(tr(sentence, counts), file=sys.stderr)
    if done.passwords:
        table = csv.writer(sys.stdout)
        table.writerow(("username", "password"))
        table.writerows(done.passwords)


def _facts(person: PersonView) -> dict[str, str]:
    locked = person.locked_until is not None and person.locked_until > datetime.now(UTC)
    return {
        "username": person.username,
        "role": str(person.role),
        "state": "disabled" if person.disabled else "locked" if locked else "open",
        "display_name": person.display_name,
    }


def _given() -> str:
    """The password on standard input, without its line end."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        give_up(tr(N_("There is no password on standard input.")))
    return password


def _text(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        give_up(tr(N_("%(where)s cannot be read (%(why)s)."), where=file, why=error.strerror))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a spreadsheet of Western Europe writes when it is not asked for UTF-8.
        return content.decode("cp1252", errors="replace")
