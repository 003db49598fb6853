"""A real Chromium, Debian's, driven by Playwright; and JupyterLab as a person uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """One headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, username: str, password: str) -> None:
    """Fill the sign-in form that the platform shows to a person it does not know."""
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(password)
    page.locator("form:has(input[name=password]) button[type=submit]").click()


def choose_password(page: Page, new: str) -> None:
    """The page that a one-time password leads to."""
    for field in page.locator("input[type=password][autocomplete=new-password]").all():
        field.fill(new)
    page.locator("form:has(input[type=password]) button[type=submit]").click()


def run_cell(page: Page, code: str) -> None:
    """Open a new Python notebook from the launcher, type code in its first cell and run it."""
    # Until the notebook's own connection is there, Lab drops what one runs: wait for its first word.
    with page.expect_websocket(lambda socket: "/channels" in socket.url, timeout=60_000) as connection:
        page.locator(".jp-LauncherCard[data-category='Notebook']").first.click(timeout=60_000)
    connection.value.wait_for_event("framereceived")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.click()
    page.keyboard.type(code)
    expect(cell).to_have_text(code)
    page.keyboard.press("Shift+Enter")


def expect_output(page: Page, text: str) -> None:
    """The output area of the first cell shows exactly this."""
    expect(page.locator(".jp-OutputArea-output pre").first).to_have_text(
        re.compile(rf"^\s*{text}\s*$"), timeout=60_000
    )


def save(page: Page) -> None:
    """Save the notebook under the name it has, which Lab asks about the first time."""
    page.keyboard.press("Control+s")
    page.locator(".jp-Dialog .jp-mod-accept").click(timeout=30_000)
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=30_000)
