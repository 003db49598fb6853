"""The platform's images: built here, and only when what they are made of has changed."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.cli.host import debian
from hub.cli.host.console import Failure, step
from hub.cli.host.debian import SUITE, image_id
from hub.cli.host.messages import tr
from hub.cli.host.shell import ROOT, CommandFailed, docker

BASE = f"paillasse/base:{SUITE}"
FIRST_ENVIRONMENT = "jupyterlab-python"
SOURCE = ("environments", "spawners", "hub", "config", "jupyterhub_config.py", "pyproject.toml", "LICENSE")
IGNORED = {"__pycache__", "node_modules", ".mypy_cache", ".ruff_cache"}
LABEL = "paillasse.content"
SITE_CERTIFICATES = Path("/usr/local/share/ca-certificates")

Context = Mapping[str, Path]  # path inside the build context → file on this machine


@dataclass(frozen=True)
class Built:
    """Ids of the images the stack needs."""

    platform: str
    proxy: str


def ensure_images(*, rebuild: bool = False) -> Built:
    """Build what is missing or has changed. Raises Failure."""
    _copy_site_certificates()
    if rebuild:
        debian.forget(BASE)
    base = _ensure("base", BASE, files_below(ROOT / "images/base"), debian.image, rebuild=rebuild)
    platform = _ensure("platform", "paillasse/platform:latest", platform_context(), lambda: BASE, base)
    proxy = _ensure("proxy", "paillasse/proxy:latest", files_below(ROOT / "images/proxy"), lambda: BASE, base)
    first = files_below(ROOT / "images" / FIRST_ENVIRONMENT)
    name = f"paillasse/{FIRST_ENVIRONMENT}"
    _ensure(FIRST_ENVIRONMENT, f"{name}:latest", first, lambda: BASE, base)
    # The catalogue names a version, so that an environment does not change under its teacher's feet.
    docker("tag", f"{name}:latest", f"{name}:{release()}")
    return Built(platform, proxy)


def release() -> str:
    """The part of our version that environments name: 0.1 of 0.1.0."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return ".".join(str(project["version"]).split(".")[:2])


def files_below(directory: Path, inside: str = "") -> dict[str, Path]:
    """A build context of every file below a directory, caches left out."""
    return {
        f"{inside}{file.relative_to(directory)}": file
        for file in sorted(directory.rglob("*"))
        if file.is_file() and not IGNORED & set(file.parts) and file.suffix != ".pyc"
    }


def platform_context() -> dict[str, Path]:
    """What the platform image is made of: its Dockerfile, the locked packages, and the source."""
    context = {
        "Dockerfile": ROOT / "images/platform/Dockerfile",
        "images/platform/uv.lock": ROOT / "images/platform/uv.lock",
        "requirements.lock": ROOT / "requirements.lock",
    }
    for name in SOURCE:
        path = ROOT / name
        context |= files_below(path, f"source/{name}/") if path.is_dir() else {f"source/{name}": path}
    return context


def content_hash(context: Context, *parents: str) -> str:
    """One word that changes exactly when a file, its name, its mode or a parent image does."""
    digest = hashlib.sha256("\0".join(parents).encode())
    for name, file in sorted(context.items()):
        content = file.read_bytes()
        executable = os.access(file, os.X_OK)
        digest.update(f"\0{name}\0{executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def archive(context: Context) -> bytes:
    """The context as a tar with no trace of who made it or when, so that the build cache can match."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, file in sorted(context.items()):
            content = file.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 1_000_000_000
            entry.mode = 0o755 if os.access(file, os.X_OK) else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _ensure(
    name: str, tag: str, context: Context, base: Callable[[], str], *parents: str, rebuild: bool = False
) -> str:
    with step(tr("Image {name}", name=name)) as notes:
        wanted = content_hash(context, *parents)
        if not rebuild and _label(tag) == wanted:
            notes.append(tr("nothing changed"))
        else:
            _build(name, tag, context, base(), wanted, fresh=rebuild)
        return image_id(tag)


def _label(tag: str) -> str:
    try:
        return docker("image", "inspect", tag, "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}')
    except CommandFailed:
        return ""


def _build(name: str, tag: str, context: Context, base: str, content: str, *, fresh: bool) -> None:
    proxies = [key for key in ("http_proxy", "https_proxy", "no_proxy") if key in os.environ]
    options = [word for key in proxies for word in ("--build-arg", key)]
    # The second tag keeps a running platform's image from being pruned once the first has moved on.
    options += ["--tag", tag, "--tag", f"{tag.partition(':')[0]}:{content}"]
    options += ["--no-cache"] if fresh else []
    try:
        docker(
            "build", "--quiet", *options, "--label", f"{LABEL}={content}", "--build-arg", f"BASE={base}", "-",
            stdin=archive(context), timeout=3600,
        )  # fmt: skip
    except CommandFailed as error:
        raise Failure(
            tr("The image {name} could not be built.", name=name),
            tr(
                "Usually the network: Debian's packages, PyPI and npm must be reachable. "
                "A site with its own certificate authority puts it in {path}.",
                path=SITE_CERTIFICATES,
            ),
            error.output,
        ) from error


def _copy_site_certificates() -> None:
    """The site's own authorities go into each build, because builds see none of the machine's."""
    certificates = sorted(SITE_CERTIFICATES.glob("*.crt"))
    for directory in _certificate_directories():
        for old in directory.glob("*.crt"):
            if old.name not in {each.name for each in certificates}:
                old.unlink()
        for each in certificates:
            copy = directory / each.name
            if not copy.exists() or copy.read_bytes() != each.read_bytes():
                shutil.copyfile(each, copy)


def _certificate_directories() -> Iterator[Path]:
    found: Iterable[Path] = (ROOT / "images").glob("*/certs")
    yield from (path for path in found if path.is_dir())
