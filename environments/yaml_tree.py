"""YAML text to plain data that remembers where each key and value stood.

A stranger's text is read event by event, so that nothing is built before it is allowed: no alias, no tag, no
deep nesting, no endless document. What passes becomes dicts, lists and scalars; nothing else can come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from environments.errors import N_, Invalid, Problem
from environments.values import Scalar

MAX_BYTES = 128 * 1024
MAX_DEPTH = 20
MAX_EVENTS = 10_000

Path: TypeAlias = tuple[str | int, ...]

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.\d{1,18}|\d{1,18}(\.\d{0,18})?)([eE][-+]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the text, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Tree:
    """The data of a text, where its keys and values stood, and the problems that do not stop the reading."""

    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path) -> Place | None:
        """Where to look for this path: its key, else its value, else what would contain it."""
        while path and path not in self.keys and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path)


def read_tree(text: str) -> Tree:
    """Read one document. Raises Invalid for what is no YAML or more than a definition needs."""
    _check_size(text)
    tree = Tree()
    try:
        _Builder(_events(text), tree).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        _refuse("yaml", _NOT_YAML, place, detail=shown(str(error.problem or error.context), 200))
    except (YAMLError, ValueError, ArithmeticError, LookupError) as error:
        # The parser's own slips on hostile escapes and directives, which it does not mark.
        _refuse("yaml", _NOT_YAML, Place(1, 1), detail=shown(str(error), 200))
    return tree


_NOT_YAML = N_("This is not YAML (%(detail)s). Check the indentation, the colons and the quotes around here.")


def dotted(path: Path) -> str:
    """A path as people write it."""
    return ".".join(shown(str(part)) for part in path)


def shown(text: str, length: int = 60) -> str:
    """A stranger's text, fit for a terminal and a log: printable and short."""
    return "".join(each if each.isprintable() else "?" for each in text[:length])


def _refuse(code: str, message: str, place: Place, path: Path = (), **fields: Scalar) -> NoReturn:
    raise Invalid([Problem(dotted(path), code, message, place.line, place.column, fields)]) from None


def _check_size(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        _refuse("yaml-encoding", N_("This text is not Unicode. Save it as UTF-8."), Place(1, 1))
    if size > MAX_BYTES:
        message = N_("This text is too long: a definition has at most %(limit)s kB. Is it the right file?")
        _refuse("yaml-too-long", message, Place(1, 1), limit=MAX_BYTES // 1024)


def _events(text: str) -> Iterator[Event]:
    """The parser's events, as far as a definition may use YAML."""
    depth = documents = 0
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        place = _place(event)
        depth += isinstance(event, (MappingStartEvent, SequenceStartEvent))
        depth -= isinstance(event, (MappingEndEvent, SequenceEndEvent))
        documents += isinstance(event, DocumentStartEvent)
        if depth > MAX_DEPTH:
            _refuse("yaml-too-deep", N_("This is nested too deep. A definition needs few levels."), place)
        if count > MAX_EVENTS:
            _refuse("yaml-too-long", N_("This has more entries than a definition can need."), place)
        if documents > 1:
            _refuse("yaml-documents", N_("Write one environment in a file, without a second ---."), place)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            message = N_("Anchors and aliases (& and *) are not accepted. Write the value out, or quote it.")
            _refuse("yaml-alias", message, place)
        if getattr(event, "tag", None):
            _refuse(
                "yaml-tag", N_("Tags (!) are not accepted. Leave the tag out, or quote the value."), place
            )
        yield event


def _place(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


class _Builder:
    """Builds the tree from checked events; its recursion is as deep as MAX_DEPTH at most."""

    def __init__(self, events: Iterator[Event], tree: Tree) -> None:
        self._events = events
        self._tree = tree

    def document(self) -> None:
        for event in self._events:
            if not isinstance(
                event, (StreamStartEvent, StreamEndEvent, DocumentStartEvent, DocumentEndEvent)
            ):
                self._tree.data = self._value(event, ())

    def _value(self, event: Event, path: Path) -> Any:
        self._tree.values[path] = _place(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return _scalar(str(event.value), plain=event.implicit[0])  # type: ignore[attr-defined]

    def _mapping(self, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            place = _place(event)
            if not isinstance(event, ScalarEvent):
                _refuse("yaml-key", N_("A key is one word here, not a list or a group of keys."), place, path)
            key = str(event.value)
            inner = (*path, key)
            if key in data:
                message = N_("The key %(key)s is here a second time. Keep one of the two.")
                problem = Problem(
                    dotted(inner), "duplicate-key", message, place.line, place.column, {"key": shown(key)}
                )
                self._tree.problems.append(problem)
            self._tree.keys[inner] = place
            data[key] = self._value(next(self._events), inner)
        return data

    def _sequence(self, path: Path) -> list[Any]:
        data: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            data.append(self._value(event, (*path, len(data))))
        return data


def _scalar(text: str, *, plain: bool) -> Any:
    """YAML 1.2's plain values; dates, odd notations and numbers beyond all use stay text."""
    if not plain:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
