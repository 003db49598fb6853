"""A class list in CSV becomes people to create: read whole, every faulty line named."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from environments.errors import N_, Invalid, Problem
from environments.names import parse_username
from environments.passwords import check_password, hash_one_time, hash_password, one_time
from environments.values import Role, Scalar

COLUMNS = ("username", "display_name", "role", "password")
LONGEST_FILE = 1_000_000  # characters
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `password` is what to hand to the person; `one_time` when it was made here."""

    line: int
    username: str
    display_name: str
    role: Role
    password: str
    password_hash: str
    one_time: bool


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    username: str
    display_name: str
    role: Role
    password: str


def read_roster(text: str) -> tuple[Entry, ...]:
    """Read `username[,display_name][,role][,password]` lines; commas, semicolons or tabs.

    Without a password a one-time one is made. Hashing takes up to 25 ms per given password: call this in a
    thread. Raises Invalid with a problem (line counted from 1, the heading included) for each fault.
    """
    problems: list[Problem] = []
    lines = list(_lines(text, problems))
    if problems:
        raise Invalid(problems)
    with ThreadPoolExecutor(max_workers=4) as threads:
        return tuple(threads.map(_entry, lines))


def _lines(text: str, problems: list[Problem]) -> Iterator[_Line]:
    text = text.removeprefix("\ufeff")
    if len(text) > LONGEST_FILE or text.count("\n") > MOST_LINES:
        problems.append(_problem(1, N_("The list is too long: at most %(most)s lines."), most=MOST_LINES))
        return
    heading = text.partition("\n")[0]
    rows = csv.DictReader(
        io.StringIO(text, newline=""),
        delimiter=max(",;\t", key=heading.count),
        restkey="",
        skipinitialspace=True,
    )
    columns = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if "username" not in columns or not set(columns) <= set(COLUMNS) or len(set(columns)) < len(columns):
        problems.append(
            _problem(
                1, N_("The first line must name the columns, among %(columns)s."), columns=", ".join(COLUMNS)
            )
        )
        return
    rows.fieldnames = columns
    seen: dict[str, int] = {}
    try:
        for row in rows:
            line = _line(rows.line_num, row, seen, problems)
            if line is not None:
                yield line
    except csv.Error:
        problems.append(_problem(rows.line_num, N_("This line is not CSV: check its quotation marks.")))


def _line(
    number: int, row: dict[str | None, str | list[str]], seen: dict[str, int], problems: list[Problem]
) -> _Line | None:
    if "" in row:
        problems.append(_problem(number, N_("This line has more fields than the first one has columns.")))
        return None
    cell = {name: str(row.get(name) or "") for name in COLUMNS}
    try:
        username = parse_username(cell["username"])
        role = Role(cell["role"].strip().lower() or Role.STUDENT)
        if cell["password"]:
            check_password(cell["password"], username)
    except Invalid as fault:
        problems.extend(_problem(number, each.message, each.path, **each.fields) for each in fault.problems)
        return None
    except ValueError:
        problems.append(_problem(number, N_("The role must be student, teacher or admin."), "role"))
        return None
    if username in seen:
        message = N_("%(username)s is already on line %(first)s.")
        problems.append(_problem(number, message, "username", username=username, first=seen[username]))
        return None
    seen[username] = number
    return _Line(number, username, cell["display_name"].strip()[:200], role, cell["password"])


def _problem(line: int, message: str, path: str = "", **fields: Scalar) -> Problem:
    return Problem(path, "csv", message, line=line, column=1, fields=fields)


def _entry(line: _Line) -> Entry:
    password = line.password or one_time()
    hashed = hash_password(password) if line.password else hash_one_time(password)
    return Entry(
        line.number, line.username, line.display_name, line.role, password, hashed, one_time=not line.password
    )
