"""Texts from outside, made fit to be kept: databases refuse some characters and cut nothing by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from environments.values import Scalar


def kept(text: str, length: int) -> str:
    """The beginning of a text, without what PostgreSQL (NUL) or UTF-8 (lone surrogates) cannot hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:length]


def kept_end(text: str, length: int) -> str:
    """The same of its end, where a log says what went wrong."""
    return kept(text[-length:], length)


def kept_fields(fields: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The fields of a sentence, their texts fit to be kept."""
    return {name: kept(value, 2000) if isinstance(value, str) else value for name, value in fields.items()}
