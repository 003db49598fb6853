"""Databases for the actions – SQLite always, PostgreSQL where it is installed – and people to act in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from environments import Actor, Role, Store, people
from environments.models import Base
from tests.environments.postgres import binaries, cluster
from tests.environments.support import NOW, World


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database that tests copy."""
    path = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a throw-away PostgreSQL."""
    found = binaries()
    if found is None:
        pytest.skip("no PostgreSQL server is installed here")
    with cluster(found) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_store(postgres_url: str) -> Iterator[Store]:
    """The one PostgreSQL store of the run; tests empty it before they use it."""
    store = Store(postgres_url)
    store.migrate()
    yield store
    store.dispose()


@pytest.fixture
def sqlite_store(empty_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """A database of this test's own."""
    path = tmp_path / "paillasse.sqlite"
    shutil.copy(empty_sqlite, path)
    store = Store(f"sqlite:///{path}")
    yield store
    store.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """The same test on both databases."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_store")
    store: Store = request.getfixturevalue("postgres_store")
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with store.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return store


@pytest.fixture
def world(store: Store) -> World:
    """A teacher, a colleague, a student, and shorthand to act as them."""
    for name, role in (("tess", Role.TEACHER), ("carl", Role.TEACHER), ("sam", Role.STUDENT)):
        store.run_sync(people.ensure, name, now=NOW)
        store.run_sync(people.set_role, name, role, now=NOW)
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
