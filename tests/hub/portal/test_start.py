"""The start page and its stream: answered first, replayed, nudged, tried again, cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from environments import LaunchView, launching, queries
from hub.portal import texts
from hub.portal.pages import start
from tests.hub.portal.conftest import BASE, Site, Visitor


@dataclass(frozen=True)
class Message:
    """One server-sent event, and how long after the request it came."""

    after: float
    id: str
    event: str
    data: str


def stream(person: Visitor, slug: str, *, last: str = "", seconds: float = 20) -> Iterator[Message]:
    """The messages of the start page's stream up to its `end`."""
    headers = {"Accept": "text/event-stream", "Sec-Fetch-Mode": "cors"}
    headers |= {"Last-Event-ID": last} if last else {}
    began = time.monotonic()
    with person.http.stream("GET", f"{BASE}/start/{slug}/events", headers=headers, timeout=seconds) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = f"{fields[name]}\n{value}" if name in fields else value
            elif "event" in fields:
                after = time.monotonic() - began
                yield Message(after, fields.get("id", ""), fields["event"], fields.get("data", ""))
                if fields["event"] == "end":
                    return
                fields = {}


def begin(site: Site, person: Visitor, slug: str) -> LaunchView:
    """A launch that was asked for; the page is not looked at."""
    launch = site.store.run_sync(launching.request, person.username, slug, now=datetime.now(UTC))
    site.double.run(person.username, slug, pending="spawn")
    return launch


def record(site: Site, launch: LaunchView, *steps: str) -> None:
    for step in steps:
        site.store.run_sync(launching.record, launch.id, step, "running", now=datetime.now(UTC))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("trouble", [{"delay": 3.0}, {"down": True}])
def test_the_page_is_answered_whatever_the_hub_does(site: Site, trouble: dict[str, float]) -> None:
    member, slug = site.member()
    token = member.token()
    for name, value in trouble.items():
        setattr(site.double, name, value)
    began = time.monotonic()
    answer = member.http.post(f"{BASE}/start/{slug}", data={"csrf": token}, follow_redirects=False)
    assert time.monotonic() - began < 0.3
    assert answer.headers["location"] == f"{BASE}/start/{slug}"
    page = member.get(f"/start/{slug}")
    assert time.monotonic() - began < 0.6
    assert "Request received" in page.text


def test_the_first_event_comes_at_once_and_the_last_is_the_end(site: Site) -> None:
    member, slug = site.member()
    launch = begin(site, member, slug)

    def work() -> None:
        time.sleep(0.4)
        record(site, launch, "queued", "software", "starting")
        time.sleep(0.3)
        site.store.run_sync(launching.ready, launch.id, now=now())

    worker = threading.Thread(target=work)
    worker.start()
    messages = list(stream(member, slug))
    worker.join()
    assert messages[0].after < 0.5
    panels = [message for message in messages if message.event == "panel"]
    ids = [int(message.id) for message in panels]
    assert ids == sorted(set(ids))
    assert len(ids) == 5
    assert 'data-state="ready"' in panels[-1].data
    assert (messages[-1].event, messages[-1].data) == ("end", "ready")
    assert messages[-1].after < 3


def test_a_reader_who_comes_back_gets_what_is_new_and_no_more(site: Site) -> None:
    member, slug = site.member()
    launch = begin(site, member, slug)
    record(site, launch, "queued", "placed")
    site.store.run_sync(launching.failed, launch.id, "oom", {"memory": 512 * 2**20}, "Killed", now=now())
    whole = list(stream(member, slug))
    assert [message.event for message in whole] == ["panel"] * 4 + ["end"]
    rest = list(stream(member, slug, last=whole[1].id))
    assert [message.id for message in rest if message.event == "panel"] == [whole[2].id, whole[3].id]
    assert [message.event for message in stream(member, slug, last=whole[3].id)] == ["end"]
    assert "more than the 512 MB of memory" in whole[3].data.replace("\N{NO-BREAK SPACE}", " ")


