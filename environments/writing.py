"""A specification as YAML that a person would have written: only what differs from the defaults."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from environments.spec import EnvironmentSpec

# Lines that begin and end with ink, blank lines only between them.
_BLOCK = re.compile(r"(?:\S(?:[^\n\t]*\S)?\n+)+(?:\S(?:[^\n\t]*\S)?)?")


def to_yaml(spec: EnvironmentSpec) -> str:
    """YAML that `parse_yaml` reads back to the same specification."""
    data = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    data.setdefault("status", str(spec.status))
    out = StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump(_folded(data), out)
    return out.getvalue()


def _folded(value: Any) -> Any:
    """Texts of several lines as block scalars, which can be edited, where that keeps every blank."""
    if isinstance(value, dict):
        return {key: _folded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_folded(each) for each in value]
    return LiteralScalarString(value) if isinstance(value, str) and _BLOCK.fullmatch(value) else value
