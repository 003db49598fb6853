"""Home, stopping, extending, files: what runs, what is kept, what can be taken away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from environments import HomeKind, launching, queries
from tests.hub.portal.conftest import BASE, Site, Visitor


def run(site: Site, member: Visitor, slug: str) -> None:
    """Bring a server up, as the Hub and our records see it."""
    now = datetime.now(UTC)
    launch = site.store.run_sync(launching.request, member.username, slug, now=now)
    site.store.run_sync(launching.resolve, member.username, slug, now, ceilings=site.portal.ceilings)
    site.store.run_sync(launching.ready, launch.id, now=now)
    site.double.run(member.username, slug)


def test_an_empty_home_asks_for_a_link(site: Site) -> None:
    page = site.person().get("/").text
    assert "Nothing here yet" in page
    assert "You have a link or a code?" in page


def test_what_runs_comes_first_then_what_can_start(site: Site) -> None:
    member, slug = site.member()
    other = site.environment()
    member.press(member.get(f"/join/{site.link(other)}"), "/join/")
    site.double.servers.clear()
    launch = site.store.run_sync(queries.current_launch, member.username, other)
    site.store.run_sync(launching.failed, launch.id, "cancelled", {}, "", now=datetime.now(UTC))
    run(site, member, slug)
    page = member.get("/").text
    assert page.index("Running now") < page.index(f"Sandbox {slug}") < page.index("Ready to start")
    assert page.index("Ready to start") < page.index(f"Sandbox {other}")
    assert f'action="{BASE}/start/{other}"' in page
    assert f'action="{BASE}/start/{slug}"' not in page
    assert f'href="{BASE}/open/{slug}"' in page
    assert "What you save in /home/student is kept for next time." in page
    assert "Will stop:" in page


@pytest.mark.parametrize(("pending", "words"), [("spawn", "Starting…"), ("stop", "Stopping…")])
def test_what_moves_is_followed(site: Site, pending: str, words: str) -> None:
    member, slug = site.member()
    if pending == "spawn":
        site.store.run_sync(launching.request, member.username, slug, now=datetime.now(UTC))
    site.double.run(member.username, slug, pending=pending)
    page = member.get("/").text
    assert words in page
    assert "data-moving" in page
    assert 'http-equiv="refresh"' in page
    assert f'action="{BASE}/start/{slug}"' not in page


def test_without_the_hub_the_home_tells_what_it_knows(site: Site) -> None:
    member, slug = site.member()
    run(site, member, slug)
    site.double.down = True
    page = member.get("/")
    assert page.status_code == 200
    assert "this list may be a little old" in page.text
    assert "State unknown for the moment" in page.text


@pytest.mark.parametrize(
    ("home", "kept"),
    [
        ("none", "Nothing is kept after it stops"),
        ("environment", "What you save in /home/student is kept"),
        ("personal", "shared with your other environments"),
    ],
)
def test_stopping_says_what_is_kept_and_asks(site: Site, home: str, kept: str) -> None:
    member, slug = site.member(home=home)
    run(site, member, slug)
    asked = member.press(member.get("/"), f"/servers/{slug}/stop")
    assert asked.url.path == f"{BASE}/servers/{slug}/stop"
    assert kept in asked.text
    assert (member.username, slug) in site.double.servers
    stopped = member.press(asked, f"/servers/{slug}/stop")
    assert stopped.url.path == f"{BASE}/"
    assert (member.username, slug) not in site.double.servers


def test_a_start_can_be_put_off_its_end(site: Site) -> None:
    member, slug = site.member()
    run(site, member, slug)
    launch = site.store.run_sync(queries.current_launch, member.username, slug)
    assert launch is not None
    now = datetime.now(UTC)
    site.store.run_sync(launching.warn, launch.id, now + timedelta(minutes=5), now)
    warned = member.get("/")
    assert "left)" in warned.text
    extended = member.press(warned, f"/servers/{slug}/extend")
    assert "Kept running until" in extended.text


def test_what_does_not_run_cannot_be_stopped_or_opened(site: Site) -> None:
    member, slug = site.member()
    for path in (f"/servers/{slug}/stop", f"/open/{slug}"):
        assert 'data-reason="not-running"' in member.get(path).text


def test_files_are_listed_with_their_size_and_given_when_nothing_runs(site: Site) -> None:
    member, slug = site.member()
    assert "No files yet" in member.get("/files").text
    run(site, member, slug)
    (home,) = site.store.run_sync(queries.homes, member.username)
    site.double.homes[home.volume] = (12_345_678, 2)
    busy = member.get("/files")
    assert "12\N{NO-BREAK SPACE}MB, 2 files" in busy.text
    assert "In use now" in busy.text
    assert member.get(f"/files/{home.volume}/archive").status_code == 409
    launch = site.store.run_sync(queries.current_launch, member.username, slug)
    assert launch is not None
    site.store.run_sync(launching.ended, launch.id, "stopped-by-user", now=datetime.now(UTC))
    page = member.get("/files").text
    assert home.kind is HomeKind.ENVIRONMENT
    assert f'href="{BASE}/files/{home.volume}/archive"' in page
    archive = member.get(f"/files/{home.volume}/archive")
    assert archive.content == f"archive of {home.volume}".encode()
    assert archive.headers["content-disposition"].startswith("attachment;")
    assert site.person().get(f"/files/{home.volume}/archive").status_code == 404


def test_a_size_that_nobody_knows_is_left_out(site: Site) -> None:
    member, slug = site.member()
    run(site, member, slug)
    assert "Size not known at the moment" in member.get("/files").text
