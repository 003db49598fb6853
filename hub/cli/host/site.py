"""One installation on this machine: its name, its options, and what the launcher remembers of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hub.cli.host.console import Failure
from hub.cli.host.messages import tr


@dataclass(frozen=True)
class Options:
    """What `up` was told, kept for the next `up`. `bind` is an address, `data` a directory or nothing."""

    port: int = 8000
    bind: str = "0.0.0.0"  # noqa: S104  people of the whole network are the point of the platform
    data: str = ""
    advertise_addr: str = ""
    public_url: str = ""


@dataclass(frozen=True)
class Site:
    """A stack and the directory of its state (root alone may read it)."""

    stack: str

    @classmethod
    def named(cls, stack: str) -> Site:
        """Raises Failure when the name cannot be a stack, a network and a table at once."""
        if not re.fullmatch(r"[a-z](-?[a-z0-9]){0,19}", stack) or len(stack) > 20:
            raise Failure(
                tr("“{name}” cannot name an installation.", name=stack),
                tr("Use 1 to 20 lower-case letters, digits or single hyphens, a letter first."),
            )
        return cls(stack)

    @property
    def state(self) -> Path:
        """/var/lib/paillasse/<stack> for root, under the person's own state directory otherwise."""
        given = os.environ.get("PAILLASSE_STATE")
        personal = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "paillasse"
        base = Path(given) if given else Path("/var/lib/paillasse") if os.geteuid() == 0 else personal
        return base / self.stack

    def object(self, name: str) -> str:
        """Name of a network or volume of this installation."""
        return f"{self.stack}-{name}"

    def service(self, name: str) -> str:
        """Name of one of the platform's parts as the Swarm knows it."""
        return f"{self.stack}_{name}"

    def options(self, given: Mapping[str, Any]) -> Options:
        """The remembered options with those of today on top; None means not given."""
        remembered = self.read("options.json") or {}
        known = replace(Options(), **{key: remembered[key] for key in asdict(Options()) if key in remembered})
        return replace(known, **{key: value for key, value in given.items() if value is not None})

    def read(self, name: str) -> dict[str, Any] | None:
        """A remembered document, or None when there is none."""
        try:
            document: dict[str, Any] = json.loads((self.state / name).read_text())
        except FileNotFoundError:
            return None
        return document

    def remember(self, name: str, document: Mapping[str, Any]) -> None:
        """Keep a document, readable by its owner alone: some hold secrets."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.state / name, document)

    def settings(self) -> dict[str, str]:
        """PAILLASSE_* variables: this site's `settings.env`, then the environment of the command."""
        path = self.state / "settings.env"
        found = parse_settings(path.read_text()) if path.exists() else {}
        # DEBIAN_IMAGE, STATE and STACK steer the launcher; they are no settings of the parts.
        found.update({key: value for key, value in os.environ.items() if key.startswith("PAILLASSE_")})
        return {
            key: value for key, value in found.items() if key not in {"PAILLASSE_STATE", "PAILLASSE_STACK"}
        }


def parse_settings(text: str) -> dict[str, str]:
    """`NAME=value` lines; empty ones and those that begin with # say nothing. Raises Failure on others."""
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"\s*(PAILLASSE_[A-Z_]+)\s*=\s*(.*?)\s*", line)
        if not match:
            raise Failure(
                tr("Line {number} of settings.env is no setting.", number=number),
                tr("Write PAILLASSE_NAME=value; config/.env.example lists the names."),
            )
        value = match[2]
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[match[1]] = value[1:-1] if quoted else value
    return found


def write_private(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON in one stroke, mode 0600 from the first byte on."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    draft.replace(path)
