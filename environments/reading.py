"""From a text or a form to an EnvironmentSpec, with every problem named at once: where, what, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from environments.ceilings import problems_above
from environments.errors import N_, ImageNotAllowed, Invalid, Problem, ResourcesTooLarge
from environments.spec import OWN, EnvironmentSpec
from environments.values import Ceilings, Scalar
from environments.yaml_tree import Path, Tree, dotted, read_tree, shown

MOST_PROBLEMS = 30  # told at once; who has more mends these first

# What pydantic finds by itself: its word -> our code and sentence. `expected`, `le`, `ge` … are its fields.
_FOUND: dict[str, tuple[str, str]] = {
    "missing": ("missing", N_("%(key)s is missing. Write it here.")),
    "extra_forbidden": ("unknown-key", N_("The key %(key)s is not known here. Remove it.")),
    "string_type": ("text", N_("Write a text here; put a number or a date between quotes.")),
    "string_unicode": ("character", N_("This text holds a character that cannot be kept. Type it again.")),
    "string_too_short": ("too-short", N_("This must not be empty.")),
    "string_too_long": ("too-long", N_("This is too long: at most %(max_length)s characters.")),
    "too_short": ("too-short", N_("This must not be empty.")),
    "too_long": ("too-long", N_("There are too many: at most %(max_length)s.")),
    "less_than_equal": ("number", N_("Write a number of at most %(le)s.")),
    "greater_than_equal": ("number", N_("Write a number of at least %(ge)s.")),
    "enum": ("choice", N_("Write one of these: %(expected)s.")),
    "literal_error": ("choice", N_("Write one of these: %(expected)s.")),
    "tuple_type": ("list", N_("Write a list here, one entry to a line, each after a hyphen.")),
    "dict_type": ("mapping", N_("Write keys and values here, one to a line.")),
    "model_type": ("mapping", N_("Write keys and values here, one to a line.")),
    "model_attributes_type": ("mapping", N_("Write keys and values here, one to a line.")),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float"), ("number", N_("Write a whole number here."))
    ),
    "int_parsing_size": ("number", N_("This number is too large.")),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), ("number", N_("Write a number here."))),
}
_MEANT = N_("The key %(key)s is not known here. Did you mean %(meant)s?")
_OTHER = ("value", N_("This value is not accepted here."))
_CLASSES: dict[str, type[Invalid]] = {each.reason: each for each in (ImageNotAllowed, ResourcesTooLarge)}


def parse_yaml(text: str, ceilings: Ceilings, *, zone: str = "UTC") -> EnvironmentSpec:
    """The environment this text defines; `zone` is that of dates without one.

    Raises Invalid, and nothing else, whatever the text; its problems have a path, a line and a column.
    """
    tree = read_tree(text)
    if not isinstance(tree.data, dict):
        message = N_("Write keys and values here, one to a line, beginning with slug: and title:.")
        raise Invalid([Problem("", "mapping", message, 1, 1)])
    spec, found = _check(tree.data, ceilings, zone)
    problems = sorted(
        [*tree.problems, *(_placed(path, problem, tree) for path, problem in found)], key=_order
    )
    if spec is None or problems:
        raise invalid(problems[:MOST_PROBLEMS])
    return spec


def parse_data(data: Mapping[str, Any], ceilings: Ceilings, *, zone: str = "UTC") -> EnvironmentSpec:
    """The environment that a form or an API body defines. Raises Invalid; its problems have a path."""
    spec, found = _check(dict(data), ceilings, zone)
    if spec is None or found:
        raise invalid(problem for _, problem in found)
    return spec


def invalid(problems: Iterable[Problem]) -> Invalid:
    """The refusal for these problems: of their own class where all are of one kind, else plain Invalid."""
    found = tuple(problems)
    codes = {problem.code for problem in found}
    kind = _CLASSES.get(codes.pop(), Invalid) if len(codes) == 1 else Invalid
    return kind(found, **(found[0].fields if kind is not Invalid else {}))


def _check(
    data: dict[str, Any], ceilings: Ceilings, zone: str
) -> tuple[EnvironmentSpec | None, list[tuple[Path, Problem]]]:
    try:
        spec = EnvironmentSpec.model_validate(data, context={"zone": ZoneInfo(zone)})
    except ValidationError as error:
        return None, [_problem(each) for each in error.errors(include_url=False, include_input=False)]
    above = problems_above(spec, ceilings)
    return spec, [(tuple(problem.path.split(".")), problem) for problem in above]


def _problem(error: ErrorDetails) -> tuple[Path, Problem]:
    path = tuple(part for part in error["loc"] if part != "[key]")
    fields: dict[str, Scalar] = {name: _field(value) for name, value in error.get("ctx", {}).items()}
    fields["key"] = shown(str(path[-1])) if path else ""
    kind = error["type"]
    code, message = _FOUND.get(kind, _OTHER)
    if kind.startswith(OWN):
        code, message = kind.removeprefix(OWN), error["msg"]
    elif kind == "extra_forbidden" and (meant := _meant(path)):
        message, fields["meant"] = _MEANT, meant
    return path, Problem(dotted(path), code, message, fields=fields)


def _field(value: object) -> Scalar:
    return value if isinstance(value, (int, float)) else str(value).replace("'", "").replace(" or ", ", ")


def _meant(path: Path) -> str:
    model: type[BaseModel] | None = EnvironmentSpec
    for part in path[:-1]:
        model = _section(model, str(part)) if model else None
    known = [info.alias or name for name, info in model.model_fields.items()] if model else []
    return next(iter(get_close_matches(str(path[-1])[:60], known, n=1)), "")


def _section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    kind = model.model_fields[name].annotation if name in model.model_fields else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _placed(path: Path, problem: Problem, tree: Tree) -> Problem:
    place = tree.place(path)
    return replace(problem, line=place.line, column=place.column) if place else problem


def _order(problem: Problem) -> tuple[int, int]:
    return (problem.line or 0, problem.column or 0)
