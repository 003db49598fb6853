"""Signing in, the portal's OAuth, and what each token may do, on a real Hub behind a real proxy."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from jupyterhub.apihandlers import default_handlers
from tornado.web import RequestHandler

from environments import Role, accounts
from tests.hub.login.live import ROOT_ACTOR, LiveHub, alert_of, form_with, submit

PASSWORD = "correct horse battery"
CALLBACK = "/services/portal/oauth_callback"


def student(hub: LiveHub, **options: bool) -> str:
    """A new student's name; the password is PASSWORD."""
    name = f"s{secrets.token_hex(4)}"
    hub.add(name, PASSWORD, **options)
    return name


@contextmanager
def signed_in(hub: LiveHub, name: str) -> Iterator[httpx.Client]:
    """A browser in which this person is signed in."""
    with hub.browser() as browser:
        hub.sign_in(browser, name, PASSWORD, "/hub/token")
        assert who(browser) == name
        yield browser


def who(browser: httpx.Client) -> str:
    """Whose session this browser has, by the Hub's own pages."""
    page = browser.get("/hub/token")
    found = re.search(r'class="who">([^<]*)<', page.text)
    return found[1] if found else ""


def portal_token(hub: LiveHub, browser: httpx.Client) -> str:
    """What the portal gets from the OAuth flow of the person in this browser."""
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    answer = browser.get(
        "/hub/api/oauth2/authorize",
        params={
            "client_id": "service-portal",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "x",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        },
        follow_redirects=False,
    )
    assert answer.status_code == 302, answer.text
    location = urlsplit(answer.headers["location"])
    assert location.path == CALLBACK
    reply = httpx.post(
        f"{hub.api_url}/oauth2/token",
        data={
            "client_id": "service-portal",
            "client_secret": hub.secret("portal_token"),
            "grant_type": "authorization_code",
            "code": parse_qs(location.query)["code"][0],
            "redirect_uri": CALLBACK,
            "code_verifier": verifier,
        },
        trust_env=False,
    )
    return str(reply.json()["access_token"])


def api(hub: LiveHub, token: str, method: str, path: str, **kwargs: object) -> httpx.Response:
    """One call of the Hub's API."""
    headers = {"Authorization": f"token {token}"}
    return httpx.request(
        method, f"{hub.api_url}{path}", headers=headers, trust_env=False, timeout=20, **kwargs
    )


def servers(hub: LiveHub, name: str) -> dict[str, dict[str, object]]:
    """What the Hub runs for this person, as the worker sees it."""
    return dict(api(hub, hub.secret("worker_token"), "GET", f"/users/{name}").json()["servers"])


def started(hub: LiveHub, token: str, name: str, slug: str) -> dict[str, str]:
    """Start a server with this token; returns what the server was given."""
    answer = api(hub, token, "POST", f"/users/{name}/servers/{slug}")
    assert answer.status_code in {201, 202}, answer.text
    deadline = time.monotonic() + 20
    while not servers(hub, name).get(slug, {}).get("ready"):
        assert time.monotonic() < deadline, hub.log()
        time.sleep(0.1)
    return dict(httpx.get(f"{hub.url}/user/{name}/{slug}/", trust_env=False).json())


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


def test_the_portal_may_run_the_persons_own_servers_and_nothing_else(hub: LiveHub) -> None:
    name, other = student(hub), student(hub)
    with signed_in(hub, name) as browser, signed_in(hub, other):
        token = portal_token(hub, browser)
    assert api(hub, token, "GET", "/user").json()["name"] == name
    started(hub, token, name, "tp1")
    assert api(hub, token, "GET", f"/users/{name}").json()["servers"]["tp1"]["ready"]
    with httpx.stream(
        "GET",
        f"{hub.api_url}/users/{name}/servers/tp1/progress",
        headers={"Authorization": f"token {token}"},
        trust_env=False,
    ) as progress:
        assert '"ready": true' in next(line for line in progress.iter_lines() if line.startswith("data:"))
    assert api(hub, token, "DELETE", f"/users/{name}/servers/tp1").status_code in {202, 204}
    for method, path in (
        ("GET", f"/users/{other}"),
        ("POST", f"/users/{other}/servers/tp1"),
        ("DELETE", f"/users/{other}/servers/tp1"),
        ("GET", "/users"),
        ("POST", f"/users/{name}/tokens"),
        ("GET", f"/users/{name}/tokens"),
        ("POST", f"/users/{name}/activity"),
        ("PATCH", f"/users/{name}"),
        ("GET", "/services"),
        ("GET", "/proxy"),
    ):
        assert api(hub, token, method, path, json={}).status_code in {403, 404}, (method, path)


