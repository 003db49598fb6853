"""The programs the tests call, from the distribution's packages."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.cli.host.console import Failure
from hub.cli.host.messages import tr
from hub.cli.host.shell import CommandFailed, apt_install, is_root

NO_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")


@dataclass(frozen=True)
class Tool:
    """A program under any of its names (or a file pattern), the packages that bring it, and who needs it."""

    names: tuple[str, ...]
    packages: tuple[str, ...]
    quick: bool = True

    @property
    def there(self) -> bool:
        return any(shutil.which(name) or _matches(name) for name in self.names)


TOOLS = (
    Tool(("git",), ("git",)),
    Tool(("nft", "/usr/sbin/nft"), ("nftables",)),
    Tool(("/usr/lib/postgresql/*/bin/initdb",), ("postgresql",)),
    Tool(("busybox",), ("busybox-static",), quick=False),
    Tool(("chromium", "chromium-browser", "google-chrome"), ("chromium", "fonts-dejavu-core"), quick=False),
)


def ensure_tools(*, quick: bool) -> str:
    """Install what is missing; returns what was. Raises Failure."""
    missing = [tool for tool in TOOLS if not tool.there and (tool.quick or not quick)]
    packages = [package for tool in missing for package in tool.packages]
    if not packages:
        return tr("nothing changed")
    words = tr("Run this once as root, or: apt-get install {packages}", packages=" ".join(packages))
    if not is_root():
        raise Failure(tr("Programs that the tests need are missing."), words)
    try:
        _install(packages)
    except CommandFailed as error:
        raise Failure(tr("Programs that the tests need are missing."), words, error.output) from error
    return ", ".join(packages)


def _install(packages: Sequence[str]) -> None:
    if "postgresql" in packages and not NO_CLUSTER.exists():
        # The tests make their own databases: no server of the machine's own is to start for their sake.
        NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        NO_CLUSTER.write_text("create_main_cluster = false\n")
    apt_install(*packages)


def _matches(pattern: str) -> bool:
    return pattern.startswith("/") and any(Path("/").glob(pattern.lstrip("/")))
