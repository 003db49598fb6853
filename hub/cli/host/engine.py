"""The Docker engine: use the one that answers, install and start one where none does, make it a Swarm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from hub.cli.host import networks
from hub.cli.host.console import Failure, step
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, apt_install, docker, is_root, run, succeeds

# Written only where the operator has no file of their own. Every line is a default of containers;
# no-new-privileges matters most, because Swarm services cannot ask for it themselves.
DAEMON = {
    "log-driver": "json-file",
    "log-opts": {"max-size": "10m", "max-file": "3"},
    "no-new-privileges": True,
}
# Without it the Swarm asks the registry for the image at every start, and waits for the answer.
OFFLINE = "DOCKER_SERVICE_PREFER_OFFLINE_IMAGE"
LOG = Path("/var/log/paillasse-dockerd.log")


def ensure_engine(advertise: str = "") -> None:
    """An engine that answers, in a Swarm it manages. Raises Failure."""
    with step(tr("Docker engine")) as notes:
        if not _answers():
            _refuse_to_replace()
            _install()
            _start()
        _share_mounts()
        notes.append(docker("version", "--format", "{{.Server.Version}}"))
    with step("Swarm") as notes:
        notes.append(_join_swarm(advertise))


def is_local() -> bool:
    """True when the engine is on this very machine."""
    return os.environ.get("DOCKER_HOST", "unix:").startswith("unix:")


def _answers() -> bool:
    return shutil.which("docker") is not None and succeeds("docker", "info", timeout=30)


def _refuse_to_replace() -> None:
    """Leave alone an engine that somebody chose or that this person merely may not use."""
    host = os.environ.get("DOCKER_HOST")
    if host and shutil.which("docker"):
        raise Failure(
            tr("No Docker engine answers at DOCKER_HOST={host}.", host=host),
            tr("Start that engine, or unset DOCKER_HOST to use one on this machine."),
        )
    if not is_root():
        raise Failure(
            tr("No Docker engine answers here, or you may not use it."),
            tr("Run this command as root, or join the group “docker”."),
        )
    if not shutil.which("apt-get") and not shutil.which("dockerd"):
        raise Failure(
            tr("No Docker engine is installed, and this system has no apt-get."),
            tr("Install Docker 20.10 or newer, start it, then run this command again."),
        )


def _install() -> None:
    if shutil.which("dockerd") and shutil.which("docker"):
        return
    with step(tr("Installing Docker from the distribution's packages")):
        packages = ["docker.io", "iptables", "ca-certificates", "procps"]
        try:
            run("apt-get", "update", "-qq")
            if succeeds("apt-cache", "show", "docker-cli"):  # its own package since Debian 13
                packages.append("docker-cli")
            # The package starts the daemon at once: its defaults must be there before.
            _write_defaults()
            apt_install(*packages)
        except CommandFailed as error:
            raise Failure(
                tr("Docker could not be installed."),
                tr("Check the network and the package sources (/etc/apt), then run this command again."),
                error.output,
            ) from error


def _write_defaults() -> None:
    file = Path("/etc/docker/daemon.json")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(DAEMON, indent=2) + "\n")
    drop_in = Path("/etc/systemd/system/docker.service.d/paillasse.conf")
    if not drop_in.exists():
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        drop_in.write_text(f"[Service]\nEnvironment={OFFLINE}=1\n")


def _start() -> None:
    with step(tr("Starting the Docker engine")):
        _write_defaults()
        if Path("/run/systemd/system").is_dir():
            run("systemctl", "daemon-reload")
            succeeds("systemctl", "enable", "--quiet", "docker")
            succeeds("systemctl", "restart", "docker", timeout=120)
            words = tr("Read “journalctl -u docker”, mend what it names, then run this command again.")
        else:
            _start_bare()
            words = tr("Read {path}, mend what it names, then run this command again.", path=LOG)
        deadline = time.monotonic() + 60
        while not _answers():
            if time.monotonic() > deadline:
                raise Failure(tr("The Docker engine does not start."), words, _last_words())
            time.sleep(0.2)


def _share_mounts() -> None:
    """Make mounts shared, as systemd does: the guard must see name spaces that the engine makes later."""
    bare = not Path("/run/systemd/system").is_dir()
    if bare and is_local() and is_root() and not shares_mounts(Path("/run/docker")):
        run("mount", "--make-rshared", "/")


def shares_mounts(path: Path, table: str = "") -> bool:
    """True when mounts made below the path are seen by containers that ask for it; `table` is a mountinfo."""
    lines = [line.split() for line in (table or Path("/proc/self/mountinfo").read_text()).splitlines()]
    above = [each for each in lines if path.is_relative_to(each[4])]
    # Of two mounts on one point, the later hides the earlier.
    nearest = max(enumerate(above), key=lambda each: (len(each[1][4]), each[0]))[1] if above else []
    return any(word.startswith("shared:") for word in nearest[6:8])


def _last_words() -> str:
    if LOG.exists():
        return LOG.read_text(errors="replace")[-3000:]
    try:
        return run("journalctl", "-u", "docker", "-n", "20", "--no-pager")
    except CommandFailed:
        return ""


def _start_bare() -> None:
    """Start dockerd without systemd, and mount the control groups that systemd would have."""
    for name, file in (
        ("dockerd", "/var/run/docker.pid"),
        ("containerd", "/run/docker/containerd/containerd.pid"),
    ):
        _drop_stale_pid(name, Path(file))
    groups = Path("/sys/fs/cgroup")
    if groups.is_dir() and not any(groups.iterdir()):
        run("mount", "-t", "cgroup2", "none", str(groups))
    with LOG.open("ab") as log:
        subprocess.Popen(
            ["dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, OFFLINE: "1"},
        )


def _drop_stale_pid(name: str, file: Path) -> None:
    """After `kill -9` the pid file stays and the next daemon refuses to start.

    Raises Failure when the daemon it names lives and merely does not answer: killing it would kill servers.
    """
    try:
        pid = int(file.read_text())
    except (OSError, ValueError):
        return
    if not _lives(pid, name):
        file.unlink(missing_ok=True)
    elif name == "dockerd":
        raise Failure(
            tr("A Docker engine runs (process {pid}) but does not answer.", pid=pid),
            tr("Wait a minute and try again; if it stays so, restart that engine."),
            _last_words(),
        )


def _lives(pid: int, name: str) -> bool:
    """True for a running process of that name; a killed one that nobody has waited for (Z) is dead."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    command, _, rest = facts.partition("(")[2].rpartition(")")
    return command == name and not rest.strip().startswith("Z")


