"""A Hub of its own: people may make their own account, its tables are in PostgreSQL, and somebody guesses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, inspect

from environments import Role, accounts
from tests.environments.postgres import binaries, cluster
from tests.hub.login.acting import PASSWORD, who
from tests.hub.login.live import PROXY, LiveHub, alert_of, submit


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A Hub whose site allows registration, on PostgreSQL."""
    found = binaries()
    if PROXY is None or found is None:
        pytest.skip(
            "configurable-http-proxy or PostgreSQL is not installed: `./paillasse test` installs both"
        )
    with cluster(found) as url:
        environ = {"PAILLASSE_SELF_REGISTRATION": "true", "PAILLASSE_DATABASE_URL": url}
        live = LiveHub(tmp_path_factory.mktemp("hub"), environ)
        try:
            live.start()
            yield live
        finally:
            live.stop()


def test_the_hub_makes_its_tables_in_a_schema_of_its_own(hub: LiveHub) -> None:
    engine = create_engine(hub.settings.database_url)
    tables = inspect(engine)
    assert "spawners" in tables.get_table_names("hub")
    assert "spawners" not in tables.get_table_names("public")
    assert "accounts" in tables.get_table_names("public")
    engine.dispose()


def test_somebody_makes_an_account_and_is_signed_in(hub: LiveHub) -> None:
    with hub.browser() as browser:
        assert 'href="/hub/register' in browser.get("/hub/login").text
        page = browser.get("/hub/register", params={"next": "/hub/token"})
        given = {"username": "Lea", "display_name": "Léa", "new_password": PASSWORD}
        wrong = submit(browser, page, **given, new_password_again="something else")
        assert (wrong.status_code, alert_of(wrong)) == (422, "The two passwords are not the same.")
        assert 'value="Léa"' in wrong.text
        submit(browser, wrong, **given, new_password_again=PASSWORD)
        assert who(browser) == "lea"
    found = hub.store.run_sync(accounts.credentials, "lea")
    assert found is not None
    assert (found.person.role, found.person.display_name) == (Role.STUDENT, "Léa")


def test_a_look_alike_is_told_that_the_name_is_taken(hub: LiveHub) -> None:
    with hub.browser() as browser:
        page = browser.get("/hub/register")
        again = submit(browser, page, username="adm1n", new_password=PASSWORD, new_password_again=PASSWORD)
        assert (again.status_code, alert_of(again)) == (422, "The name adm1n is taken. Choose another one.")
        assert who(browser) == ""


def test_a_guesser_cannot_hide_behind_headers(hub: LiveHub) -> None:
    with hub.browser() as browser:
        for number in range(80):
            spoof = {"X-Real-Ip": f"198.51.100.{number}", "X-Forwarded-For": f"198.51.100.{number}"}
            browser.headers.update(spoof)
            answer = hub.sign_in(browser, f"guess{number}", "wrong password")
            if answer.status_code == 429:
                break
        assert "Too many failed attempts from your network" in alert_of(answer)
