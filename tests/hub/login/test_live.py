"""Signing in and out on a real Hub behind a real proxy: passwords, sessions, pages."""

from __future__ import annotations

import re
import secrets
import time
from urllib.parse import urlsplit

import pytest

from environments import Role, accounts
from tests.hub.login.acting import PASSWORD, api, portal_token, servers, signed_in, started, student, who
from tests.hub.login.live import ROOT_ACTOR, LiveHub, alert_of, form_with, submit


def test_a_right_password_signs_in_and_leads_where_one_was_going(hub: LiveHub) -> None:
    with hub.browser() as browser:
        page = hub.sign_in(browser, student(hub), PASSWORD, "/hub/password")
        assert page.status_code == 200
        assert urlsplit(str(page.url)).path == "/hub/password"


def test_sign_in_leads_nowhere_else(hub: LiveHub) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "///evil.example"):
        with hub.browser() as browser:
            page = browser.get("/hub/login", params={"next": elsewhere})
            form = form_with(page, "password")
            assert form is not None
            browser.follow_redirects = False
            answer = browser.post(
                form.action, data=form.values | {"username": student(hub), "password": PASSWORD}
            )
            assert answer.status_code == 303
            target = urlsplit(answer.headers["location"].replace("\\", "/"))
            assert not target.netloc


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(hub: LiveHub) -> None:
    name = student(hub)
    with hub.browser() as browser:
        known = hub.sign_in(browser, name, "wrong password")
        unknown = hub.sign_in(browser, "nobody-of-that-name", "wrong password")
        assert known.status_code == unknown.status_code == 403
        assert alert_of(known) == alert_of(unknown) == "The name or the password is not right."


def test_a_lock_is_told_in_words_and_does_not_tell_who_exists(hub: LiveHub) -> None:
    told = []
    for name in (student(hub), "nobody-either"):
        with hub.browser() as browser:
            for _ in range(accounts.TRIES):
                page = hub.sign_in(browser, name, "wrong password")
            assert re.fullmatch(
                r"Too many wrong passwords for this name\. Try again at .+, in .+\.", alert_of(page)
            )
            told.append(re.sub(r"\d+", "0", alert_of(page)))
            assert hub.sign_in(browser, name, PASSWORD).status_code == 403
    assert told[0] == told[1]


