"""Every sentence of the terminal and of the domain has its French, with the same fields."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

from hub.i18n import catalogue

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [*sorted((ROOT / "environments").rglob("*.py")), *sorted((ROOT / "hub" / "cli").glob("*.py"))]
FIELD = re.compile(r"%\(\w+\)s")


def messages() -> list[str]:
    """Every marked text."""
    return [
        str(message)
        for path in SOURCES
        for _, message, _, _ in extract_from_file("python", path, keywords={"N_": None})
    ]


def french(message: str) -> str:
    """As `hub.cli.runtime.tr` finds it."""
    found = catalogue("fr", "cli").gettext(message)
    return catalogue("fr", "portal").gettext(message) if found == message else found


def test_there_are_words() -> None:
    assert len(messages()) > 100


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_each_has_its_french(message: str) -> None:
    translation = french(message)
    assert translation != message
    assert sorted(FIELD.findall(translation)) == sorted(FIELD.findall(message))
    assert not re.search(r"(?<!\d) [;?!»]|« |'|(?<=\w) :", translation)


def test_no_french_is_left_over() -> None:
    known = set(messages())
    assert [each for each in catalogue("fr", "cli")._catalog if each and each not in known] == []  # type: ignore[attr-defined]
