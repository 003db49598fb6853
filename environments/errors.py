"""The tree of refusals: each has a stable `reason`, a msgid and the fields that fill it.

EnvironmentsError
├─ NotFound              an environment, a launch – and "exists, but not for you"
│  └─ LinkUnknown
├─ Refused               policy said no
│  ├─ NotAMember · NotPublished · Closed · QuotaReached · NotYours
│  ├─ LinkExpired · LinkUsedUp · LinkRevoked
│  └─ WrongCredentials · AccountLocked · AccountDisabled · RegistrationClosed
├─ Conflict              somebody else was faster
└─ Invalid               what was given cannot be accepted; `.problems` says where and what to do
   └─ SlugTaken · ImageNotAllowed · ResourcesTooLarge · UsernameTaken · WeakPassword

No HTTP status here: each edge has one table. Messages are English msgids; the edges translate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from environments.values import Scalar


def N_(message: str) -> str:
    """Mark a msgid for extraction; the reader's edge translates it."""
    return message


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where (dotted path, line and column counted from 1), what, and what to do."""

    path: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None
    fields: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The message in English, with its fields filled in."""
        return self.message % self.fields

    def __str__(self) -> str:
        place = [f"line {self.line}, column {self.column}"] if self.line else []
        return ": ".join([*place, *([self.path] if self.path else []), self.sentence])


class EnvironmentsError(Exception):
    """Whatever the domain says no with. `keep` asks the store to commit what the action has written."""

    reason = "error"
    message = N_("This cannot be done.")

    def __init__(self, **fields: Scalar) -> None:
        super().__init__(self.reason)
        self.fields: dict[str, Scalar] = fields
        self.keep = False

    def __str__(self) -> str:
        return self.message % self.fields


class NotFound(EnvironmentsError):
    """There is nothing of that name, or nothing that this person may know of."""

    reason = "not-found"
    message = N_("There is nothing here by that name, or it is not for you.")


class LinkUnknown(NotFound):
    """No join link has this code."""

    reason = "link-unknown"
    message = N_("This join link is not known. Check that it was copied in full, or ask for a new one.")


class Refused(EnvironmentsError):
    """Policy said no."""

    reason = "refused"


class NotAMember(Refused):
    """The person has not joined the environment."""

    reason = "not-a-member"
    message = N_("You have not joined this environment. Open the join link that your teacher gave you.")


class NotPublished(Refused):
    """The environment is a draft or archived; field `status` says which."""

    reason = "not-published"
    message = N_("This environment is not published. Ask its teacher when it will be.")


class Closed(Refused):
    """Outside the opening period; fields `when` (before, after), `opens_at`, `closes_at` (ISO 8601 or "")."""

    reason = "closed"
    message = N_("This environment is closed now. See its opening period.")


class QuotaReached(Refused):
    """The person has as many live servers as the site allows; fields `used`, `limit`."""

    reason = "quota-user"
    message = N_("You already have %(used)s servers of %(limit)s. Stop one of them, then start again.")


class NotYours(Refused):
    """The person may see it but not change it."""

    reason = "not-yours"
    message = N_("Only its owner or an administrator may change this.")


class LinkExpired(Refused):
    """The join link was valid until `expires_at` (ISO 8601)."""

    reason = "link-expired"
    message = N_("This join link has expired. Ask for a new one.")


class LinkUsedUp(Refused):
    """The join link has let in as many people as it may (`max_uses`)."""

    reason = "link-used-up"
    message = N_("This join link has been used as often as it may be. Ask for a new one.")


class LinkRevoked(Refused):
    """The join link was withdrawn."""

    reason = "link-revoked"
    message = N_("This join link has been withdrawn. Ask for a new one.")


class WrongCredentials(Refused):
    """Unknown name or wrong password: the answer never says which."""

    reason = "wrong-credentials"
    message = N_("The name or the password is not right.")


class AccountLocked(Refused):
    """Too many wrong passwords; locked until `locked_until` (ISO 8601)."""

    reason = "account-locked"
    message = N_("Too many wrong passwords. Try again later.")


class AccountDisabled(Refused):
    """An administrator has closed this account."""

    reason = "account-disabled"
    message = N_("This account is closed. Ask an administrator.")


class RegistrationClosed(Refused):
    """The site does not let people make their own account."""

    reason = "registration-closed"
    message = N_("Accounts are made by an administrator here.")


class Conflict(EnvironmentsError):
    """The environment changed since it was read; fields `diff` (unified), `current_revision`."""

    reason = "conflict"
    message = N_(
        "Somebody else has changed this environment since you read it: it is at revision"
        " %(current_revision)s. Look at the difference, then apply your change to the new revision."
    )


class Invalid(EnvironmentsError):
    """What was given cannot be accepted; every problem found is in `problems`."""

    reason = "invalid"
    message = N_("This cannot be accepted as it is.")

    def __init__(self, problems: Iterable[Problem] = (), **fields: Scalar) -> None:
        super().__init__(**fields)
        self.problems: tuple[Problem, ...] = tuple(problems)

    def __str__(self) -> str:
        if not self.problems:
            return super().__str__()
        return "\n".join(str(problem) for problem in self.problems)


class SlugTaken(Invalid):
    """Another environment has this slug."""

    reason = "slug-taken"
    message = N_("The slug %(slug)s is taken. Choose another one.")


class ImageNotAllowed(Invalid):
    """The site does not allow this image."""

    reason = "image-not-allowed"
    message = N_("The image %(image)s is not among those this site allows: %(allowed)s.")


class ResourcesTooLarge(Invalid):
    """More than the site's ceiling."""

    reason = "resources-too-large"
    message = N_("This site allows at most %(limit)s here. Ask for less.")


class UsernameTaken(Invalid):
    """Somebody has this username."""

    reason = "username-taken"
    message = N_("The name %(username)s is taken. Choose another one.")


class WeakPassword(Invalid):
    """The password is too easy to guess."""

    reason = "weak-password"
    message = N_("This password is too easy to guess. Choose a longer one.")
