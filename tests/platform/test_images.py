"""Images are built from exactly what their content hash covers."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from hub.cli.host import images
from hub.cli.host.shell import ROOT


@pytest.fixture
def context(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "start").write_text("#!/bin/sh\n")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_bytes(b"x")
    return images.files_below(tmp_path, "inside/")


def test_caches_stay_out_of_the_context(context: dict[str, Path]) -> None:
    assert sorted(context) == ["inside/Dockerfile", "inside/start"]


def test_the_hash_changes_with_content_name_mode_and_parent(context: dict[str, Path]) -> None:
    hashes = [images.content_hash(context), images.content_hash(context, "sha256:parent")]
    context["inside/start"].chmod(0o755)
    hashes.append(images.content_hash(context))
    context["inside/start"].write_text("#!/bin/sh -e\n")
    hashes.append(images.content_hash(context))
    hashes.append(images.content_hash({**context, "other": context["inside/start"]}))
    assert len(set(hashes)) == len(hashes)


def test_touching_a_file_changes_nothing(context: dict[str, Path]) -> None:
    before = images.content_hash(context), images.archive(context)
    text = context["inside/start"].read_text()
    context["inside/start"].write_text(text)
    assert (images.content_hash(context), images.archive(context)) == before


def test_the_archive_carries_modes_and_no_owner(context: dict[str, Path]) -> None:
    context["inside/start"].chmod(0o755)
    with tarfile.open(fileobj=io.BytesIO(images.archive(context))) as tar:
        entries = {entry.name: entry for entry in tar.getmembers()}
    assert entries["inside/start"].mode == 0o755
    assert entries["inside/Dockerfile"].mode == 0o644
    assert {(entry.uid, entry.uname) for entry in entries.values()} == {(0, "")}


def test_the_platform_image_holds_the_source_and_not_the_tests() -> None:
    context = images.platform_context()
    assert {"Dockerfile", "requirements.lock", "source/jupyterhub_config.py"} <= set(context)
    assert "source/hub/cli/host/up.py" in context
    assert not [name for name in context if name.startswith("source/tests/")]


def test_locks_name_no_address_of_a_registry() -> None:
    package_lock = json.loads((ROOT / "images/proxy/package-lock.json").read_text())
    assert [name for name, each in package_lock["packages"].items() if "resolved" in each] == []
    locks = [*ROOT.glob("requirements*.lock"), *ROOT.glob("images/*/*.lock")]
    assert len(locks) >= 4
    for lock in locks:
        options = [line for line in lock.read_text().splitlines() if line.startswith("-") or "://" in line]
        assert options == [], lock
