"""Every word of the launcher exists in French, with the same fields."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.host import messages

HOST = Path(messages.__file__).parent


def spoken() -> Iterator[str]:
    for path in sorted(HOST.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                yield ast.literal_eval(node.args[0])


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_everything_said_has_a_french_translation_and_nothing_is_left_over() -> None:
    assert set(messages.translations("fr")) == set(spoken())


@pytest.mark.parametrize("message", sorted(set(spoken())))
def test_the_translation_keeps_the_fields(message: str) -> None:
    french = messages.translations("fr")[message]
    assert french
    assert fields(french) == fields(message)
    assert '"' not in french or '"' in message


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_terminal_chooses_the_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert messages.language() == language
    assert messages.tr("done") == ("fait" if language == "fr" else "done")


def test_a_catalogue_string_may_run_over_lines() -> None:
    text = 'msgid ""\nmsgstr ""\n"Language: fr\\n"\n\nmsgid "one "\n"two"\nmsgstr ""\n"un «\u00a0"\n"deux"\n'
    assert messages.parse(text) == {"one two": "un «\u00a0deux"}
