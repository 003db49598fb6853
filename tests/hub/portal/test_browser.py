"""The pages in a real browser: accessible in both languages and themes, on any width, alive with scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from environments import LaunchView, Role, launching, queries
from tests.hub.double import LOGIN_COOKIE
from tests.hub.portal.conftest import BASE, Site, Visitor
from tests.journeys.browser import CHROMIUM, chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed"),
]

LOOKS = [("fr", "light", 320), ("en", "dark", 1280)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def open_context(browser: Browser, site: Site, person: Visitor, **look: object) -> BrowserContext:
    """A browser in which this person is signed in at the Hub."""
    context = browser.new_context(**look)  # type: ignore[arg-type]
    context.add_cookies([{"name": LOGIN_COOKIE, "value": person.username, "url": site.url}])
    return context


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[tuple[Page, Visitor, str]]:
    member, slug = site.member()
    context = open_context(browser, site, member, locale="en-GB")
    shown = context.new_page()
    complaints: list[str] = []
    shown.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    yield shown, member, slug
    context.close()
    assert complaints == []


def launched(site: Site, member: Visitor, slug: str, end: str) -> LaunchView:
    """A launch in the state that a page is to be seen in."""
    now = datetime.now(UTC)
    launch = site.store.run_sync(launching.request, member.username, slug, now=now)
    site.double.run(member.username, slug, pending=None if end == "ready" else "spawn")
    site.store.run_sync(launching.record, launch.id, "queued", "running", "rank", {"rank": 2}, now=now)
    if end == "ready":
        site.store.run_sync(launching.ready, launch.id, now=now)
    elif end == "failed":
        site.store.run_sync(launching.failed, launch.id, "oom", {}, "MemoryError", now=now)
    return launch


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_every_page_is_accessible_and_fits(
    browser: Browser, site: Site, language: str, theme: str, width: int
) -> None:
    admin, slug = site.person(role=Role.ADMIN, language=language), site.environment()
    paths = ["/", "/files", "/admin/people", f"/join/{site.link(slug)}", "/join/none", "/accessibility"]
    for end in ("starting", "failed", "ready"):
        other = site.environment()
        launched(site, admin, other, end)
        paths.append(f"/start/{other}")
        if end == "ready":
            paths += [f"/servers/{other}/stop", "/"]
    look = {
        "locale": {"fr": "fr-FR", "en": "en-GB"}[language],
        "color_scheme": theme,
        "viewport": {"width": width, "height": 700},
        "reduced_motion": "reduce",
    }
    context = open_context(browser, site, admin, **look)
    shown, axe, found = context.new_page(), Axe(), []
    # What is ready opens by itself; here it is to be looked at.
    context.route("**/open/**", lambda route: route.abort())
    for path in paths:
        shown.goto(site.url + BASE + path)
        assert shown.locator("html").get_attribute("lang") == language
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        for violation in axe.run(shown).response["violations"]:
            if violation["impact"] in {"serious", "critical"}:
                found.append((path, violation["id"], violation["nodes"][0]["html"]))
    context.close()
    assert found == []


def test_the_start_page_follows_counts_and_opens(page: tuple[Page, Visitor, str], site: Site) -> None:
    shown, member, slug = page
    shown.goto(f"{site.url}{BASE}/")
    shown.get_by_role("button", name="Start").click()
    expect(shown.locator("[aria-current=step]")).to_contain_text("Waiting for your turn")
    launch = site.store.run_sync(queries.current_launch, member.username, slug)
    assert launch is not None
    now = datetime.now(UTC)
    site.store.run_sync(launching.record, launch.id, "queued", "running", "rank", {"rank": 3}, now=now)
    expect(shown.locator("[aria-current=step]")).to_contain_text("number 3 in the queue", timeout=2000)
    expect(shown.locator("#live")).to_have_text("Waiting for your turn – number 3 in the queue")
    assert shown.title().startswith("Waiting for your turn")
    assert "favicon-starting" in str(shown.locator("#favicon").get_attribute("href"))
    expect(shown.locator("[data-elapsed]")).to_have_text(re.compile(r"[12]\ss"), timeout=3000)
    site.double.run(member.username, slug)
    site.store.run_sync(launching.ready, launch.id, now=datetime.now(UTC))
    shown.wait_for_url(re.compile(rf"/user/{member.username}/{slug}/lab"), timeout=4000)


def test_who_touches_the_page_is_not_carried_away(page: tuple[Page, Visitor, str], site: Site) -> None:
    shown, member, slug = page
    launch = launched(site, member, slug, "starting")
    shown.goto(f"{site.url}{BASE}/start/{slug}")
    expect(shown.locator("[aria-current=step]")).to_contain_text("Waiting for your turn")
    shown.keyboard.press("Tab")
    site.double.run(member.username, slug)
    site.store.run_sync(launching.ready, launch.id, now=datetime.now(UTC))
    expect(shown.get_by_role("link", name="Open")).to_be_focused(timeout=4000)
    shown.wait_for_timeout(800)
    assert shown.url.endswith(f"/start/{slug}")


def test_a_failure_shows_its_button_and_its_log(page: tuple[Page, Visitor, str], site: Site) -> None:
    shown, member, slug = page
    launch = launched(site, member, slug, "starting")
    shown.goto(f"{site.url}{BASE}/start/{slug}")
    site.store.run_sync(
        launching.failed, launch.id, "exit", {"status": 3}, "No module", now=datetime.now(UTC)
    )
    expect(shown.get_by_role("button", name="Try again")).to_be_visible(timeout=4000)
    expect(shown.locator("main")).to_contain_text("exit code 3")
    expect(shown.locator("pre")).to_have_text("No module")


def test_a_member_who_types_the_link_need_not_press(page: tuple[Page, Visitor, str], site: Site) -> None:
    shown, _, slug = page
    shown.goto(f"{site.url}{BASE}/")
    shown.goto(f"{site.url}/join/{site.link(slug)}")
    shown.wait_for_url(f"**/start/{slug}", timeout=4000)
    shown.go_back()
    shown.wait_for_timeout(500)
    assert "/start/" not in shown.url


def test_the_home_follows_what_moves(page: tuple[Page, Visitor, str], site: Site) -> None:
    shown, member, slug = page
    site.double.run(member.username, slug, pending="stop")
    shown.goto(f"{site.url}{BASE}/")
    expect(shown.get_by_text("Stopping…")).to_be_visible()
    site.double.servers.clear()
    expect(shown.get_by_role("button", name="Start")).to_be_visible(timeout=5000)
    expect(shown.locator("#live")).to_contain_text("not running")


def test_a_lost_connection_is_told_and_mended(page: tuple[Page, Visitor, str], site: Site) -> None:
    shown, member, slug = page
    launch = launched(site, member, slug, "starting")
    shown.route("**/events?*", lambda route: route.abort())
    shown.goto(f"{site.url}{BASE}/start/{slug}")
    expect(shown.locator("#lost")).to_have_text("Connection lost, trying again…", timeout=4000)
    shown.unroute("**/events?*")
    site.store.run_sync(launching.failed, launch.id, "capacity", {}, "", now=datetime.now(UTC))
    expect(shown.get_by_text("No room right now")).to_be_visible(timeout=8000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_machine_until_the_reader_chooses(
    browser: Browser, site: Site, scheme: str
) -> None:
    context = open_context(browser, site, site.person(), locale="en-GB", color_scheme=scheme)
    shown = context.new_page()
    shown.goto(f"{site.url}{BASE}/")

    def brightness() -> int:
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", ground)[:3])

    assert (brightness() > 600) is (scheme == "light")
    shown.get_by_role("button", name="Light theme").click()
    expect(shown.locator("html")).to_have_attribute("data-bs-theme", "light")
    assert brightness() > 600
    shown.get_by_role("button", name="Dark theme").click()
    expect(shown.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert brightness() < 200
    context.close()
