"""Every sentence exists in French, good French, and no fact is lost in translation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from environments import Closed, EnvironmentsError, NotAMember, NotFound, NotPublished, QuotaReached
from spawners import words

SENTENCES = [
    *words.STEPS.values(),
    *words.DETAILS.values(),
    *words.FAILURES.values(),
    words.NO_ENVIRONMENT,
    words.NO_OPTIONS,
    words.ASK,
]
REFUSALS = [refusal.message for refusal in (NotFound, NotAMember, NotPublished, Closed, QuotaReached)]
FORBIDDEN = re.compile(r"\b(container|service|task|volume|spawn|kernel|hub|conteneur|tâche|noyau)s?\b", re.I)


@pytest.fixture(scope="module")
def french() -> Catalog:
    with (Path(words.__file__).parent / "locale/fr/spawners.po").open("rb") as file:
        return read_po(file)


def test_french_is_complete_and_has_nothing_more(french: Catalog) -> None:
    assert {message.id for message in french if message.id} == {*SENTENCES, *REFUSALS}
    assert all(message.string for message in french if message.id)


def test_facts_are_the_same(french: Catalog) -> None:
    for message in french:
        if message.id:
            assert facts(message.string) == facts(message.id), message.id


def facts(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def test_typography(french: Catalog) -> None:
    for message in french:
        if message.id:
            assert not re.search(r"(?<!\u00a0)[:;!?](?:\s|$)", message.string), message.string
            assert "'" not in message.string, message.string


def test_no_word_of_the_machine_room(french: Catalog) -> None:
    for text in [*SENTENCES, *(message.string for message in french if message.id)]:
        assert not FORBIDDEN.search(text), text


@pytest.mark.parametrize("code", [*words.FAILURES, "a-code-of-tomorrow"])
@pytest.mark.parametrize("language", ["fr", "en", "de"])
def test_every_failure_has_a_sentence_even_without_its_facts(code: str, language: str) -> None:
    assert "%(" not in words.failure(code, {}, language)


def test_a_refusal_is_told_with_its_facts() -> None:
    refusal: EnvironmentsError = QuotaReached(used=2, limit=2)
    assert "2 serveurs sur 2" in words.refusal(refusal, "fr")
