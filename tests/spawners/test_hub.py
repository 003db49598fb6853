"""The mixin inside a real Hub: what each of its doors answers, and what a killed Hub finds again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import LaunchState
from tests.spawners.hubside import Hub
from tests.spawners.support import School, open_school


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, School]]:
    """One Hub for all: starting it is what takes the time."""
    directory: Path = tmp_path_factory.mktemp("hub")
    school = open_school(directory)
    for slug in ("python-intro", "never-joined", "silent"):
        school.publish(slug)
    for slug in ("python-intro", "silent"):
        school.admit("ada", slug)
    hub = Hub(directory, school)
    hub.start()
    hub.api.post("/users/ada").raise_for_status()
    yield hub, school
    hub.api.delete("/users/ada/servers/python-intro")
    hub.kill()
    hub.api.close()
    school.store.dispose()


def test_a_start_answers_at_once_and_its_options_are_forgotten(site: tuple[Hub, School]) -> None:
    hub, school = site
    assert hub.start_server(image="evil:1", mem_limit="1T").status_code in (201, 202)
    hub.until_ready()
    launch = school.current()
    assert launch.state is LaunchState.READY
    hub.api.delete("/users/ada/servers/python-intro").raise_for_status()
    hub.until_stopped()
    assert school.current().end_reason == "stopped-by-user"


def test_who_has_not_joined_is_refused_with_a_sentence(site: tuple[Hub, School]) -> None:
    hub, _ = site
    browser = hub.browser()
    hub.start_server("never-joined")
    time.sleep(0.5)
    page = browser.get(f"{hub.url}/spawn-pending/ada/never-joined")
    assert page.status_code == 403
    assert "n’êtes pas membre" in page.text
    browser.close()


@pytest.mark.parametrize("query", ["", "?opt-image=evil:1", "?image=evil:1"])
def test_a_link_to_the_spawn_page_starts_nothing(site: tuple[Hub, School], query: str) -> None:
    hub, _ = site
    browser = hub.browser()
    page = browser.get(f"{hub.url}/spawn/ada/python-intro{query}")
    assert page.status_code == (403 if query else 200)
    assert "python-intro" in page.text
    assert hub.server() == {}
    browser.close()


def test_a_start_can_be_cancelled_and_begun_again(site: tuple[Hub, School]) -> None:
    hub, school = site
    for _ in range(2):
        school.request("silent")
        hub.start_server("silent")
        deadline = time.monotonic() + 5
        while school.current("silent").state is not LaunchState.STARTING:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answer = hub.api.delete("/users/ada/servers/silent")
        assert answer.status_code in (202, 204), answer.text
        hub.until_stopped("silent")
        assert school.current("silent").failure == "cancelled"


def test_a_hub_that_is_killed_keeps_its_servers(site: tuple[Hub, School]) -> None:
    hub, school = site
    hub.start_server()
    hub.until_ready()
    launch = school.current()
    hub.kill()
    hub.start()
    hub.until_ready()
    assert school.current() == launch
    hub.api.delete("/users/ada/servers/python-intro").raise_for_status()
    hub.until_stopped()


def test_a_deleted_server_gives_its_files_a_date(site: tuple[Hub, School]) -> None:
    hub, school = site
    hub.start_server()
    hub.until_ready()
    hub.api.request("DELETE", "/users/ada/servers/python-intro", json={"remove": True}).raise_for_status()
    hub.until_stopped()
    deadline = time.monotonic() + 5
    while not school.homes()[0].delete_after:
        assert time.monotonic() < deadline
        time.sleep(0.1)
