"""What a start can end with instead of an address: refusals of policy, failures of the engine.

    LaunchFailed            inside this package: a code of the start page, its facts, the log's end
    LaunchRefused  4xx      the domain said no                     SpawnException: policy, no traceback
    NoCapacity     503      no room now                            SpawnException: policy, no traceback
    EngineFailed   502      something broke                        the Hub counts it as an error

The last three carry `jupyterhub_message`: the Hub's progress stream and its "not running" page
read only that attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jupyterhub.spawner import SpawnException
from tornado.web import HTTPError

Args = Mapping[str, str | int | float]


@dataclass(eq=False)
class LaunchFailed(Exception):
    """A start that cannot succeed. `words` is for our log, never for the person."""

    code: str
    facts: Args = field(default_factory=dict)
    words: str = ""
    log_tail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.words}" if self.words else self.code


class LaunchRefused(SpawnException):
    """Policy said no: `reason` is the domain's word, `status` 403, 404 or 409 (files in use)."""

    def __init__(self, message: str, *, reason: str, status: int = 403) -> None:
        super().__init__(message, reason=reason, status_code=status)
        self.jupyterhub_message = message


class NoCapacity(SpawnException):
    """There is no room for this server at the moment."""

    def __init__(self, message: str, *, log_message: str = "") -> None:
        super().__init__(message, reason="capacity", log_message=log_message, status_code=503)
        self.jupyterhub_message = message


class EngineFailed(HTTPError):
    """Something broke below us; `reason` is the code of the start page."""

    def __init__(self, message: str, *, reason: str, log_message: str = "") -> None:
        # tornado formats log_message with %: the engine's words may hold one
        super().__init__(502, (log_message or message).replace("%", "%%"), reason=reason)
        self.jupyterhub_message = message


class EngineDown(Exception):
    """The engine did not answer in time, or answered that it is broken: nothing is known."""


class EngineRefused(Exception):
    """The engine understood and said no; the text is the engine's own."""


def to_hub(failure: LaunchFailed, message: str) -> SpawnException | EngineFailed:
    """The exception the Hub understands, with the sentence the person reads."""
    if failure.code == "capacity":
        return NoCapacity(message, log_message=str(failure))
    if failure.code in _POLICY:
        return LaunchRefused(message, reason=failure.code, status=409)
    return EngineFailed(message, reason=failure.code, log_message=str(failure))


# What the person can mend by themselves, once told.
_POLICY = frozenset({"volume-busy"})
