"""Join links: looking, joining, starting, and every way in which a link can say no."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from environments import LaunchState, joining, queries
from tests.hub.portal.conftest import BASE, ROOT_ACTOR, Site


def test_looking_starts_and_joins_nothing(site: Site) -> None:
    slug, person = site.environment(), site.person()
    page = person.get(f"/join/{site.link(slug)}")
    assert page.status_code == 200
    assert f"Sandbox {slug}" in page.text
    assert "<strong>Python</strong>" in page.text
    assert "<script>alert" not in page.text
    assert "data-press" not in page.text
    assert site.double.starts() == 0
    assert site.store.run_sync(queries.home_page, person.username).memberships == ()


def test_the_button_joins_starts_and_shows_the_steps(site: Site) -> None:
    slug, person = site.environment(), site.person()
    page = person.get(f"/join/{site.link(slug)}")
    started = person.press(page, "/join/")
    assert started.url.path == f"{BASE}/start/{slug}"
    assert started.history[0].status_code == 303
    assert 'aria-current="step"' in started.text
    assert site.double.starts() == 1
    launch = site.store.run_sync(queries.current_launch, person.username, slug)
    assert launch is not None
    assert launch.state is LaunchState.REQUESTED


@pytest.mark.parametrize(
    ("origin", "pressed"),
    [("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False)],
)
def test_a_member_who_came_by_themselves_need_not_press(site: Site, origin: str, pressed: bool) -> None:
    member, slug = site.member()
    page = member.get(f"/join/{site.link(slug)}", headers={"Sec-Fetch-Site": origin})
    assert ("data-press" in page.text) is pressed
    assert 'type="submit"' in page.text


def test_the_shared_address_leads_to_ours_with_its_suffix(site: Site) -> None:
    for shared, ours in [
        ("/join/abc", "/join/abc"),
        ("/join/abc/user-redirect/lab/tree/TP1.ipynb", "/join/abc/user-redirect/lab/tree/TP1.ipynb"),
        ("/join/abc/user-redirect/../../hub/logout", "/join/abc"),
        ("/join/abc/user-redirect/%2e%2e/%2e%2e/hub/logout", "/join/abc"),
        ("/join/abc/user-redirect//evil.example/", "/join/abc/user-redirect/evil.example"),
    ]:
        # A browser's address may not be tidied up on the way, as most clients would.
        with closing(HTTPConnection(urlsplit(site.url).netloc)) as line:
            line.request("GET", shared)
            answer = line.getresponse()
            assert (answer.status, answer.headers["location"]) == (302, BASE + ours), shared


def test_the_suffix_is_shown_and_opened(site: Site) -> None:
    slug, person = site.environment(), site.person()
    page = person.get(f"/join/{site.link(slug)}/user-redirect/lab/tree/week%201/TP1.ipynb")
    assert "with TP1.ipynb" in page.text
    person.press(page, "/join/")
    launch = site.store.run_sync(queries.current_launch, person.username, slug)
    assert launch is not None
    assert launch.suffix == "lab/tree/week%201/TP1.ipynb"
    site.double.run(person.username, slug)
    again = person.http.post(
        f"{BASE}/join/{site.link(slug)}",
        data={"csrf": person.token(), "suffix": "lab/tree/TP2.ipynb"},
        follow_redirects=False,
    )
    assert again.headers["location"] == f"/user/{person.username}/{slug}/lab/tree/TP2.ipynb"


def test_what_git_pull_fetches_is_named(site: Site) -> None:
    slug, person = site.environment(), site.person()
    suffix = "git-pull?repo=https%3A%2F%2Fforge.example%2Fcourse%2Fanalysis.git&branch=main"
    assert "with analysis" in person.get(f"/join/{site.link(slug)}/user-redirect/{suffix}").text


WORDS = {
    "link-unknown": (404, "This link leads nowhere", "Ce lien ne mène nulle part"),
    "link-expired": (410, "This link has expired", "Ce lien a expiré"),
    "link-used-up": (410, "This link has no places left", "Ce lien n’a plus de place"),
    "link-revoked": (410, "This link was withdrawn", "Ce lien a été retiré"),
    "not-open-yet": (403, "Not open yet", "Pas encore ouvert"),
    "closed": (403, "This environment is closed", "Cet environnement est fermé"),
    "archived": (410, "This environment is archived", "Cet environnement est archivé"),
    "not-published": (403, "This environment is not open", "Cet environnement n’est pas ouvert"),
}


def refused_link(site: Site, reason: str) -> str:
    """A code that is refused for this reason."""
    slug = site.environment()
    if reason == "link-unknown":
        return "nobody-knows-this-code"
    code = site.link(slug, max_uses=1, expires_in=timedelta(seconds=0.2) if "expired" in reason else None)
    now = datetime.now(UTC)
    if reason == "link-expired":
        time.sleep(0.25)
    elif reason == "link-used-up":
        site.store.run_sync(joining.redeem, site.person().username, code, now)
    elif reason == "link-revoked":
        (link,) = site.store.run_sync(joining.links, ROOT_ACTOR, slug)
        site.store.run_sync(joining.revoke, ROOT_ACTOR, link.id, now)
    elif reason == "not-open-yet":
        site.change(slug, more="opening: {opens_at: 2099-03-01T08:00:00Z}")
    elif reason == "closed":
        site.change(slug, more="opening: {closes_at: 2020-03-01T08:00:00Z}")
    else:
        site.change(slug, status={"archived": "archived", "not-published": "draft"}[reason])
    return code


@pytest.mark.parametrize("reason", WORDS)
def test_a_link_that_says_no_says_why(site: Site, reason: str) -> None:
    code = refused_link(site, reason)
    status, english, french = WORDS[reason]
    for language, words in (("en", english), ("fr", french)):
        person = site.person(language=language)
        page = person.get(f"/join/{code}")
        assert page.status_code == status
        assert words in page.text
        assert f'data-reason="{reason}"' in page.text
        assert f'<html lang="{language}"' in page.text
        assert page.text.count("btn-main") == 1
        assert "help@example.org" in page.text
        posted = person.post(f"/join/{code}", {"suffix": ""})
        assert posted.status_code == status
        assert f'data-reason="{reason}"' in posted.text
    assert site.double.starts() == 0


def test_dates_are_told(site: Site) -> None:
    assert (
        "1 mars 2099 à 09:00"
        in site.person(language="fr").get(f"/join/{refused_link(site, 'not-open-yet')}").text
    )


def test_guessing_is_slowed_down_and_a_class_is_not(site: Site) -> None:
    guesser, (member, slug) = site.person(), site.member()
    for number in range(20):
        assert guesser.get(f"/join/guess-{number}").status_code == 404
    blocked = guesser.get(f"/join/{site.link(slug)}")
    assert blocked.status_code == 429
    assert 0 < int(blocked.headers["Retry-After"]) <= 600
    assert "You can try again in" in blocked.text
    assert member.get(f"/join/{site.link(slug)}").status_code == 200


def test_a_typed_link_or_code_leads_to_its_page(site: Site) -> None:
    slug, person = site.environment(), site.person()
    code = site.link(slug)
    for typed in (code, f"https://elsewhere.example/join/{code}", f" /join/{code}?x=1 "):
        assert person.post("/code", {"code": typed}).url.path == f"{BASE}/join/{code}"
    deep = person.post("/code", {"code": f"https://any.example/join/{code}/user-redirect/lab/tree/a.ipynb"})
    assert "with a.ipynb" in deep.text
    assert "neither a link nor a code" in person.post("/code", {"code": "https://evil.example/"}).text


def test_the_quota_is_told_before_the_start(site: Site) -> None:
    person = site.person()
    for _ in range(site.portal.settings.servers_per_user):
        person.press(person.get(f"/join/{site.link(site.environment())}"), "/join/")
    refused = person.press(person.get(f"/join/{site.link(site.environment())}"), "/join/")
    assert refused.status_code == 403
    assert "You may run 4 servers at once" in refused.text
