"""Kill a part of the platform while people start, and tell what became of every start.

`python -m tests.faults.kills REPORT.json --part hub --starts 20` works on a platform that is up
(REPORT is what `./paillasse up --json` wrote) and prints one JSON object per part.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from tests.support.person import PORTAL, Person
from tests.support.platform import Platform, docker, read_report

PARTS = ("hub", "proxy", "portal")
END = 150.0  # seconds after the kill by which every start must have ended


@dataclass
class Outcome:
    """What 20 starts came to when one part was killed under them."""

    part: str
    killed_after_s: float
    ready: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    unended: list[str] = field(default_factory=list)
    earlier_unreachable: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    orphans: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Every start ended, nothing was lost, doubled or left behind."""
        return not (self.unended or self.earlier_unreachable or self.doubled or self.orphans)


def run(
    platform: Platform,
    part: str,
    people: list[Person],
    earlier: list[Person],
    slug: str,
    *,
    kill: Callable[[str], None] | None = None,
) -> Outcome:
    """Start for all people at once, kill the part 1 to 4 seconds later, and follow each start to its end."""
    began = time.monotonic()
    outcome = Outcome(part, round(random.uniform(1, 4), 2))  # noqa: S311 - a moment, not a secret
    with ThreadPoolExecutor(len(people) + 1) as pool:
        starts = [pool.submit(start, platform, person, slug) for person in people]
        time.sleep(outcome.killed_after_s)
        (kill or (lambda container: docker("kill", "-s", "KILL", container)))(platform.part(part))
        for job in starts:
            job.exception()
        deadline = time.monotonic() + END
        ends = list(pool.map(lambda person: follow(person, slug, deadline), people))
    for person, end in zip(people, ends, strict=True):
        if end == "ready":
            outcome.ready += 1
        elif end.startswith("failed:"):
            reason = end.removeprefix("failed:")
            outcome.failed[reason] = outcome.failed.get(reason, 0) + 1
        else:
            outcome.unended.append(f"{person.username}: {end}")
    outcome.earlier_unreachable = [each.username for each in earlier if not at_work(each, slug)]
    settle(platform, outcome, expected=outcome.ready + len(earlier))
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def start(platform: Platform, person: Person, slug: str) -> None:
    """Press the button as an impatient person does: again, while the platform does not answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = person.join(platform.join_link)
        except (httpx.HTTPError, AssertionError):
            time.sleep(0.5)
            continue
        if answer.status_code < 500:
            return
        time.sleep(0.5)


def follow(person: Person, slug: str, deadline: float) -> str:
    """`ready`, `failed:<reason>`, or what the start page still said at the deadline."""
    state = "no page"
    while time.monotonic() < deadline:
        try:
            page = person.get(f"{PORTAL}start/{slug}")
            state = state_of(page)
            if state == "ready" and at_work(person, slug):
                return state
            if state.startswith("failed:"):
                return state
        except (httpx.HTTPError, AssertionError) as error:
            state = repr(error)
        time.sleep(1)
    return state


def state_of(page: httpx.Response) -> str:
    """The launch state that the start page carries for scripts (`data-state`, `data-failure`)."""
    marks = dict(
        mark.split("=", 1)
        for mark in page.text.replace(">", " ").split()
        if mark.startswith(("data-state=", "data-failure="))
    )
    state = marks.get("data-state", f'"{page.status_code}"').strip('"')
    return f"failed:{marks.get('data-failure', '').strip(chr(34))}" if state == "failed" else state


def at_work(person: Person, slug: str, seconds: float = 30) -> bool:
    """The person's own server answers within the time given."""
    try:
        person.wait_ready(slug, timeout=seconds)
    except (httpx.HTTPError, AssertionError):
        return False
    return True


def settle(platform: Platform, outcome: Outcome, expected: int, seconds: float = 60) -> None:
    """Give reconciliation its time, then count what runs beyond what people were told is running."""
    deadline = time.monotonic() + seconds
    while len(platform.servers()) != expected and time.monotonic() < deadline:
        time.sleep(1)
    running = platform.servers()
    homes = [
        docker("inspect", "-f", '{{index .Config.Labels "paillasse.home"}}', container)
        for container in running
    ]
    outcome.doubled = sorted({home for home in homes if homes.count(home) > 1})
    outcome.orphans = max(0, len(running) - expected)


def people_for(platform: Platform, count: int, prefix: str) -> list[Person]:
    """New students, signed in and ready to press a button."""
    people = [Person(platform.url, *account) for account in platform.add_people(count, prefix)]
    for person in people:
        person.get(PORTAL)
    return people


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("report", type=Path)
    words.add_argument("--part", choices=PARTS, action="append")
    words.add_argument("--starts", type=int, default=20)
    words.add_argument("--slug", default="jupyterlab-python")
    asked = words.parse_args()
    platform = read_report(asked.report)
    earlier = people_for(platform, 2, "early")
    for person in earlier:
        person.join(platform.join_link)
        person.wait_ready(asked.slug)
    good = True
    for part in asked.part or PARTS:
        people = people_for(platform, asked.starts, part)
        outcome = run(platform, part, people, earlier, asked.slug)
        print(json.dumps(asdict(outcome) | {"good": outcome.good}))
        good &= outcome.good
        for person in people:
            person.stop(asked.slug)
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