def test_a_get_starts_nothing(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        browser.follow_redirects = False
        for path in (
            f"/hub/spawn/{name}/tp1",
            f"/hub/spawn/{name}/tp1?opt-a=1",
            f"/hub/spawn-pending/{name}/tp1",
        ):
            assert browser.get(path).headers["location"] == "/services/portal/start/tp1"
        for path in ("/hub/home", "/hub/spawn", f"/hub/spawn/{name}", "/hub/"):
            assert browser.get(path).headers["location"].startswith("/services/portal/")
        assert browser.post(f"/hub/spawn/{name}/tp1").status_code in {403, 405}
        assert browser.get(f"/hub/user/{name}/tp1/").status_code == 424
    assert servers(hub, name) == {}


def test_a_stopped_server_offers_its_start_page(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        token = portal_token(hub, browser)
        started(hub, token, name, "tp2")
        api(hub, token, "DELETE", f"/users/{name}/servers/tp2")
        deadline = time.monotonic() + 15
        while servers(hub, name):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        page = browser.get(f"/user/{name}/tp2/lab")
        assert page.status_code == 424
        assert 'href="/services/portal/start/tp2"' in page.text


def calls_of_the_api(name: str) -> list[tuple[str, str]]:
    """Every method of every route of the Hub's API, about this person and about another."""
    found = []
    for pattern, handler, *_ in default_handlers:
        methods = [
            method.upper()
            for method in ("get", "post", "put", "patch", "delete")
            if getattr(handler, method) is not getattr(RequestHandler, method)
        ]
        for person in (name, "root1"):
            path = re.sub(r"\(\?:.*\)\?$", "", pattern).removesuffix("/?").replace("([^/]+)", person, 1)
            path = re.sub(r"\(\[\^/\][+*]\)", "tp1", path).removeprefix("/api")
            found.extend((method, path) for method in methods)
    return sorted(set(found))


def test_the_token_in_a_server_reports_its_own_activity_and_nothing_else(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        given = started(hub, portal_token(hub, browser), name, "tp1")
    token = given["JUPYTERHUB_API_TOKEN"]
    own = f"/users/{name}"
    allowed = {("GET", ""), ("GET", "/user"), ("GET", own), ("POST", f"{own}/activity")}
    # Addresses that want a session or a client's secret, or that the Hub itself fails on: any error will do.
    elsewhere = ("/oauth2/", "/authorizations/token")
    calls = calls_of_the_api(name)
    assert len(calls) > 60
    for method, path in calls:
        answer = api(hub, token, method, path, json={}, follow_redirects=False)
        if (method, path) not in allowed:
            refused = answer.status_code >= 302 if path.startswith(elsewhere) else False
            assert refused or answer.status_code in {403, 404, 405}, (method, path, answer.text)
    for path in ("/user", own):
        seen = api(hub, token, "GET", path).json()
        assert seen["name"] == name
        assert not {"servers", "auth_state", "roles"} & seen.keys()
    report = {
        "servers": {"tp1": {"last_activity": "2026-11-21T09:00:00Z"}},
        "last_activity": "2026-11-21T09:00:00Z",
    }
    assert api(hub, token, "POST", f"/users/{name}/activity", json=report).status_code == 200


def test_the_workers_token_sees_and_stops_and_starts_nothing(hub: LiveHub) -> None:
    name = student(hub)
    with signed_in(hub, name) as browser:
        started(hub, portal_token(hub, browser), name, "tp1")
    worker = hub.secret("worker_token")
    assert name in [user["name"] for user in api(hub, worker, "GET", "/users?state=active").json()]
    assert api(hub, worker, "POST", "/proxy").status_code == 200
    assert api(hub, worker, "POST", f"/users/{name}/servers/tp2").status_code in {403, 404}
    assert api(hub, worker, "POST", f"/users/{name}/tokens").status_code in {403, 404}
    assert api(hub, worker, "DELETE", f"/users/{name}/servers/tp1").status_code in {202, 204}


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
