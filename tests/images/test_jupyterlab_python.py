"""The image as a student meets it: files, kernel, terminal, French; and a start nobody can break or slow."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from hub.cli.host.images import ensure_images
from tests.support.platform import docker

IMAGE = "paillasse/jupyterlab-python:latest"
TOKEN = secrets.token_hex(8)
SECONDS = 30.0

pytestmark = pytest.mark.swarm

INSPECT = """
import json, os, sys
os.environ.update(
    JUPYTERHUB_API_TOKEN="t", JUPYTERHUB_API_URL="http://127.0.0.1:9/hub/api", JUPYTERHUB_USER="ada",
    JUPYTERHUB_SERVICE_PREFIX="/user/ada/", JUPYTERHUB_SERVICE_URL="http://127.0.0.1:8899/user/ada/",
    JUPYTERHUB_CLIENT_ID="c", JUPYTERHUB_ACTIVITY_URL="http://127.0.0.1:9/a", JUPYTERHUB_OAUTH_SCOPES='["x"]',
)
from importlib.util import cache_from_source
from faststart import start
with start.hurry(with_hub=True):
    from faststart.labserver import prepare
    prepare([])
loaded = {name for name, module in sys.modules.items() if "_run" not in vars(module)}
files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
sources = [file for file in files if file.startswith(("/opt", "/usr")) and file.endswith(".py")]
uncompiled = [file for file in sources if not os.path.exists(cache_from_source(file))]
import requests, sqlalchemy, aiohttp
from sqlalchemy.exc import IntegrityError
from jupyterhub import orm
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    one = connection.execute(sqlalchemy.text("select 1")).scalar()
print("FOUND", json.dumps({
    "heavy": sorted(loaded & {"sqlalchemy", "aiohttp", "requests", "jupyterhub.orm", "alembic", "httpx"}),
    "uncompiled": uncompiled,
    "one": one,
    "names": [requests.Session.__name__, aiohttp.ClientSession.__name__, orm.User.__name__],
    "error": issubclass(IntegrityError, sqlalchemy.exc.SQLAlchemyError),
}))
"""


async def leave(socket: WebSocketClientConnection) -> None:
    """Close the connection and wait until the other side has, too."""
    socket.close()
    while await socket.read_message() is not None:
        continue


class Server:
    """A container of the image without a Hub, and the person with its token."""

    def __init__(self, volume: str, language: str = "fr_FR.UTF-8") -> None:
        self.name = f"images-test-{secrets.token_hex(4)}"
        docker(
            "run", "-d", "--name", self.name, "--init", "--cap-drop=ALL", "--security-opt=no-new-privileges",
            "--env", f"LANG={language}", "--env", f"LC_ALL={language}", "--env", f"JUPYTER_TOKEN={TOKEN}",
            "--volume", f"{volume}:/home/student", "--publish", "127.0.0.1::8888", IMAGE,
        )  # fmt: skip
        self.address = docker("port", self.name, "8888/tcp").splitlines()[0]
        self.http = httpx.Client(
            base_url=f"http://{self.address}", headers={"Authorization": f"token {TOKEN}"}, timeout=SECONDS
        )

    def wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                self.http.get("/api").raise_for_status()
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(docker("logs", self.name))

    def run(self, *words: str) -> str:
        return docker("exec", self.name, *words)

    def close(self) -> None:
        self.http.close()
        docker("rm", "--force", self.name)


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    ensure_images()


@pytest.fixture(scope="module")
def volume() -> Iterator[str]:
    """A new, empty home."""
    name = docker("volume", "create", f"images-test-{secrets.token_hex(4)}")
    yield name
    docker("volume", "rm", name)


@pytest.fixture(scope="module")
def server(volume: str) -> Iterator[Server]:
    running = Server(volume)
    try:
        running.wait()
        yield running
    finally:
        running.close()


def test_the_student_owns_an_empty_home_and_is_nobody_special(server: Server) -> None:
    assert server.run("id", "-un") == "student"
    assert server.run("stat", "-c", "%u %a", "/home/student") == "1000 755"
    server.run("sh", "-c", "echo kept > /home/student/file && grep kept /home/student/file")


def test_the_interface_is_french_when_told_so(server: Server) -> None:
    page = server.http.get("/lab")
    assert page.status_code == 200
    catalogue = server.http.get("/lab/api/translations/default").json()["data"]
    assert ["Fichier"] in catalogue["jupyterlab"].values()


def test_nothing_of_a_page_asks_for_a_build_or_for_news(server: Server) -> None:
    page = server.http.get("/lab").text
    config = json.loads(
        page.split('id="jupyter-config-data" type="application/json">')[1].split("</script>")[0]
    )
    assert (config["buildAvailable"], config["buildCheck"]) == (False, False)
    assert "@jupyterlab/apputils-extension:announcements" in json.dumps(config["disabledExtensions"])


async def test_a_kernel_computes(server: Server) -> None:
    kernel = server.http.post("/api/kernels", json={"name": "python3"}).json()["id"]
    socket = await websocket_connect(f"ws://{server.address}/api/kernels/{kernel}/channels?token={TOKEN}")
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s"}
    content = {"code": "import numpy, pandas, scipy, matplotlib.pyplot; 1 + 1", "silent": False}
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(request))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        message = json.loads(await socket.read_message() or "{}")
        if message["msg_type"] in {"execute_result", "error"}:
            break
    await leave(socket)
    assert message["msg_type"] == "execute_result", message["content"]
    assert message["content"]["data"]["text/plain"] == "2"


async def test_a_terminal_knows_python_and_pip(server: Server) -> None:
    terminal = server.http.post("/api/terminals").json()["name"]
    socket = await websocket_connect(f"ws://{server.address}/terminals/websocket/{terminal}?token={TOKEN}")
    await socket.write_message(json.dumps(["stdin", "which python pip; echo $((20 + 22)) $LANG\r"]))
    seen, deadline = "", time.monotonic() + SECONDS
    while "42 fr_FR.UTF-8" not in seen and time.monotonic() < deadline:
        kind, *words = json.loads(await socket.read_message() or '["closed"]')
        seen += "".join(map(str, words)) if kind == "stdout" else ""
    await leave(socket)
    assert "/opt/venv/bin/python\r\n/opt/venv/bin/pip\r\n42 fr_FR.UTF-8" in seen


def test_the_server_leaves_out_what_it_does_not_need_until_somebody_does(server: Server) -> None:
    done = subprocess.run(
        ["docker", "exec", server.name, "/opt/venv/bin/python", "-I", "-c", INSPECT],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "FOUND" in done.stdout, done.stderr
    found = json.loads(done.stdout.partition("FOUND")[2])
    assert found == {
        "heavy": [],
        "uncompiled": [],
        "one": 1,
        "names": ["Session", "ClientSession", "User"],
        "error": True,
    }


@pytest.mark.parametrize("place", ["/home/student", "/home/student/.local/lib/python3.11/site-packages"])
def test_no_file_of_the_student_keeps_the_server_from_starting(
    volume: str, place: str, server: Server
) -> None:
    spoil = "mkdir -p {0} && cd {0} && for each in tornado random json; do echo 1/0 > $each.py; done"
    server.run("sh", "-c", spoil.format(place))
    again = Server(volume, "en_US.UTF-8")
    try:
        again.wait()
    finally:
        again.close()
        server.run("sh", "-c", f"cd {place} && rm tornado.py random.py json.py")
