"""Slugs follow the Hub's rule; names fold or are refused; volumes never meet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyterhub.slugs import is_valid_safe_slug

from environments import Invalid, names


@pytest.mark.parametrize("slug", ["a", "tp1", "tp-1-python", "a" * 30, "a-b-c"])
def test_a_slug_that_the_hub_takes(slug: str) -> None:
    assert names.is_slug(slug)


@pytest.mark.parametrize(
    "slug", ["", "1a", "A", "a--b", "a-", "-a", "a_b", "a" * 31, "é", "a b", "a.b", "a\n", "ａ", "a/../b"]
)
def test_a_slug_that_the_hub_refuses(slug: str) -> None:
    assert not names.is_slug(slug)


@given(st.text(alphabet="ab1-_A\n", max_size=34) | st.text(max_size=34))
def test_our_rule_is_never_wider_than_the_hubs(text: str) -> None:
    assert not names.is_slug(text) or is_valid_safe_slug(text)


@given(st.text(alphabet="ab1-", max_size=34))
def test_our_rule_is_not_narrower_either(text: str) -> None:
    # The Hub's pattern ends with $, which lets a final newline pass; the alphabet leaves it out.
    assert names.is_slug(text) == bool(is_valid_safe_slug(text))


@pytest.mark.parametrize(
    ("typed", "name"), [("Alice", "alice"), (" bob ", "bob"), ("ＡＬＩＣＥ", "alice"), ("a.b_c-9", "a.b_c-9")]
)
def test_one_spelling_of_a_name(typed: str, name: str) -> None:
    assert names.parse_username(typed) == name


@pytest.mark.parametrize(
    "typed",
    ["", "a", "1ab", "admin\u200b", "éric", "a/b", "..", "a b", "root", "ROOT", "a" * 64, "аlice", "a\0b"],
)
def test_a_name_that_nobody_may_have(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        names.parse_username(typed)
    assert refused.value.problems[0].path == "username"


@given(st.text(max_size=70))
def test_a_name_is_one_spelling_or_refused(text: str) -> None:
    try:
        name = names.parse_username(text)
    except Invalid:
        return
    assert names.parse_username(name) == name
    assert name.isascii()


def test_ids_codes_and_references_do_not_repeat() -> None:
    made = [(names.new_id(), names.new_join_code(), names.new_reference()) for _ in range(2000)]
    ids, codes, references = zip(*made, strict=True)
    assert all(len(set(column)) == 2000 for column in (ids, codes, references))
    assert {len(each) for each in ids} == {12}
    assert {len(each) for each in codes} == {26}  # 5 bits each: 130


def test_a_reference_can_be_read_out() -> None:
    assert all(not set("ILOU") & set(names.new_reference()) for _ in range(200))
    assert len(names.new_reference()) == 9


def test_only_a_hash_of_a_code_is_kept() -> None:
    code = names.new_join_code()
    assert code not in names.code_hash(code)
    assert names.code_hash("a lone surrogate \ud800") != names.code_hash("another \ud801")


def test_a_volume_is_named_by_id_and_fits_a_label() -> None:
    volume = names.home_volume("a" * 20, names.new_id())
    assert len(volume) <= 63
    assert names.home_volume("a", "b-c") != names.home_volume("a-home-b", "c")
