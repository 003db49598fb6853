"""Signing in through the Hub and out again; forms that prove where they come from; headers and logs."""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments import accounts
from hub.portal import csrf, urls
from tests.hub.portal.conftest import BASE, ROOT_ACTOR, Site


def test_a_stranger_is_sent_to_the_hub_and_comes_back_where_they_went(site: Site) -> None:
    person = site.person()
    first = person.get("/files", follow_redirects=False)
    asked = parse_qs(urlsplit(first.headers["location"]).query)
    assert urlsplit(first.headers["location"]).path == "/hub/api/oauth2/authorize"
    assert asked["client_id"] == ["service-portal"]
    assert asked["redirect_uri"] == [f"{BASE}/oauth_callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert "HttpOnly" in first.headers["set-cookie"]
    assert f"Path={BASE}/oauth_callback" in first.headers["set-cookie"]
    assert person.get("/files").url.path == f"{BASE}/files"


def test_no_join_code_travels_in_an_address_to_the_hub(site: Site) -> None:
    away = site.person().get("/join/s3cret-code", follow_redirects=False)
    assert "s3cret-code" not in away.headers["location"]
    assert "s3cret-code" not in away.headers["set-cookie"]


def test_the_session_is_for_our_addresses_and_scripts_cannot_read_it(site: Site) -> None:
    person = site.person()
    answers = [*(page := person.get("/")).history, page]
    (cookie,) = [c for a in answers for c in a.headers.get_list("set-cookie") if "paillasse-session=" in c]
    assert f"Path={BASE}/" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_sign_in_belongs_to_the_browser_that_began_it(site: Site) -> None:
    attacker, victim = site.person(), site.person()
    away = attacker.get("/", follow_redirects=False)
    back = attacker.http.get(away.headers["location"], follow_redirects=False)
    stolen = victim.http.get(back.headers["location"])
    assert stolen.status_code == 403
    assert 'data-reason="sign-in-lost"' in stolen.text
    assert "paillasse-session" not in victim.http.cookies
    assert attacker.http.get(back.headers["location"]).url.path == f"{BASE}/"


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=abcdefgh", "?code=x&state=é", "?error=access_denied"]
)
def test_a_callback_out_of_the_blue_is_no_crash(site: Site, query: str) -> None:
    assert site.person().get(f"/oauth_callback{query}").status_code == 403


def test_signing_out_ends_both_sessions(site: Site) -> None:
    person = site.person()
    session = person.get("/").request.headers["cookie"]
    out = person.post("/logout")
    assert out.url.path == "/hub/logout"
    old = httpx.get(site.url + BASE + "/", headers={"Cookie": session}, follow_redirects=False)
    assert old.status_code == 303
    assert person.get("/").text == "the Hub's login page"


def test_signing_out_at_the_hub_is_seen_at_once(site: Site) -> None:
    person = site.person()
    person.get("/")
    person.http.get("/hub/logout")
    assert person.get("/files").text == "the Hub's login page"


def test_a_script_is_told_that_the_session_is_over(site: Site) -> None:
    answer = site.person().get("/", headers={"Sec-Fetch-Mode": "cors"}, follow_redirects=False)
    assert answer.status_code == 401


def test_a_closed_account_is_shown_the_door(site: Site) -> None:
    person = site.person()
    site.store.run_sync(accounts.set_disabled, ROOT_ACTOR, person.username, True)
    page = person.get("/")
    assert page.status_code == 403
    assert 'data-reason="account-disabled"' in page.text


def test_the_hub_being_down_is_a_page_of_ours(site: Site) -> None:
    person, stranger = site.person(), site.person()
    person.get("/")
    away = stranger.get("/", follow_redirects=False)
    back = stranger.http.get(away.headers["location"], follow_redirects=False)
    site.double.down = True
    page = stranger.http.get(back.headers["location"])
    assert page.status_code == 502
    assert "The platform is restarting" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert "does not answer" in person.get("/").text


FORMS = ["/start/some-slug", "/start/some-slug/cancel", "/servers/some-slug/stop", "/join/c0de", "/logout"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", ["", "nonsense", "é", "another"])
def test_a_form_without_its_token_does_nothing(site: Site, path: str, token: str) -> None:
    member, slug = site.member()
    if token == "another":
        token = csrf.token(csrf.new_secret())
    answer = member.http.post(BASE + path.replace("some-slug", slug), data={"csrf": token})
    assert answer.status_code == 403
    assert 'data-reason="form-expired"' in answer.text
    assert site.double.starts() == 0


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_a_form_from_elsewhere_does_nothing_even_with_the_token(site: Site, headers: dict[str, str]) -> None:
    member, slug = site.member()
    answer = member.post(f"/start/{slug}", headers=headers)
    assert 'data-reason="cross-site"' in answer.text
    assert site.double.starts() == 0


def test_an_old_browser_is_judged_by_origin(site: Site) -> None:
    member, slug = site.member()
    token = member.token()
    del member.http.headers["Sec-Fetch-Site"]
    address = f"{BASE}/start/{slug}"
    foreign = member.http.post(address, data={"csrf": token}, headers={"Origin": "https://evil.example"})
    assert 'data-reason="cross-site"' in foreign.text
    own = member.http.post(address, data={"csrf": token}, headers={"Origin": site.url})
    assert 'aria-current="step"' in own.text


def test_every_page_carries_the_safe_headers(site: Site) -> None:
    member, slug = site.member()
    for path in ("/", "/files", "/join/none", "/nowhere", "/accessibility", "/health", f"/start/{slug}"):
        headers = member.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        if "html" in headers["content-type"]:
            assert headers["cache-control"] == "no-store"
            assert headers.get("content-encoding") == "gzip"


def test_pages_hold_no_inline_script_or_style(site: Site) -> None:
    member, slug = site.member()
    member.post(f"/start/{slug}")
    for path in ("/", "/files", f"/start/{slug}", f"/join/{site.link(slug)}", "/legal"):
        html = member.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html), path


