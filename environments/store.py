"""The database: engine, one transaction per action, migrations; the only place that knows its address."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, make_url, text
from sqlalchemy.orm import DeclarativeBase, Session

from environments.errors import EnvironmentsError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10
# One number for all migrations of this database; any other user of advisory locks has another.
MIGRATION_LOCK = 7_261_001

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=Select[*tuple[Any, ...]])


def reads(action: F) -> F:
    """Mark an action that writes nothing: on SQLite it then never waits for a writer."""
    action.reads = True  # type: ignore[attr-defined]
    return action


def locked(query: S, of: type[DeclarativeBase]) -> S:
    """The same query, with the rows of `of` held against other writers and read as they are now.

    SQLite needs no such lock: an action that writes is alone from its beginning.
    """
    return query.with_for_update(of=of).execution_options(populate_existing=True)


class Store:
    """Runs actions, each in one transaction and in a worker thread.

    `stack` begins the names of the volumes that are made for homes. A refusal undoes what the action wrote,
    unless it says `keep` (a launch that is refused must be remembered as refused).
    """

    def __init__(self, url: str, *, stack: str = "paillasse", echo: bool = False) -> None:
        self.stack = stack
        self.engine = _engine(_address(url), echo)
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="store")

    async def run(self, action: Callable[Concatenate[Session, P], T], *args: P.args, **kw: P.kwargs) -> T:
        """Run the action away from the event loop; once begun it ends, even if the caller is cancelled."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(self.run_sync, action, *args, **kw))

    def run_sync(self, action: Callable[Concatenate[Session, P], T], *args: P.args, **kw: P.kwargs) -> T:
        """Run the action here; returns its value, or raises what it raises after the roll-back."""
        options = {"reads": bool(getattr(action, "reads", False))}
        with Session(self.engine.execution_options(**options), expire_on_commit=False) as session:
            session.info["stack"] = self.stack
            try:
                value = action(session, *args, **kw)
            except EnvironmentsError as refusal:
                if refusal.keep:
                    session.commit()
                raise
            session.commit()
            return value

    def migrate(self) -> None:
        """Bring the tables up to date; two processes may do it at once, the second finds nothing to do."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def dispose(self) -> None:
        """Wait for running actions, then close every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def _address(url: str) -> URL:
    address = make_url(url)
    if address.drivername in {"postgres", "postgresql"}:
        return address.set(drivername="postgresql+psycopg")
    return address


def _engine(address: URL, echo: bool) -> Engine:
    if address.get_backend_name() != "sqlite":
        return create_engine(address, echo=echo, pool_pre_ping=True)
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, echo=echo, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy says BEGIN itself (below); the module's own habit is to say it too late.
    connection.isolation_level = None
    _use_wal(connection)
    # With a write-ahead log this loses no commit when a process dies, only when the machine does.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Changing the journal mode does not wait for a busy database by itself, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a transaction that asks for it half-way can only fail."""
    reading = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
