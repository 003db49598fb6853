"""What a way of signing in is: it proves (provider, subject), and the authenticator admits or refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from tornado.web import RequestHandler

Route: TypeAlias = tuple[str, type[RequestHandler]] | tuple[str, type[RequestHandler], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Proof:
    """A provider vouches for this: `subject` means something to that provider only.

    Only code can make one. What a browser posts is text, so no form can pretend to be proven.
    """

    provider: str
    subject: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Who a proof lets in; `stamp` changes when their open sessions must end."""

    username: str
    admin: bool
    stamp: str


class Provider:
    """One way in. `label` is the msgid of its button on the sign-in page; without one it has a form there."""

    key: ClassVar[str]
    label: ClassVar[str] = ""
    path: ClassVar[str] = ""

    def routes(self) -> Sequence[Route]:
        """The addresses it needs below /hub, such as `/oidc/campus/callback`."""
        return ()

    async def admit(self, subject: str) -> Admission | None:
        """The person behind a subject this provider has proven; nothing refuses."""
        raise NotImplementedError
