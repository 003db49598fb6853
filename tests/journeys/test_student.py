"""The main journey: a new student opens a join link, works in a notebook, and finds it again."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import choose_password, chromium, expect_output, run_cell, save, sign_in
from tests.support.platform import ROOT, Platform

pytestmark = pytest.mark.platform

SLUG = "jupyterlab-python"
WORDS = {
    "fr": {"start": "Démarrer", "stop": "Arrêter", "lab_menu": "Fichier", "headline": "JupyterLab"},
    "en": {"start": "Start", "stop": "Stop", "lab_menu": "File", "headline": "JupyterLab"},
}
# Words of the engine's world, which a student must never meet (house words).
FORBIDDEN = re.compile(
    r"\b(container|service|task|volume|spawn\w*|kernel|conteneur|tâche|noyau)s?\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def picture(page: Page, name: str) -> None:
    """Keep what the person sees: in `PAILLASSE_SCREENSHOTS` when that is set, for docs and review."""
    folder = os.environ.get("PAILLASSE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def students_words(page: Page) -> None:
    """The page speaks the student's language: none of the engine's words."""
    found = FORBIDDEN.findall(page.locator("body").inner_text())
    assert not found, f"{page.url} says {found}"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_new_student_works_and_finds_the_work_again(
    platform: Platform, browser: Browser, language: str
) -> None:
    words = WORDS[language]
    name, once = f"lea-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    platform.cli("user", "add", name, "--role", "student", "--must-change", "--password-stdin", stdin=once)
    context = browser.new_context(
        locale={"fr": "fr-FR", "en": "en-GB"}[language], viewport={"width": 1280, "height": 800}
    )
    page = context.new_page()
    violations: list[str] = []
    page.on("console", lambda m: violations.append(m.text) if "Content Security Policy" in m.text else None)

    page.goto(platform.join_link)
    picture(page, f"{language}-1-sign-in")
    expect(page.locator("html")).to_have_attribute("lang", language)
    sign_in(page, name, once)
    picture(page, f"{language}-2-first-password")
    students_words(page)
    choose_password(page, f"{once}-mine")

    expect(page.get_by_role("button", name=words["start"])).to_be_visible()
    picture(page, f"{language}-3-join")
    students_words(page)
    page.get_by_role("button", name=words["start"]).click()
    expect(page.locator("ol li").first).to_be_visible()
    picture(page, f"{language}-4-start")
    students_words(page)
    portal_violations = list(violations)

    page.wait_for_url(re.compile(rf"/user/{name}/{SLUG}/lab"), timeout=120_000)
    expect(page.locator(".lm-MenuBar-itemLabel").first).to_have_text(words["lab_menu"], timeout=60_000)
    run_cell(page, "1+1")
    expect_output(page, "2")
    save(page)
    picture(page, f"{language}-5-lab")

    page.goto(f"{platform.url}/services/portal/")
    picture(page, f"{language}-6-home")
    students_words(page)
    page.get_by_role("button", name=words["stop"]).or_(
        page.get_by_role("link", name=words["stop"])
    ).first.click()
    if urlsplit(page.url).path.endswith("/stop"):
        picture(page, f"{language}-7-stop")
        page.get_by_role("button", name=words["stop"]).first.click()
    expect(page.get_by_role("button", name=words["start"]).first).to_be_visible(timeout=30_000)
    picture(page, f"{language}-8-stopped")

    page.get_by_role("button", name=words["start"]).first.click()
    page.wait_for_url(re.compile(rf"/user/{name}/{SLUG}/lab"), timeout=120_000)
    page.locator(".jp-DirListing-item[title*='Untitled.ipynb']").dblclick(timeout=60_000)
    expect_output(page, "2")
    portal_violations += [text for text in violations if "/services/portal/" in text]
    assert not portal_violations
    context.close()


def test_the_journey_works_without_javascript(platform: Platform, browser: Browser) -> None:
    name, password = platform.add_person("sam")
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    page.goto(platform.join_link)
    sign_in(page, name, password)
    page.get_by_role("button", name="Démarrer").click()
    opened = re.compile(rf"/(open/{SLUG}|user/{name}/{SLUG}/)")
    link = page.locator("main a").filter(has_text=re.compile("Ouvrir"))
    expect(link.first).to_have_attribute("href", opened, timeout=90_000)
    with context.expect_event("response", lambda r: f"/user/{name}/{SLUG}/lab" in r.url and r.status == 200):
        link.first.click()
    context.close()


def test_readme_shows_this_journey() -> None:
    """The README's picture exists and is the one the journey makes."""
    readme = (ROOT / "README.md").read_text()
    shown = re.findall(r"!\[[^\]]*\]\((docs/[^)]+\.png)\)", readme)
    assert shown
    assert all((ROOT / picture).stat().st_size > 10_000 for picture in shown)
