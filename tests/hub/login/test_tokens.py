"""What each token may do, tried on a real Hub: the portal's, a server's, the worker's; what a GET may not."""

from __future__ import annotations

import re
import time

import httpx
from jupyterhub.apihandlers import default_handlers
from tornado.web import RequestHandler

from tests.hub.login.acting import api, portal_token, servers, signed_in, started, student
from tests.hub.login.live import LiveHub


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
