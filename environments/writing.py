"""A specification as YAML that a person would have written: only what differs from the defaults."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from environments.spec import EnvironmentSpec


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
    """Texts of several lines as block scalars, which can be edited."""
    if isinstance(value, dict):
        return {key: _folded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_folded(each) for each in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value
