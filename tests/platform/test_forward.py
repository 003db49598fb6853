"""Files that a forwarded command names travel with it, and only those."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from hub.cli.host import forward


@pytest.mark.parametrize(
    ("word", "inside"),
    [
        ("lab.yaml", "lab.yaml"),
        ("./a/b.yaml", "a/b.yaml"),
        ("../x/lab.yaml", "x/lab.yaml"),
        ("/etc/lab.yaml", "etc/lab.yaml"),
        (".", "."),
    ],
)
def test_no_name_leads_out_of_the_place_files_are_put(word: str, inside: str) -> None:
    assert forward.inner_name(word) == inside


def test_directories_travel_whole_and_links_as_what_they_point_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "a.yaml").write_text("slug: a\n")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "all" / "a.yaml")
    monkeypatch.chdir(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(forward.pack(["all", "b.yaml"]))) as tar:
        kinds = {entry.name: entry.isfile() for entry in tar.getmembers()}
    assert kinds == {"all": False, "all/a.yaml": True, "b.yaml": True}


@pytest.mark.parametrize(
    "words",
    [["user", "add", "README.md"], ["env", "link", "README.md"], ["env", "apply", "-"], ["env", "list"]],
)
def test_words_that_name_no_file_stay_what_they_are(words: list[str]) -> None:
    assert forward._bring_files("no-such-container", words) == (words, [])