def test_the_page_speaks_the_language_of_the_browser(hub: LiveHub) -> None:
    with hub.browser(**{"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}) as browser:
        page = hub.sign_in(browser, "personne", "mauvais mot de passe")
        assert '<html lang="fr"' in page.text
        assert alert_of(page) == "Le nom ou le mot de passe n’est pas correct."
        assert "Il n’y a rien ici" in browser.get("/hub/nothing").text
        assert '<html lang="en"' in browser.get("/hub/login?lang=en").text
        assert '<html lang="en"' in browser.get("/hub/nothing").text


def test_a_one_time_password_opens_no_session_before_it_is_changed(hub: LiveHub) -> None:
    name = student(hub, must_change=True)
    with hub.browser() as browser:
        page = hub.sign_in(browser, name, PASSWORD, "/hub/token")
        assert urlsplit(str(page.url)).path == "/hub/password"
        assert who(browser) == ""
        page = browser.get("/hub/password")
        weak = submit(browser, page, new_password="azertyuiop", new_password_again="azertyuiop")
        assert weak.status_code == 422
        assert "among the first" in alert_of(weak)
        different = submit(browser, weak, new_password="one of a kind", new_password_again="another one")
        assert alert_of(different) == "The two passwords are not the same."
        done = submit(browser, different, new_password="one of a kind", new_password_again="one of a kind")
        assert done.status_code < 400 or "/services/portal" in str(done.url)
        assert who(browser) == name
    with hub.browser() as browser:
        assert hub.sign_in(browser, name, PASSWORD).status_code == 403


def test_changing_one_s_password_ends_every_other_session(hub: LiveHub) -> None:
    name, new = student(hub), "one of a kind"
    with signed_in(hub, name) as browser, signed_in(hub, name) as elsewhere:
        page = browser.get("/hub/password")
        wrong = submit(browser, page, password="not it", new_password=new, new_password_again=new)
        assert alert_of(wrong) == "The name or the password is not right."
        submit(browser, wrong, password=PASSWORD, new_password=new, new_password_again=new)
        assert who(browser) == name
        assert who(elsewhere) == ""


def test_a_form_without_its_token_does_nothing(hub: LiveHub) -> None:
    name = student(hub)
    with hub.browser() as browser:
        browser.get("/hub/login")
        answer = browser.post("/hub/login", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 403
        assert "open for too long" in alert_of(answer)
        assert who(browser) == ""


def test_a_form_field_is_no_proof(hub: LiveHub) -> None:
    with hub.browser() as browser:
        page = browser.get("/hub/login")
        submit(browser, page, username="root1", password="", proof="Proof('local', 'root1')")
        assert who(browser) == ""


def test_nobody_registers_where_registration_is_off(hub: LiveHub) -> None:
    with hub.browser() as browser:
        browser.get("/hub/login")
        assert browser.get("/hub/register").status_code == 404
        assert browser.post("/hub/register", data={"username": "me"}).status_code in {403, 404}
        assert "/hub/register" not in browser.get("/hub/login").text


def test_signing_in_as_a_second_person_is_the_second_person(hub: LiveHub) -> None:
    first, second = student(hub), student(hub)
    with hub.browser() as fresh:
        page = fresh.get("/hub/login", params={"next": "/hub/token"})
        form = form_with(page, "password")
    with signed_in(hub, first) as browser:
        token, session = portal_token(hub, browser), browser.cookies["jupyterhub-session-id"]
        xsrf = browser.get("/hub/password")
        assert form is not None
        values = {"_xsrf": form_with(xsrf, "new_password").values["_xsrf"], "next": "/hub/token"}
        browser.post("/hub/login", data=values | {"username": second, "password": PASSWORD})
        assert who(browser) == second
        assert browser.cookies["jupyterhub-session-id"] != session
    assert api(hub, token, "GET", "/user").status_code == 403


def test_signing_out_kills_copies_of_the_cookie_and_the_portals_token(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser, hub.browser() as thief:
        for cookie in browser.cookies.jar:
            thief.cookies.jar.set_cookie(cookie)
        assert who(thief) == name
        token = portal_token(hub, browser)
        assert "You are signed out." in browser.get("/hub/logout").text
        assert who(browser) == who(thief) == ""
    assert api(hub, token, "GET", "/user").status_code == 403


def test_another_site_cannot_sign_people_out(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        page = browser.get("/hub/logout", headers={"Sec-Fetch-Site": "cross-site"})
        assert "Another site asks" in page.text
        assert who(browser) == name
        assert "You are signed out." in submit(browser, page).text


def test_a_closed_account_loses_its_session_its_tokens_and_its_servers(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        token = portal_token(hub, browser)
        given = started(hub, token, name, "tp1")
        hub.store.run_sync(accounts.set_disabled, ROOT_ACTOR, name, True)
        time.sleep(1.2)
        # What the server itself does every minute is enough: nobody has to come by.
        report = {"last_activity": "2026-11-21T09:00:00Z"}
        api(hub, given["JUPYTERHUB_API_TOKEN"], "POST", f"/users/{name}/activity", json=report)
        deadline = time.monotonic() + 15
        while servers(hub, name):
            assert time.monotonic() < deadline, "the server still runs"
            time.sleep(0.1)
        assert who(browser) == ""
        assert api(hub, token, "GET", "/user").status_code == 403
        page = hub.sign_in(browser, name, PASSWORD)
        assert alert_of(page) == "This account is closed. Ask an administrator."


def test_another_password_ends_the_sessions_that_the_old_one_began(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        token = portal_token(hub, browser)
        hub.store.run_sync(accounts.reset_password, ROOT_ACTOR, name, "given by the admin")
        time.sleep(1.2)
        assert who(browser) == ""
        assert api(hub, token, "GET", "/user").status_code == 403


@pytest.mark.parametrize("role", [Role.TEACHER, Role.ADMIN])
def test_only_the_admin_role_administers_the_hub(hub: LiveHub, role: Role) -> None:
    name = f"r{secrets.token_hex(4)}"
    hub.add(name, PASSWORD, role)
    with signed_in(hub, name) as browser:
        assert (browser.get("/hub/admin").status_code == 200) is (role is Role.ADMIN)


def test_every_page_has_a_policy_without_inline_scripts(hub: LiveHub) -> None:
    name = f"r{secrets.token_hex(4)}"
    hub.add(name, PASSWORD, Role.ADMIN)
    with hub.browser() as stranger, signed_in(hub, name) as browser:
        pages = [stranger.get(path) for path in ("/hub/login", "/hub/nothing", "/hub/logout")]
        pages += [
            browser.get(path) for path in ("/hub/token", "/hub/admin", "/hub/password", "/hub/user/x/y")
        ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        (nonce,) = re.findall(r"script-src 'self' 'nonce-([^']+)'", policy)
        assert "frame-ancestors 'none'" in policy
        scripts = re.findall(r"<script\b[^>]*>", page.text)
        assert all(f'nonce="{nonce}"' in script for script in scripts), page.url
        assert not re.search(r"<[^>]+\son[a-z]+=", page.text), page.url


def test_the_log_tells_no_join_code_and_no_session(hub: LiveHub) -> None:
    code = secrets.token_hex(8)
    with hub.browser() as browser:
        page = browser.get("/hub/login", params={"next": f"/services/portal/join/{code}"})
        browser.follow_redirects = False
        submit(browser, page, username=student(hub), password=PASSWORD)
        browser.get("/hub/login", params={"next": f"/services/portal/join/{code}"})
        session = browser.cookies["jupyterhub-session-id"]
    log = hub.log()
    assert code not in log
    assert session not in log
    assert PASSWORD not in log
