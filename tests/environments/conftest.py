"""Databases for the actions – SQLite always, PostgreSQL where it is installed – and people to act in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete, event, update
from sqlalchemy.orm import Session

from environments import Actor, Role, Store, people
from environments.models import Base, Person
from tests.environments.postgres import binaries, cluster
from tests.environments.support import NOW, World


@pytest.fixture(scope="session")
def shared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The one SQLite store of the run: a new one for each test would compile every statement again."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('database')}/paillasse.sqlite")
    store.migrate()
    yield store
    store.dispose()


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[Store]:
    """The one PostgreSQL store of the run."""
    found = binaries()
    if found is None:
        pytest.skip("no PostgreSQL server is installed here")
    with cluster(found) as url:
        store = Store(url)
        store.migrate()
        yield store
        store.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty database; the same test runs on both kinds."""
    store: Store = request.getfixturevalue(f"shared_{request.param}")
    return _emptied(store)


@pytest.fixture
def sqlite_store(shared_sqlite: Store) -> Store:
    """An empty SQLite database."""
    return _emptied(shared_sqlite)


def _emptied(store: Store) -> Store:
    with store.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
    return store


def _somebody(session: Session, name: str, role: Role) -> None:
    people.ensure(session, name, now=NOW)
    session.execute(update(Person).where(Person.username == name).values(role=role))


@pytest.fixture
def world(store: Store) -> World:
    """A teacher, a colleague, a student, and shorthand to act as them."""
    for name, role in (("tess", Role.TEACHER), ("carl", Role.TEACHER), ("sam", Role.STUDENT)):
        store.run_sync(_somebody, name, role)
    return World(store, Actor("tess", Role.TEACHER))


@pytest.fixture
def statements(store: Store) -> Iterator[Callable[..., int]]:
    """Counts the statements that running an action takes."""
    from_engine: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        from_engine.append(statement)

    def count(action: Callable[..., Any], *args: Any, **kw: Any) -> int:
        from_engine.clear()
        store.run_sync(action, *args, **kw)
        return sum(not statement.startswith(("BEGIN", "COMMIT")) for statement in from_engine)

    event.listen(store.engine, "before_cursor_execute", note)
    yield count
    event.remove(store.engine, "before_cursor_execute", note)
