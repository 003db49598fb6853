"""Requests per second of the join and home pages, with few accounts and with thousands."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from benchmarks.engines.paillasse import Paillasse
from benchmarks.harness import Spread
from tests.support.person import PORTAL, Person
from tests.support.platform import docker

READERS = 4
SECONDS = 6.0
MANY = 5_000

SEED = """
import sys
from datetime import UTC, datetime
from environments import Role, accounts
from hub.cli.runtime import OPERATOR, run
def seed(session, now):
    for number in range(int(sys.argv[1])):
        accounts.create(session, OPERATOR, f"seeded-{number:05d}", Role.STUDENT, None, now=now)
run(seed, datetime.now(UTC))
"""


def measure(engine: Paillasse, told: Callable[[str], None]) -> dict[str, Any]:
    """For each number of accounts and each page: requests per second, and milliseconds of one answer."""
    engine.prepare(1)
    found: dict[str, Any] = {"few accounts": _both(engine)}
    told(f"few accounts: {found['few accounts']}")
    docker("exec", engine.platform.part("portal"), "python", "-c", SEED, str(MANY), timeout=600)
    found[f"{MANY} more accounts"] = _both(engine)
    told(f"{MANY} more accounts: {found[f'{MANY} more accounts']}")
    return found


def _both(engine: Paillasse) -> dict[str, Any]:
    return {"join": _page(engine.people[0], engine.link), "home": _page(engine.people[0], PORTAL)}


def _page(person: Person, path: str) -> dict[str, Any]:
    """Read one page over and over on a few kept connections, as one signed-in person."""
    first = person.get(path)
    place = urlsplit(str(first.url))
    cookies = "; ".join(
        f"{each.name}={each.value}" for each in person.http.cookies.jar if place.path.startswith(each.path)
    )
    until = time.perf_counter() + SECONDS

    def read() -> list[float]:
        line = http.client.HTTPConnection(place.hostname or "", place.port)
        taken = []
        while (began := time.perf_counter()) < until:
            line.request("GET", place.path, headers={"Cookie": cookies, "Accept-Language": "en"})
            answer = line.getresponse()
            page = answer.read().decode()
            assert answer.status == 200, f"{place.path} answered {answer.status}"
            assert person.username in page, f"{place.path} is not {person.username}'s page"
            taken.append(time.perf_counter() - began)
        line.close()
        return taken

    with ThreadPoolExecutor(READERS) as threads:
        taken = [each for one in [threads.submit(read) for _ in range(READERS)] for each in one.result()]
    return {
        "requests_per_second": round(len(taken) / SECONDS, 1),
        "milliseconds": Spread.of([each * 1000 for each in taken]),
    }
