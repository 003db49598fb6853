"""Values and shorthand for the tests of the domain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from environments import (
    Actor,
    Ceilings,
    EnvironmentSpec,
    EnvironmentView,
    LaunchSpec,
    LaunchView,
    Running,
    Store,
    Verdict,
    catalogue,
    joining,
    launching,
    names,
    parse_data,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CEILINGS = Ceilings(
    cpu=8,
    memory=16 * 2**30,
    pids=4096,
    shm=2 * 2**30,
    max_duration=timedelta(days=7),
    allowed_images=("paillasse/*",),
    servers_per_user=2,
)


def after(**length: float) -> datetime:
    """That long after NOW."""
    return NOW + timedelta(**length)


def make_spec(slug: str = "lab", **more: Any) -> EnvironmentSpec:
    """A published environment with what the test says about it."""
    data = {"slug": slug, "title": "Lab", "image": "paillasse/lab:1", "status": "published", **more}
    return parse_data(data, CEILINGS)


def at_once(works: Iterable[Callable[[], object]]) -> list[Exception]:
    """Run these in threads that begin together; returns what they raised."""
    works = list(works)
    barrier = threading.Barrier(len(works))
    raised: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@dataclass(frozen=True)
class World:
    """A store, the teacher who owns what is made in it, and the usual acts."""

    store: Store
    teacher: Actor

    def apply(self, slug: str = "lab", **more: Any) -> EnvironmentView:
        """The teacher defines an environment."""
        return self.store.run_sync(catalogue.apply, self.teacher, make_spec(slug, **more), now=NOW).view

    def link(self, slug: str = "lab", **terms: Any) -> str:
        """The teacher issues a link; returns its code."""
        code = names.new_join_code()
        self.store.run_sync(joining.issue, self.teacher, slug, code=code, now=NOW, **terms)
        return code

    def joined(self, slug: str = "lab", username: str = "sam", **more: Any) -> EnvironmentView:
        """An environment that the person has joined."""
        self.apply(slug, **more)
        return self.store.run_sync(joining.redeem, username, self.link(slug), NOW)

    def request(
        self, slug: str = "lab", username: str = "sam", now: datetime = NOW, **more: Any
    ) -> LaunchView:
        """The person asks for a start."""
        return self.store.run_sync(launching.request, username, slug, language="fr", now=now, **more)

    def resolve(
        self,
        slug: str = "lab",
        username: str = "sam",
        now: datetime = NOW,
        ceilings: Ceilings = CEILINGS,
    ) -> LaunchSpec:
        """The spawner asks the gate."""
        return self.store.run_sync(launching.resolve, username, slug, now, ceilings=ceilings)

    def running(self, slug: str = "lab", username: str = "sam", now: datetime = NOW) -> LaunchSpec:
        """A server that has come up."""
        spec = self.resolve(slug, username, now)
        self.store.run_sync(launching.ready, spec.launch_id, now=now)
        return spec

    def verdicts(
        self, now: datetime, *, idle_since: datetime | None, slug: str = "lab", username: str = "sam"
    ) -> tuple[Verdict, ...]:
        """What the sweep says of a server that was started at NOW."""
        running = [Running(username, slug, idle_since, NOW)]
        return self.store.run_sync(launching.sweep, running, now)

    def ceilings(self, **changes: Any) -> Ceilings:
        """The usual ceilings, some of them changed."""
        return replace(CEILINGS, **changes)
