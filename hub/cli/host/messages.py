"""The words of the launcher: English in the source, French from its .po file, read without any tool."""

from __future__ import annotations

import ast
import os
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parents[2] / "locale"


def tr(message: str, /, **fields: object) -> str:
    """The message in the language of the terminal, its {fields} filled in."""
    words = translations(language()).get(message, message)
    return words.format(**fields) if fields else words


def language() -> str:
    """fr or en, from the variables every program obeys, in their order."""
    chosen = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return "fr" if chosen.startswith("fr") else "en"


@cache
def translations(code: str) -> dict[str, str]:
    """English message → translation; empty for English, which has no file."""
    path = CATALOGUES / code / "host.po"
    return parse(path.read_text(encoding="utf-8")) if path.exists() else {}


def parse(text: str) -> dict[str, str]:
    """Read a .po file of plain pairs, strings over several lines included; no plurals, no contexts."""
    pairs: list[dict[str, str]] = []
    field = ""
    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword == "msgid":
            pairs.append({"msgid": "", "msgstr": ""})
        if keyword in ("msgid", "msgstr"):
            field, line = keyword, rest
        if line.startswith('"'):
            pairs[-1][field] += ast.literal_eval(line)
    return {pair["msgid"]: pair["msgstr"] for pair in pairs if pair["msgid"]}
