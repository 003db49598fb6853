"""The store: one transaction per action, migrations that agree with the classes, several writers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from environments import NotFound, Store, people
from environments.models import Base, Environment, Launch, Person
from environments.store import reads
from tests.environments.support import NOW, World, at_once

ROOT = Path(__file__).resolve().parents[2]


def add(session: Session, name: str) -> None:
    people.ensure(session, name, now=NOW)


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Person)) or 0


def test_migrations_make_what_the_classes_say(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_refusal_undoes_what_was_written(store: Store) -> None:
    def refused(session: Session) -> None:
        add(session, "ann")
        raise NotFound

    with pytest.raises(NotFound):
        store.run_sync(refused)
    assert store.run_sync(count) == 0


def test_a_refusal_may_ask_to_keep_it(store: Store) -> None:
    def refused(session: Session) -> None:
        add(session, "ann")
        refusal = NotFound()
        refusal.keep = True
        raise refusal

    with pytest.raises(NotFound):
        store.run_sync(refused)
    assert store.run_sync(count) == 1


def test_a_fault_undoes_everything(store: Store) -> None:
    def broken(session: Session) -> None:
        add(session, "ann")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.run_sync(broken)
    assert store.run_sync(count) == 0


async def test_actions_run_beside_the_event_loop(sqlite_store: Store) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(_session: Session) -> str:
        entered.set()
        assert leave.wait(5)
        return threading.current_thread().name

    running = asyncio.create_task(sqlite_store.run(slow))
    assert await asyncio.to_thread(entered.wait, 5)
    leave.set()
    assert (await running).startswith("store")


async def test_readers_do_not_wait_for_a_writer(sqlite_store: Store) -> None:
    entered, leave = threading.Event(), threading.Event()

    def writing(session: Session) -> None:
        add(session, "ann")
        session.flush()
        entered.set()
        assert leave.wait(5)

    writer = asyncio.create_task(sqlite_store.run(writing))
    assert await asyncio.to_thread(entered.wait, 5)
    try:
        assert await asyncio.wait_for(sqlite_store.run(reads(count)), 1) == 0
    finally:
        leave.set()
        await writer
    assert await sqlite_store.run(reads(count)) == 1


def test_many_writers_take_turns(store: Store) -> None:
    assert at_once(partial(store.run_sync, add, f"user{n}") for n in range(12)) == []
    assert store.run_sync(count) == 12


def test_one_person_is_made_once(store: Store) -> None:
    assert at_once([partial(store.run_sync, add, "ann")] * 8) == []
    assert store.run_sync(count) == 1


def test_two_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fresh/paillasse.sqlite"
    code = f"from environments.store import Store; Store({url!r}).migrate()"
    processes = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    store = Store(url)
    assert store.run_sync(count) == 0
    store.dispose()


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.run_sync(add, "ann")
    store.migrate()
    assert store.run_sync(count) == 1


def test_a_moment_keeps_its_zone_and_needs_one(store: Store) -> None:
    store.run_sync(add, "ann")
    read = store.run_sync(lambda session: session.scalar(select(Person.created_at)))
    assert read == NOW
    assert read is not None
    assert read.tzinfo is not None
    with pytest.raises(StatementError):
        store.run_sync(people.ensure, "bob", now=datetime(2026, 1, 1))


def test_the_history_keeps_its_environment(world: World) -> None:
    world.joined()
    world.running()

    def drop(session: Session) -> None:
        session.delete(session.scalars(select(Environment)).one())

    with pytest.raises(IntegrityError):
        world.store.run_sync(drop)
    assert world.store.run_sync(lambda session: session.scalar(select(func.count()).select_from(Launch))) == 1