def test_assets_are_kept_for_ever_and_packed(site: Site) -> None:
    person = site.person()
    page = person.get("/accessibility").text
    addresses = set(re.findall(r'(?:href|src)="([^"#]*/static/[^"#]+)', page))
    assert len(addresses) >= 5
    weight = 0
    for address in addresses:
        asset = person.http.get(address)
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["content-encoding"] == "gzip"
        weight += int(asset.headers["content-length"])
    assert weight < 60_000
    assert person.get("/static/css/tokens.css").headers["cache-control"] == "no-cache"
    assert person.get("/static/../portal.py").status_code == 404
    assert person.get("/static/package.json").status_code == 404


def test_the_log_names_routes_and_no_codes(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    person = site.person()
    with caplog.at_level(logging.INFO, logger="paillasse.portal.access"):
        person.get("/join/s3cret-code")
        person.http.get("/join/s3cret-code", follow_redirects=False)
        deadline = time.monotonic() + 2  # the line is written when the answer has gone
        while len(caplog.records) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "s3cret-code" not in caplog.text
    assert "/services/portal/join/{code} 404" in caplog.text
    assert "/join/{code} 302" in caplog.text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_that_are_not_there(site: Site, language: str) -> None:
    page = site.person(language=language).get("/nowhere")
    assert page.status_code == 404
    assert {"fr": "Page introuvable", "en": "Page not found"}[language] in page.text


def test_the_reader_chooses_language_and_theme(site: Site) -> None:
    person = site.person(language="fr")
    assert '<html lang="fr">' in person.get("/accessibility").text
    chosen = person.http.post(f"{BASE}/language", data={"to": "en", "next": f"{BASE}/accessibility"})
    assert '<html lang="en">' in chosen.text
    assert chosen.url.path == f"{BASE}/accessibility"
    dark = person.http.post(f"{BASE}/theme", data={"to": "dark", "next": f"{BASE}/accessibility"})
    assert 'data-bs-theme="dark"' in dark.text
    auto = person.http.post(f"{BASE}/theme", data={"to": "auto", "next": f"{BASE}/accessibility"})
    assert "data-bs-theme" not in auto.text


@pytest.mark.parametrize("path", ["/language", "/theme"])
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/hub/logout", f"{BASE}/../../x"]
)
def test_choosing_leads_nowhere_else(site: Site, path: str, target: str) -> None:
    answer = site.person().http.post(BASE + path, data={"to": "fr", "next": target}, follow_redirects=False)
    assert answer.headers["location"] == f"{BASE}/"


ADDRESSES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="/\\.%25eE2fF5cC:?#@ a\t\n", max_size=40).map(lambda tail: f"{BASE}/{tail}"),
    st.lists(st.sampled_from(["..", ".", "%2e", "%2f", "%5c", "//", "/", "a", "\\", "%252e"])).map("".join),
)


@settings(max_examples=400, deadline=None)
@given(ADDRESSES)
def test_next_never_leaves_the_portal(raw: str) -> None:
    target = urls.parse_next(raw)
    resolved = httpx.URL("http://here.example/").join(httpx.URL(target))
    assert resolved.host == "here.example"
    assert resolved.path.startswith(f"{BASE}/")
    assert ".." not in resolved.path.split("/")


@settings(max_examples=400, deadline=None)
@given(ADDRESSES)
def test_a_suffix_stays_below_the_server(raw: str) -> None:
    suffix = urls.parse_suffix(raw)
    resolved = httpx.URL("http://here.example/").join(httpx.URL(urls.server("lea", "calcul", suffix)))
    assert resolved.host == "here.example"
    assert resolved.path.startswith("/user/lea/calcul/")
    assert not re.search(r"[\x00-\x20\x7f\\]", suffix)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")))
def test_no_made_up_token_fits(given_token: str) -> None:
    assert not csrf.matches(csrf.new_secret(), given_token)


def test_a_token_fits_its_secret_and_differs_every_time() -> None:
    secret = csrf.new_secret()
    tokens = {csrf.token(secret) for _ in range(20)}
    assert len(tokens) == 20
    assert all(csrf.matches(secret, token) for token in tokens)
