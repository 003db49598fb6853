"""What the commands inside the platform share: settings, database, language, refusals in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import typer
from sqlalchemy.orm import Session

from config.settings import Settings
from environments import Actor, Ceilings, Conflict, EnvironmentsError, Invalid, Problem, Role, Store
from hub.i18n import LANGUAGES, catalogue

# Who may type commands here may do everything; this name belongs to no person.
OPERATOR = Actor("root", Role.ADMIN)

P = ParamSpec("P")
T = TypeVar("T")


@cache
def settings() -> Settings:
    """The settings of this installation."""
    return Settings.from_environ(os.environ)


@cache
def ceilings() -> Ceilings:
    """What this site allows at most."""
    site = settings()
    return Ceilings(
        cpu=site.max_cpu,
        memory=site.max_memory,
        pids=site.max_pids,
        shm=site.max_shm,
        max_duration=site.max_duration,
        allowed_images=site.allowed_images,
        servers_per_user=site.servers_per_user,
    )


def run(action: Callable[Concatenate[Session, P], T], *args: P.args, **kw: P.kwargs) -> T:
    """Run one action on the database of this installation."""
    return _store().run_sync(action, *args, **kw)


@cache
def _store() -> Store:
    store = Store(settings().database_url, stack=settings().stack)
    store.migrate()
    return store


@cache
def language() -> str:
    """fr or en: what the terminal asks for, else English, as other commands."""
    chosen = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return next((each for each in LANGUAGES if chosen.startswith(each)), "en")


def tr(message: str, fields: Mapping[str, Any] | None = None, /, **more: object) -> str:
    """The message in the reader's language, its fields filled in."""
    return _words(message) % {**(fields or {}), **more}


def _words(message: str) -> str:
    """Our words; what the domain says of people is with the portal's, which say it too."""
    if not message:
        return ""
    words = catalogue(language(), "cli").gettext(message)
    return catalogue(language(), "portal").gettext(message) if words == message else words


def explain(problem: Problem) -> str:
    """One problem on one line: where, what, what to do."""
    place = [f"{problem.line}:{problem.column}"] if problem.line else []
    return ": ".join([*place, *([problem.path] if problem.path else []), tr(problem.message, problem.fields)])


@contextmanager
def refusals(about: str = "") -> Iterator[None]:
    """Turn a refusal into its words on stderr and exit code 1; anything else is a fault and shows as one."""
    try:
        yield
    except Invalid as error:
        give_up(*(f"{about}{':' if about else ''}{explain(problem)}" for problem in error.problems))
    except Conflict as error:
        give_up(f"{about}: {tr(error.message, error.fields)}", str(error.fields["diff"]))
    except EnvironmentsError as error:
        give_up(f"{about}{': ' if about else ''}{tr(error.message, error.fields)}")


def give_up(*lines: str) -> NoReturn:
    """Say why on stderr and end."""
    print(*lines, sep="\n", file=sys.stderr)
    raise typer.Exit(1)