def test_the_stream_beats_while_nothing_happens(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start.HEARTBEAT <= 5
    monkeypatch.setattr(start, "HEARTBEAT", 0.3)
    member, slug = site.member()
    begin(site, member, slug)
    with member.http.stream("GET", f"{BASE}/start/{slug}/events", timeout=8) as answer:
        began = time.monotonic()
        for line in answer.iter_lines():
            if line.startswith(":"):
                break
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("code", texts.FAILURES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_failure_says_what_and_what_to_do(site: Site, code: str, language: str) -> None:
    member, slug = site.member()
    member.http.headers["Accept-Language"] = language
    launch = begin(site, member, slug)
    site.store.run_sync(launching.failed, launch.id, code, {}, "last words", now=now())
    page = member.get(f"/start/{slug}").text
    text = texts.FAILURES[code]
    assert site.portal.renderer.words_in(language).say(text.title) in page
    assert page.count("btn-main") == 1
    assert launch.reference in page
    assert '<details class="log" open>' in page
    assert "last words" in page


def test_a_launch_the_hub_forgot_is_asked_for_again(site: Site) -> None:
    member, slug = site.member()
    launch = site.store.run_sync(launching.request, member.username, slug, now=now() - timedelta(seconds=4))
    following = stream(member, slug)
    assert "slow to answer; your request is kept" in next(following).data
    assert "slow to answer; your request is kept" in next(following).data
    assert site.double.starts() == 1
    site.store.run_sync(launching.failed, launch.id, "cancelled", {}, "", now=now())
    assert list(following)[-1].data == "failed"


def test_an_interrupted_start_is_tried_again_once(site: Site) -> None:
    member, slug = site.member()
    first = begin(site, member, slug)
    site.store.run_sync(launching.failed, first.id, "interrupted", {}, "", now=now())
    following = stream(member, slug)
    while (second := site.store.run_sync(queries.current_launch, member.username, slug)) is None or (
        second.id == first.id
    ):
        next(following)
    assert site.double.starts() == 1
    site.store.run_sync(launching.failed, second.id, "interrupted", {}, "", now=now())
    assert list(following)[-1].data == "failed"
    assert site.store.run_sync(queries.current_launch, member.username, slug).id == second.id


def test_a_start_begun_in_another_window_is_followed(site: Site) -> None:
    member, slug = site.member()
    first = begin(site, member, slug)
    following = stream(member, slug)
    next(following)
    site.store.run_sync(launching.failed, first.id, "cancelled", {}, "", now=now())
    second = begin(site, member, slug)
    site.store.run_sync(launching.ready, second.id, now=now())
    assert list(following)[-1].data == "ready"


@pytest.mark.parametrize(("status", "code"), [(429, "capacity"), (403, "session"), (400, "internal")])
def test_what_the_hub_refuses_is_told(site: Site, status: int, code: str) -> None:
    member, slug = site.member()
    token = member.token()
    site.double.refuse_start = (status, "no")
    member.http.post(f"{BASE}/start/{slug}", data={"csrf": token})
    assert list(stream(member, slug))[-1].data == "failed"
    launch = site.store.run_sync(queries.current_launch, member.username, slug)
    assert launch is not None
    assert launch.failure == code


def test_cancelling_ends_it_and_offers_another_try(site: Site) -> None:
    member, slug = site.member()
    page = member.post(f"/start/{slug}")
    cancelled = member.press(page, "/cancel")
    assert "Start cancelled" in cancelled.text
    assert (member.username, slug) not in site.double.servers
    again = member.press(cancelled, f"/start/{slug}")
    assert 'aria-current="step"' in again.text


def test_a_ready_server_opens(site: Site) -> None:
    member, slug = site.member()
    launch = begin(site, member, slug)
    assert member.http.get(f"{BASE}/open/{slug}").url.path == f"{BASE}/start/{slug}"
    site.store.run_sync(launching.ready, launch.id, now=now())
    site.double.run(member.username, slug)
    page = member.get(f"/start/{slug}").text
    assert f'href="{BASE}/open/{slug}"' in page
    opened = member.http.get(f"{BASE}/open/{slug}", follow_redirects=False)
    assert opened.headers["location"] == f"/user/{member.username}/{slug}/lab"


def test_without_scripts_the_page_refreshes_itself(site: Site) -> None:
    member, slug = site.member()
    page = member.post(f"/start/{slug}").text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert "Refresh</a></noscript>" in page


def test_nobody_follows_anothers_start(site: Site) -> None:
    member, slug = site.member()
    begin(site, member, slug)
    other = site.person()
    assert other.get(f"/start/{slug}").status_code == 404
    other.get("/")
    assert [message.data for message in stream(other, slug)] == ["none"]


def test_the_usual_time_is_told(site: Site) -> None:
    member, slug = site.member()
    launch = begin(site, member, slug)
    later = launch.requested_at + timedelta(seconds=6)
    site.store.run_sync(launching.ready, launch.id, now=later)
    site.store.run_sync(launching.ended, launch.id, "idle", now=later)
    ended = member.get(f"/start/{slug}").text
    assert "Stopped because nothing happened in it for a while." in ended
    begin(site, member, slug)
    assert "usually 6" in member.get(f"/start/{slug}").text
