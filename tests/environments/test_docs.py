"""The reference of the YAML is right: it shows every key, with the value that the key has when left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from environments import EnvironmentSpec, parse_data, parse_yaml
from environments.views import resources_of
from environments.yaml_tree import MAX_BYTES, read_tree
from tests.environments.support import CEILINGS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("page", ["environments.md", "environnements.md"])
def test_the_reference_shows_every_key_with_its_default(page: str) -> None:
    text = (DOCS / page).read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    shown = parse_yaml(example, CEILINGS)
    least = parse_data({key: getattr(shown, key) for key in ("slug", "title", "image")}, CEILINGS)
    assert shown.model_dump(exclude={"resources"}) == least.model_dump(exclude={"resources"})
    assert resources_of(shown) == resources_of(least)
    written = read_tree(example).data
    for name, field in EnvironmentSpec.model_fields.items():
        section = getattr(getattr(shown, name), "model_fields_set", None)
        assert name in written
        if section is not None and name not in ("title", "description"):
            assert set(type(getattr(shown, name)).model_fields) == section, field
    assert f"{MAX_BYTES // 1024}\N{NO-BREAK SPACE}k" in text.replace(" k", "\N{NO-BREAK SPACE}k")
