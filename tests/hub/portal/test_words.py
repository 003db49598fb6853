"""Texts: complete in French, sober in their words, and templates without hidden English."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from hub.i18n import Words, negotiate
from hub.locale import extract
from hub.portal import markdown, texts
from hub.static import vendor

TEMPLATES = sorted((extract.ROOT / "hub/templates/portal").glob("*.html"))
# What a student never reads (the house's words), in both languages.
FORBIDDEN = re.compile(
    r"\b(containers?|services?|tasks?|volumes?|spawn\w*|kernels?|hubs?|conteneurs?|tâches?|noyaux?)\b", re.I
)
FIELD = re.compile(r"%\((\w+)\)s")


def french() -> Catalog:
    with extract.PORTAL.open("rb") as text:
        return read_po(text, locale="fr", domain="portal")


def parts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_every_text_has_its_french_and_nothing_is_left_over() -> None:
    translated, wanted = french(), extract.extract()
    assert {str(m.id) for m in wanted if m.id} == {str(m.id) for m in translated if m.id}
    assert [m.id for m in translated if m.fuzzy and m.id] == []
    assert [m.id for m in translated if m.id and not all(parts(m.string))] == []


def test_translations_keep_the_fields() -> None:
    for message in french():
        for given_text, said in zip(parts(message.id), parts(message.string), strict=False):
            if given_text:
                assert set(FIELD.findall(given_text)) == set(FIELD.findall(said)), given_text


def test_french_is_written_as_french_is() -> None:
    for message in french():
        for said in parts(message.string) if message.id else ():
            assert not re.search(r"[^\s\N{NO-BREAK SPACE}]\s?[;!?»](?!\w)", said) or re.search(
                r"\N{NO-BREAK SPACE}[;!?»]", said
            ), said
            assert not re.search(r" [:;!?»]|« |'|\"", said), said


def test_no_text_speaks_of_machinery() -> None:
    for message in extract.extract():
        files = {Path(place).name for place, _ in message.locations}
        if message.id and files & {path.name for path in TEMPLATES} | {"texts.py", "progress.py"} & files:
            assert not FORBIDDEN.search(str(message.id)), message.id
    for message in french():
        assert not message.id or not FORBIDDEN.search(str(message.string)), message.string


class Bare(HTMLParser):
    """Collects the words of a template that no gettext call surrounds."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += re.findall(r"[^\W\d_]{3,}", data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"title", "alt", "placeholder", "aria-label"}:
                self.handle_data(value or "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_hard_coded_text(path: Path) -> None:
    reader = Bare()
    reader.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL))
    assert set(reader.words) <= {"Paillasse", "username", "display", "name", "role", "password"}


def test_templates_pass_the_linter() -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("djlint")),
            "--lint",
            "--profile=jinja",
            # H030, H031: descriptions and keywords are for search engines. H052: pages that follow a start
            # refresh themselves only where there are no scripts, or while the Hub is away.
            "--ignore=H030,H031,H052",
            str(extract.ROOT / "hub/templates/portal"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_every_failure_and_refusal_has_its_words() -> None:
    for text in (*texts.FAILURES.values(), *texts.REFUSALS.values()):
        assert text.title
        assert text.sentence.endswith(".")
        assert set(FIELD.findall(text.detail)) == set(text.needs)
        assert not FIELD.search(text.sentence)


def test_what_is_vendored_is_what_the_manifest_says() -> None:
    assert vendor.differences() == []


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        (None, "", "fr"),
        ("en", "fr", "en"),
        ("de", "fr-CA,en;q=0.5", "fr"),
        (None, "de,en-GB;q=0.7,fr;q=0.3", "en"),
        (None, "de", "fr"),
        (None, "en;q=0,fr;q=0.1", "fr"),
        (None, "en;q=x,;;,fr", "fr"),
    ],
)
def test_the_language_is_the_readers(cookie: str | None, header: str, language: str) -> None:
    assert negotiate(cookie, header, "fr") == language


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (7, "7 s"), (427, "7 min 7 s"), (7500, "2 h 5 min"), (360_000, "4 d 4 h")],
)
def test_spans_are_said_in_two_units(seconds: float, words: str) -> None:
    said = Words("en", ZoneInfo("Europe/Paris")).span(seconds)
    assert said.replace("\N{NO-BREAK SPACE}", " ") == words


def test_moments_are_said_where_the_reader_is() -> None:
    words = Words("fr", ZoneInfo("Europe/Paris"))
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert words.moment(noon, noon) == "14:00"
    assert words.moment(noon - timedelta(days=2), noon) == "29 juin 2026 à 14:00"


@given(st.text(max_size=300))
def test_no_markdown_becomes_a_script(text: str) -> None:
    html = str(markdown.render(text + "\n<script>x</script> <img src=x onerror=y> [a](javascript:z)")).lower()
    assert "<script" not in html
    assert "<img" not in html
    assert "javascript:z" not in re.findall(r'href="([^"]*)', html)
