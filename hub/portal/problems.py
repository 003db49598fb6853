"""What a handler raises when it cannot answer as asked; `errors.py` says what each becomes."""

from __future__ import annotations


class LoginNeeded(Exception):
    """There is no session, or the Hub no longer vouches for it."""


class Problem(Exception):
    """A row of `texts.REFUSALS` by its reason; the fields fill its sentence."""

    def __init__(self, reason: str, **fields: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fields = fields
