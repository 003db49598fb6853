"""Fifty quick stops and starts by one person: one writer at a time, and every line still there."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from tests.support.person import Person
from tests.support.platform import Platform, docker

pytestmark = pytest.mark.platform

SLUG = "restarts"
TIMES = 50
# Appends numbered lines, each flushed to the disk, from a server that answers at once.
WRITER = r"""
import fcntl, http.server, os, pathlib, threading, time
path = pathlib.Path.home() / "lines"
def write():
    with path.open("a+b") as file:
        file.seek(0)
        number = file.read().count(b"\n")
        while True:
            file.write(b"%d\n" % number)
            file.flush()
            os.fsync(file.fileno())
            (path.parent / "acknowledged").write_text(str(number))
            number += 1
            time.sleep(0.005)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
threading.Thread(target=write, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8888), Handler).serve_forever()
"""


class Witness(threading.Thread):
    """Looks four times a second and more at which containers hold which home."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(daemon=True)
        self.platform = platform
        self.samples = 0
        self.doubled: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            holders = docker(
                "ps",
                "--filter",
                f"label=paillasse.stack={self.platform.stack}",
                "--format",
                '{{.Label "paillasse.home"}}',
            ).split()
            self.doubled += [home for home, count in Counter(holders).items() if count > 1]
            self.samples += 1
            time.sleep(0.05)


def test_one_home_never_has_two_writers(platform: Platform) -> None:
    indented = "".join(f"      {line}\n" for line in WRITER.strip().splitlines())
    platform.apply(
        f"slug: {SLUG}\ntitle: Restarts\nstatus: published\nimage: paillasse/jupyterlab-python:0.1\n"
        f"command:\n  - /usr/bin/python3\n  - -c\n  - |\n{indented}"
        "interface: {kind: lab, port: 8888}\nhome: {kind: environment, path: /home/student}\n"
        "resources: {cpu: 1, memory: 256M}\n"
    )
    link = platform.link(SLUG)
    witness = Witness(platform)
    with Person(platform.url, *platform.add_person("hasty")) as person:
        witness.start()
        person.join(link)
        for _ in range(TIMES):
            person.wait_ready(SLUG)
            person.stop(SLUG)
            person.start(SLUG)
        person.wait_ready(SLUG)
        witness.done.set()
        witness.join()
        check(platform, witness)
        person.stop(SLUG)


def check(platform: Platform, witness: Witness) -> None:
    """Never two holders at once, and each line the writer was sure of stands where it was put."""
    assert witness.samples > 4 * TIMES
    assert witness.doubled == []
    (container,) = platform.containers(
        f"label=paillasse.stack={platform.stack}", f"label=paillasse.slug={SLUG}"
    )
    acknowledged = int(docker("exec", container, "cat", "/home/student/acknowledged"))
    numbers = [int(line) for line in docker("exec", container, "cat", "/home/student/lines").split()]
    assert acknowledged > TIMES
    assert numbers[: acknowledged + 1] == list(range(acknowledged + 1))
