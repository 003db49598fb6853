"""A real engine for the tests marked `swarm`: a two-megabyte image, a network, and all of it gone after."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker

from spawners.engine import Engine
from spawners.opening import Reach
from spawners.task_state import Running, Waiting
from tests.spawners.support import IMAGE, STACK

NETWORK = f"{STACK}-net"
APPLETS = ("sh", "httpd", "sleep", "cat", "dd", "find", "du", "cut", "wc", "true")
MARK = {"label": f"paillasse.stack={STACK}"}


def client() -> docker.APIClient:
    """A plain client, to look behind our own."""
    return docker.APIClient(version="auto", timeout=30)


def busybox() -> bytes:
    """A static busybox: the machine's own, or the one in Debian's package."""
    found = shutil.which("busybox")
    if found and b"dynamically" not in subprocess.run(["ldd", found], capture_output=True).stdout:
        statically = subprocess.run(["ldd", found], capture_output=True, text=True)
        if "not a dynamic executable" in statically.stderr + statically.stdout:
            return Path(found).read_bytes()
    with TemporaryDirectory() as directory:
        subprocess.run(["apt-get", "download", "-q", "busybox-static"], cwd=directory, check=True)
        (package,) = Path(directory).glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
        return next(Path(directory).glob("**/bin/busybox")).read_bytes()


def build_image(to: docker.APIClient) -> None:
    """An image that answers 404 on port 8888, as user 1000, from a file system of one program."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, owner in (("bin", 0), ("tmp", 0), ("home", 0), ("home/student", 1000), ("etc", 0)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o755, owner, owner
            tar.addfile(folder)
        program = busybox()
        file = tarfile.TarInfo("bin/busybox")
        file.size, file.mode = len(program), 0o755
        tar.addfile(file, io.BytesIO(program))
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    repository, tag = IMAGE.split(":")
    changes = ["USER 1000", 'CMD ["httpd", "-f", "-p", "8888", "-h", "/home/student"]', "ENV PATH=/bin"]
    to.import_image_from_data(out.getvalue(), repository=repository, tag=tag, changes=changes)


@contextmanager
def prepared() -> Iterator[docker.APIClient]:
    """The image and an overlay network; afterwards nothing with our label is left."""
    engine = client()
    try:
        build_image(engine)
        engine.create_network(NETWORK, driver="overlay", labels={"paillasse.stack": STACK})
        yield engine
    finally:
        clean(engine)
        engine.remove_image(IMAGE, force=True)
        engine.close()


def clean(engine: docker.APIClient) -> None:
    """Remove services, then wait for their containers, then volumes and the network."""
    for service in engine.services(filters=MARK):
        engine.remove_service(service["ID"])
    deadline = time.monotonic() + 30
    while engine.containers(all=True, filters=MARK) and time.monotonic() < deadline:
        for container in engine.containers(filters=MARK):
            engine.kill(container["Id"])
        time.sleep(0.2)
    for volume in engine.volumes(filters=MARK)["Volumes"] or ():
        engine.remove_volume(volume["Name"], force=True)
    for network in engine.networks(filters=MARK):
        engine.remove_network(network["Id"])


def through_the_gateway(engine: Engine) -> Reach:
    """The tests do not stand on the overlay: a task's other address, on docker_gwbridge, will do."""

    async def reach(state: Waiting | Running) -> str:
        if not isinstance(state, Running):
            return ""
        container: Any = await engine.inspect(state.container)
        sandbox = container["NetworkSettings"]["SandboxID"][:12]
        bridge = await engine.call("inspect_network", "docker_gwbridge")
        for attached in bridge["Containers"].values():
            if attached["Name"] == f"gateway_{sandbox}":
                return str(attached["IPv4Address"]).split("/")[0]
        return ""

    return reach
