"""The language in which a server starts."""

from __future__ import annotations

import locale
from collections.abc import Iterator

import pytest
from faststart import start


@pytest.fixture(autouse=True)
def _own_locale() -> Iterator[None]:
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"LANG": "fr"}, {"LANG": "fr_FR.UTF-8"}),
        ({"LANG": "fr_BE.UTF-8", "LC_ALL": "en"}, {"LANG": "fr_FR.UTF-8", "LC_ALL": "en_US.UTF-8"}),
        ({"LANG": "pt_BR.UTF-8"}, {"LANG": "pt_BR.UTF-8"}),
        ({}, {}),
    ],
)
def test_a_bare_language_becomes_a_locale_of_the_image(given: dict[str, str], wanted: dict[str, str]) -> None:
    start.complete_locale(given)
    assert given == wanted
