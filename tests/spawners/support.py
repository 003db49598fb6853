"""A person, a Hub and a published environment, small but real where it matters: the domain's database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from jupyterhub import orm
from jupyterhub.spawner import Spawner

from environments import (
    Actor,
    Ceilings,
    HomeView,
    LaunchView,
    Role,
    Store,
    catalogue,
    joining,
    launching,
    names,
    parse_yaml,
    people,
    queries,
)

S = TypeVar("S", bound=Spawner)

# Two runs of the tests on one machine must not see each other.
STACK = f"t-spawner-{os.getpid()}"
IMAGE = f"{STACK}/tiny:1"
NETWORK = "t-users"

CEILINGS = {
    "cpu": 100.0,
    "memory": 1 << 50,
    "pids": 4096,
    "shm": 1 << 31,
    "max_duration": None,
    "allowed_images": ("*",),
    "servers_per_user": 2,
}
TEACHER = Actor("teacher", Role.ADMIN)


@dataclass
class School:
    """A site with its database; `ada` is a member of what it publishes."""

    store: Store
    url: str

    def publish(self, slug: str, *, port: int = 8888, **changes: Any) -> None:
        """Make an environment, or change it."""
        spec = {
            "slug": slug,
            "title": {"fr": "Bac à sable", "en": "Sandbox"},
            "status": "published",
            "image": IMAGE,
            "interface": {"kind": "lab", "port": port, "path": "/lab"},
            "resources": {"cpu": 1.5, "memory": "64M", "pids": 128, "shm": "16M"},
            "home": {"kind": "environment", "path": "/home/student"},
            **changes,
        }
        parsed = parse_yaml(json.dumps(spec), Ceilings(**CEILINGS))
        self.store.run_sync(catalogue.apply, TEACHER, parsed, now=datetime.now(UTC))

    def request(self, slug: str = "python-intro") -> str:
        """Ask for a start as ada's page does; the launch's id."""
        view = self.store.run_sync(launching.request, "ada", slug, language="fr", now=datetime.now(UTC))
        return view.id

    def homes(self) -> tuple[HomeView, ...]:
        """Ada's homes."""
        return self.store.run_sync(queries.homes, "ada")

    def current(self, slug: str = "python-intro") -> LaunchView:
        """Ada's latest launch, as the domain knows it."""
        launch = self.store.run_sync(queries.current_launch, "ada", slug)
        assert launch is not None
        return launch

    def admit(self, username: str, slug: str) -> None:
        """Let a person in through a join link."""
        code, now = names.new_join_code(), datetime.now(UTC)
        self.store.run_sync(people.ensure, username, now=now)
        self.store.run_sync(joining.issue, TEACHER, slug, code=code, now=now)
        self.store.run_sync(joining.redeem, username, code, now)


def open_school(directory: Path) -> School:
    """A new school with an empty database."""
    url = f"sqlite:///{directory}/school.sqlite"
    store = Store(url, stack=STACK)
    store.migrate()
    store.run_sync(people.ensure, TEACHER.username, now=datetime.now(UTC))
    return School(store, url)


def spawner(
    kind: type[S],
    school: School,
    slug: str,
    username: str = "ada",
    *,
    base_url: str | None = None,
    **traits: Any,
) -> S:
    """What the Hub makes when it is asked to start a server."""
    server = orm.Server(proto="http", ip="127.0.0.1", port=1, cookie_name="")
    server.base_url = base_url or f"/user/{username}/{slug}/"
    made = kind(
        user=SimpleNamespace(
            name=username,
            id=1,
            url=f"/user/{username}/",
            escaped_name=username,
            settings={},
            progress_url=str,
        ),
        hub=SimpleNamespace(public_host="", api_url="http://hub:8081/hub/api", base_url="/hub/"),
        database_url=school.url,
        stack=STACK,
        ceilings=CEILINGS,
        cookie_options={"Partitioned": True},
        api_token="secret-token",
        orm_spawner=SimpleNamespace(name=slug, state={}, server=server),
        **traits,
    )
    return made
