"""`paillasse`: a student's browser without the browser, from the button of a join link to the interface."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import docker
import httpx

from benchmarks.engines import environment, swarm
from benchmarks.harness import READY_SECONDS, Sample, StartFailed
from tests.support.person import Person, UnexpectedPage
from tests.support.platform import ROOT, Platform, free_port, read_report

STACK = "bench"
LAUNCH_SERVICES = f"{STACK}-"
WAIT_FOR_ROUTE = 0.02


class Paillasse:
    """From the POST of the join form to the first answer of the interface through the proxy.

    On the way, as a browser: the redirect to the start page, its stream of events up to `end`, then the
    server's address. `html` is when the start page has arrived, `first_event` when its stream first speaks.
    """

    name = "paillasse"

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.people: list[Person] = []
        self.pages: dict[int, httpx.Response] = {}

    def open(self) -> None:
        """A platform of the benchmark's own, next to any other on this machine."""
        with tempfile.TemporaryDirectory() as directory:
            report = Path(directory) / "up.json"
            port = str(free_port())
            _command("up", "--port", port, "--bind", "127.0.0.1", "--json", str(report))
            self.platform: Platform = read_report(report)
        self.platform.apply(environment.as_yaml())
        self.link = urlsplit(self.platform.link(environment.SLUG)).path

    def prepare(self, count: int) -> None:
        """People who are signed in and have the join page open."""
        missing = count - len(self.people)
        if missing > 0:
            made = self.platform.add_people(missing, "bench")
            self.people += [Person(self.platform.url, name, password) for name, password in made]
        self.pages = {number: self.people[number].get(self.link) for number in range(count)}

    def start(self, person: int) -> Sample:
        student = self.people[person]
        began = time.perf_counter()
        try:
            student.submit(self.pages[person], "/join/")
            html = time.perf_counter() - began
            first_event = self._follow(student, began)
        except (UnexpectedPage, httpx.HTTPError) as error:
            raise StartFailed(str(error)[:500]) from error
        told = time.perf_counter() - began
        address = f"/user/{student.username}/{environment.SLUG}/api"
        while not _is_interface(student.http.get(address, follow_redirects=False)):
            if time.perf_counter() - began > READY_SECONDS:
                raise StartFailed(f"{address} does not answer")
            time.sleep(WAIT_FOR_ROUTE)
        seconds = time.perf_counter() - began
        return Sample(seconds, {"html": html, "first_event": first_event, "stream_says_ready": told})

    def stop(self) -> None:
        for student in self.people:
            try:
                student.stop(environment.SLUG)
            except UnexpectedPage:  # this one runs no server
                continue
        swarm.wait_gone(self.client, LAUNCH_SERVICES)

    def hub(self) -> str:
        return self.platform.part("hub")

    def close(self) -> None:
        for student in self.people:
            student.close()
        _command("down", "--purge", "--yes")

    def _follow(self, student: Person, began: float) -> float:
        """Read the stream to its end; returns when its first event came, in seconds since `began`."""
        first = 0.0
        for event in student.events(environment.SLUG, timeout=READY_SECONDS):
            first = first or time.perf_counter() - began
            if event.name == "end" and event.data != "ready":
                raise StartFailed(f"the launch ended: {event.data}")
            if event.name == "end":
                return first
        raise StartFailed("the stream of events ended without its end event")


def _is_interface(answer: httpx.Response) -> bool:
    """Without a route the Hub answers, with a redirect to a page of its own."""
    return answer.status_code == 200 and "version" in answer.json()


def _command(*words: str) -> None:
    """Run `./paillasse` for the benchmark's stack. Raises RuntimeError with its words."""
    done = subprocess.run(
        [str(ROOT / "paillasse"), "--stack", STACK, *words], capture_output=True, text=True, timeout=1800
    )
    if done.returncode:
        raise RuntimeError(f"./paillasse {words[0]} failed:\n{done.stdout}\n{done.stderr}")
