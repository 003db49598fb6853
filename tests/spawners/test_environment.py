"""The mixin: the one gate, what is forgotten at each start, and what the Hub is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dockerspawner import SwarmSpawner
from traitlets import HasTraits, Int

from environments import LaunchState, queries
from spawners.environment import EnvironmentMixin
from spawners.errors import EngineFailed, LaunchFailed, LaunchRefused, NoCapacity
from spawners.local import LocalEnvironmentSpawner
from spawners.swarm import SwarmEnvironmentSpawner
from tests.spawners.support import School, spawner


class Scripted(LocalEnvironmentSpawner):
    """Starts nothing: does what the test says."""

    script: Any = None
    removed: Any = None

    async def bring_up(self, launch: Any, steps: Any) -> str:
        steps.advance("starting")
        return str(await self.script())

    def tear_down(self, launch_id: str) -> None:
        self.removed = launch_id


def scripted(school: School, outcome: Any, **kw: Any) -> Scripted:
    async def script() -> str:
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    made = spawner(Scripted, school, "python-intro", **kw)
    made.script = script
    return made


async def test_a_start_ends_ready_with_its_story(school: School) -> None:
    made = scripted(school, "10.0.0.5:8888")
    assert await made.start() == "http://10.0.0.5:8888"
    await made.journal.written()
    launch = school.current()
    assert launch.state is LaunchState.READY
    assert launch.id == made.launch_id
    events = school.store.run_sync(queries.events_after, 0, [launch.id])
    assert [(event.step, event.state) for event in events][-1] == ("ready", "done")
    assert ("starting", "done") in [(event.step, event.state) for event in events]


@pytest.mark.parametrize(
    ("slug", "username", "reason", "status"),
    [
        ("python-intro", "bob", "not-a-member", 403),
        ("unknown", "ada", "not-found", 404),
        ("", "ada", "not-found", 404),
    ],
)
async def test_who_may_not_start_is_refused_with_a_sentence(
    school: School, slug: str, username: str, reason: str, status: int
) -> None:
    made = spawner(Scripted, school, slug, username)
    with pytest.raises(LaunchRefused) as refused:
        await made.start()
    assert (refused.value.reason, refused.value.status_code) == (reason, status)
    assert refused.value.jupyterhub_message
    assert "%(" not in refused.value.jupyterhub_message


async def test_the_quota_is_asked_at_every_start(school: School) -> None:
    for slug in ("one", "two"):
        school.publish(slug)
        school.admit("ada", slug)
        other = spawner(Scripted, school, slug)
        other.script = lambda: asyncio.sleep(0, "h:1")
        await other.start()
    with pytest.raises(LaunchRefused) as refused:
        await scripted(school, "h:1").start()
    assert (refused.value.reason, refused.value.status_code) == ("quota-user", 403)
    assert "2" in refused.value.jupyterhub_message


@pytest.mark.parametrize(
    ("failure", "raised", "status"),
    [
        (LaunchFailed("capacity", {"memory": 1, "cpu": 1}), NoCapacity, 503),
        (LaunchFailed("volume-busy", {"environment": "r-stats"}), LaunchRefused, 409),
        (LaunchFailed("exit", {"status": 3}, "100% of it", "Traceback"), EngineFailed, 502),
        (LaunchFailed("image-missing", {"image": "nowhere:1"}), EngineFailed, 502),
        (LaunchFailed("port-timeout", {"port": 9}), EngineFailed, 502),
        (RuntimeError("unforeseen"), EngineFailed, 502),
    ],
)
async def test_what_failed_is_told_to_all(
    school: School, failure: Exception, raised: type[Exception], status: int
) -> None:
    made = scripted(school, failure)
    with pytest.raises(raised) as told:
        await made.start()
    assert told.value.status_code == status
    assert str(told.value)
    launch = school.current()
    assert launch.state is LaunchState.FAILED
    assert launch.failure == (failure.code if isinstance(failure, LaunchFailed) else "internal")
    assert made.removed == launch.id
    assert made.launch_id == ""
    assert "?" not in told.value.jupyterhub_message
    if isinstance(failure, LaunchFailed):
        assert launch.log_tail == failure.log_tail
        assert launch.failure_args == failure.facts


async def test_a_start_that_is_cancelled_is_removed_and_told(school: School) -> None:
    made = spawner(Scripted, school, "python-intro")
    made.script = lambda: asyncio.sleep(60)
    starting = asyncio.create_task(made.start())
    async with asyncio.timeout(5):
        while not made.launch_id:  # noqa: ASYNC110 - the Hub would poll, too
            await asyncio.sleep(0.01)
    assert await made.poll() is None or made._starting
    launch_id = made.launch_id
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert made.removed == launch_id
    await made.journal.written()
    assert school.current().failure == "cancelled"


async def test_nothing_survives_from_an_earlier_start(school: School) -> None:
    made = scripted(school, "h:1")
    made.user_options = {"image": "evil:1", "mem_limit": "1T"}
    made.cmd, made.default_url, made.mem_guarantee = ["sh"], "/evil", 1
    await made.start()
    assert made.user_options == {}
    assert made.default_url == "/lab"
    assert made.mem_limit == 64 << 20
    assert made.cpu_limit == 1.5
    assert made.cmd == made.program


async def test_the_servers_variables(school: School) -> None:
    made = scripted(school, "h:1")
    await made.start()
    env = made.get_env()
    assert env["JUPYTERHUB_API_TOKEN"] == "secret-token"
    assert env["JUPYTERHUB_ACTIVITY_INTERVAL"] == "60"
    assert env["JUPYTERHUB_DEFAULT_URL"] == "/lab"
    assert env["MEM_LIMIT"] == str(64 << 20)
    assert env["CPU_LIMIT"] == "1.5"
    assert "JUPYTERHUB_COOKIE_OPTIONS" not in env


async def test_the_hubs_page_asks_and_a_query_starts_nothing(school: School) -> None:
    made = spawner(Scripted, school, "python-intro")
    assert "python-intro" in await made.get_options_form()
    with pytest.raises(LaunchRefused):
        made.options_from_query({"opt-image": ["evil:1"]})
    assert made.run_options_from_form({"image": ["evil:1"]}) == {}


async def test_the_reader_chooses_the_language(school: School) -> None:
    made = spawner(Scripted, school, "nothing")
    made.handler = SimpleNamespace(get_cookie=lambda name: "en" if name == "paillasse-lang" else None)
    with pytest.raises(LaunchRefused) as refused:
        await made.start()
    english = refused.value.jupyterhub_message
    made.handler = SimpleNamespace(get_cookie=lambda name: "../../etc")
    with pytest.raises(LaunchRefused) as refused:
        await made.start()
    assert english.startswith("There is nothing")
    assert refused.value.jupyterhub_message.startswith("Il n’y a rien")


async def test_progress_replays_what_was_told_and_goes_on(school: School) -> None:
    go = asyncio.Event()

    async def script() -> str:
        await go.wait()
        return "h:1"

    made = spawner(Scripted, school, "python-intro")
    made.script = script
    starting = asyncio.create_task(made.start())
    async with asyncio.timeout(5):
        while not made._told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    seen = []

    async def watch() -> None:
        async for event in made.progress():
            seen.append(event)
            json.dumps(event)

    early = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    assert [event["progress"] for event in seen] == [60]
    go.set()
    await starting
    await asyncio.wait_for(early, 2)


async def test_files_of_a_deleted_server_get_a_date_and_a_start_saves_them(school: School) -> None:
    made = scripted(school, "h:1")
    await made.start()
    await made.delete_forever()
    (home,) = school.store.run_sync(queries.homes, "ada")
    assert home.delete_after is not None
    await made.start()
    (home,) = school.store.run_sync(queries.homes, "ada")
    assert home.delete_after is None


async def test_a_local_process_answers_and_stops(school: School, tmp_path: Path) -> None:
    made = spawner(LocalEnvironmentSpawner, school, "python-intro", home_dir=str(tmp_path / "home"))
    url = await made.start()
    assert url.startswith("http://127.0.0.1:")
    assert await made.poll() is None
    await made.stop()
    assert await made.poll() is not None
    assert school.current().end_reason == "stopped-by-user"


async def test_a_local_process_that_dies_is_told(school: School, tmp_path: Path) -> None:
    made = spawner(LocalEnvironmentSpawner, school, "python-intro", home_dir=str(tmp_path / "home"))
    await made.start()
    made.proc.kill()
    async with asyncio.timeout(5):
        while await made.poll() is None:  # noqa: ASYNC110 - as the Hub does
            await asyncio.sleep(0.05)
    await made.journal.written()
    assert school.current().end_reason == "crashed"


@pytest.mark.parametrize("kind", [EnvironmentMixin, SwarmEnvironmentSpawner])
def test_only_what_is_meant_hides_a_name_of_the_hubs(kind: type) -> None:
    """A method of ours called `_failed` once hid a property of the Hub's, which then doubled servers."""
    meant = {
        *("start", "stop", "poll", "progress", "delete_forever", "get_env", "docker", "mounts"),
        *("get_state", "load_state", "clear_state"),
        *("get_options_form", "run_options_from_form", "options_from_query"),
    }
    hidden = {name for name in vars(kind) if hasattr(SwarmSpawner, name) and not name.startswith("__")}
    machinery = set(vars(type("Empty", (HasTraits,), {"trait": Int()})))
    assert hidden - meant - machinery == set()