def _join_swarm(advertise: str) -> str:
    swarm = json.loads(docker("info", "--format", "{{json .Swarm}}"))
    state = swarm["LocalNodeState"]
    if state == "active" and swarm["ControlAvailable"]:
        return tr("this machine is a manager")
    if state == "active":
        raise Failure(
            tr("This machine is a worker of a Swarm, not a manager."),
            tr("Run this command on a manager, or promote this machine: docker node promote."),
        )
    if state != "inactive":
        raise Failure(
            tr("The Swarm of this machine is in the state “{state}”.", state=state),
            tr("“locked” wants “docker swarm unlock”; for others read “docker info”, then try again."),
            swarm.get("Error", ""),
        )
    # The Swarm's own pool must avoid this machine's networks as ours do.
    pool = next(networks.free_subnets(networks.taken(), 16))
    address = advertise or "127.0.0.1"
    try:
        docker(
            "swarm", "init", "--advertise-addr", address, "--task-history-limit", "1",
            "--default-addr-pool", str(pool), "--default-addr-pool-mask-length", "20",
        )  # fmt: skip
    except CommandFailed as error:
        raise Failure(
            tr("The Swarm could not be made."),
            tr("Give an address of this machine with --advertise-addr."),
            error.output,
        ) from error
    return tr("made, advertised at {address}", address=address)
