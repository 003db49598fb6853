"""The words for every refusal, failure, step and end: one sentence, one primary action each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

from hub.i18n import N_, Words


class Action(StrEnum):
    """The one thing a page offers first; the templates know how each is drawn."""

    RETRY = auto()
    HOME = auto()
    AGAIN = auto()
    CONTACT = auto()
    SIGN_IN = auto()
    SWITCH = auto()
    FILES = auto()


@dataclass(frozen=True)
class Text:
    """What is said. `detail` is shown instead of `sentence` when its fields are known."""

    title: str
    sentence: str
    action: Action
    status: int = 403
    detail: str = ""
    needs: tuple[str, ...] = ()

    def say(self, words: Words, fields: dict[str, object]) -> str:
        """The sentence in the reader's language."""
        known = bool(self.detail) and all(fields.get(name) not in (None, "") for name in self.needs)
        return words.say(self.detail if known else self.sentence, fields)


FAILURES: dict[str, Text] = {
    "capacity": Text(
        N_("No room right now"),
        N_("All the machines are full at the moment. A place comes free when someone stops working."),
        Action.RETRY,
    ),
    "image-missing": Text(
        N_("The software of this environment was not found"),
        N_("Its software is missing on the platform; trying again will not help until the owner mends it."),
        Action.CONTACT,
        detail=N_(
            "Its software, “%(image)s”, is not there; trying again will not help until the owner mends it."
        ),
        needs=("image",),
    ),
    "image-not-allowed": Text(
        N_("The software of this environment may not be used here"),
        N_("The platform no longer allows it; the owner has to choose another."),
        Action.CONTACT,
    ),
    "image-auth": Text(
        N_("The software of this environment was refused"),
        N_("The place it is kept in does not let the platform read it; the owner has to mend that."),
        Action.CONTACT,
    ),
    "pull-timeout": Text(
        N_("The software takes too long to arrive"),
        N_("It was still on its way when the time was up. What has arrived is kept, so try again."),
        Action.RETRY,
    ),
    "exit": Text(
        N_("The environment stopped right after it started"),
        N_("Its program ended by itself. Its last words are in the log below."),
        Action.RETRY,
        detail=N_("Its program ended by itself (exit code %(status)s). Its last words are in the log below."),
        needs=("status",),
    ),
    "oom": Text(
        N_("Not enough memory"),
        N_("The environment needed more memory than it may use, and was stopped."),
        Action.RETRY,
        detail=N_("The environment needed more than the %(memory)s of memory it may use, and was stopped."),
        needs=("memory",),
    ),
    "port-timeout": Text(
        N_("The environment runs but does not answer"),
        N_("Its program started, and nothing answered in time."),
        Action.RETRY,
        detail=N_("Its program started, but nothing answered on port %(port)s in time."),
        needs=("port",),
    ),
    "volume-busy": Text(
        N_("Your files are still in use"),
        N_("Another of your servers works on the same files. Stop it, then start this one."),
        Action.HOME,
        detail=N_("“%(title)s” works on the same files. Stop it, then start this one."),
        needs=("title",),
    ),
    "volume-full": Text(
        N_("Your disk space is full"),
        N_("There is no room left for your files. Download what you want to keep, then make room."),
        Action.FILES,
    ),
    "volume-down": Text(
        N_("Your files cannot be reached"),
        N_("The place where your files are kept does not answer. They are safe; try again in a moment."),
        Action.RETRY,
    ),
    "closed": Text(
        N_("This environment is closed"),
        N_("It can only be started during its opening period."),
        Action.HOME,
        detail=N_("It can be started from %(opens_at)s to %(closes_at)s."),
        needs=("opens_at", "closes_at"),
    ),
    "quota-user": Text(
        N_("You have reached your number of servers"),
        N_("Stop one of your running servers, then start this one."),
        Action.HOME,
        detail=N_("You may run %(limit)s servers at once. Stop one, then start this one."),
        needs=("limit",),
    ),
    "not-a-member": Text(
        N_("You are not a member of this environment"),
        N_("Open the link your teacher gave you to join it."),
        Action.HOME,
    ),
    "not-published": Text(
        N_("This environment is not open to students"),
        N_("Its owner has not published it, or has withdrawn it."),
        Action.HOME,
    ),
    "session": Text(
        N_("Your sign-in has ended"),
        N_("Sign in again; nothing is lost."),
        Action.SIGN_IN,
    ),
    "engine-down": Text(
        N_("The machines do not answer"),
        N_("The platform cannot reach its machines. Those who run it can see this; try again in a moment."),
        Action.RETRY,
    ),
    "interrupted": Text(
        N_("The start was interrupted"),
        N_("Part of the platform was restarted meanwhile. Nothing is lost; start again."),
        Action.RETRY,
    ),
    "cancelled": Text(
        N_("Start cancelled"),
        N_("You cancelled this start. Your files have not changed."),
        Action.RETRY,
    ),
    "internal": Text(
        N_("Something broke on our side"),
        N_("It is not your fault, and it is in our records under the reference below."),
        Action.RETRY,
    ),
}

ENDS: dict[str, str] = {
    "stopped-by-user": N_("Stopped at your request."),
    "idle": N_("Stopped because nothing happened in it for a while."),
    "max-duration": N_("Stopped at the end of the time it may run."),
    "crashed": N_("Its program ended unexpectedly."),
    "oom": N_("Stopped because it needed more memory than it may use."),
    "gone": N_("It is no longer running: the machine it ran on was restarted or lost."),
    "interrupted": N_("Part of the platform was restarted while it started."),
}

REFUSALS: dict[str, Text] = {
    "link-unknown": Text(
        N_("This link leads nowhere"),
        N_("No environment has this link. Check that it was copied whole, or ask whoever gave it to you."),
        Action.HOME,
        404,
    ),
    "link-expired": Text(
        N_("This link has expired"),
        N_("It could be used for a limited time only. Ask your teacher for a new one."),
        Action.HOME,
        410,
        detail=N_("It could be used until %(expires_at)s. Ask your teacher for a new one."),
        needs=("expires_at",),
    ),
    "link-used-up": Text(
        N_("This link has no places left"),
        N_("As many people as it was made for have joined with it. Ask your teacher for a new one."),
        Action.HOME,
        410,
    ),
    "link-revoked": Text(
        N_("This link was withdrawn"),
        N_("Its owner has replaced it. Ask your teacher for the new one."),
        Action.HOME,
        410,
    ),
    "not-open-yet": Text(
        N_("Not open yet"),
        N_("This environment opens later. Come back then with the same link."),
        Action.AGAIN,
        detail=N_("This environment opens on %(opens_at)s. Come back then with the same link."),
        needs=("opens_at",),
    ),
    "closed": Text(
        N_("This environment is closed"),
        N_("Its opening period is over."),
        Action.FILES,
        detail=N_("Its opening period ended on %(closes_at)s. Files you kept in it can still be downloaded."),
        needs=("closes_at",),
    ),
    "archived": Text(
        N_("This environment is archived"),
        N_("It can no longer be started. Files you kept in it can still be downloaded."),
        Action.FILES,
        410,
    ),
    "not-published": FAILURES["not-published"],
    "not-a-member": FAILURES["not-a-member"],
    "quota-user": FAILURES["quota-user"],
    "not-found": Text(
        N_("Page not found"),
        N_("There is nothing at this address, or it is not for you."),
        Action.HOME,
        404,
    ),
    "not-running": Text(
        N_("It is not running"),
        N_("This server has stopped. You can start it again; files that are kept are still there."),
        Action.HOME,
        409,
    ),
    "too-many": Text(
        N_("Too many attempts"),
        N_(
            "Many unknown links were tried from here. Wait a moment, then use the link your teacher gave you."
        ),
        Action.AGAIN,
        429,
        detail=N_("Many unknown links were tried from here. You can try again in %(wait)s."),
        needs=("wait",),
    ),
    "account-disabled": Text(
        N_("This account is closed"),
        N_("It can no longer be used here. If that is a mistake, write to the people who run the platform."),
        Action.SWITCH,
    ),
    "admins-only": Text(
        N_("For administrators only"),
        N_("This page needs the administrator role, which your account does not have."),
        Action.HOME,
    ),
    "not-yours": Text(
        N_("This is not yours to change"),
        N_("Only its owner or an administrator can do this."),
        Action.HOME,
    ),
    "cross-site": Text(
        N_("This request came from another site"),
        N_("For your safety nothing was done. Open the page here and press the button yourself."),
        Action.HOME,
    ),
    "form-expired": Text(
        N_("This form is too old"),
        N_("You signed in again since it was shown, so nothing was done. Open the page again."),
        Action.AGAIN,
    ),
    "sign-in-lost": Text(
        N_("The sign-in did not finish"),
        N_("It took too long, or it was begun in another browser. Start again from here."),
        Action.SIGN_IN,
    ),
    "files-in-use": Text(
        N_("These files are in use"),
        N_("Stop the server that works on them, then download them."),
        Action.HOME,
        409,
    ),
    "files-unreachable": Text(
        N_("Your files cannot be reached"),
        N_("The place where your files are kept does not answer. They are safe; try again in a moment."),
        Action.AGAIN,
        503,
    ),
    "hub-down": Text(
        N_("The platform is restarting"),
        N_("A part of it does not answer. Servers that run go on running; this page tries again by itself."),
        Action.AGAIN,
        502,
    ),
    "bad-request": Text(
        N_("This request cannot be understood"),
        N_("Something in it is missing or too long. Go back and try again."),
        Action.HOME,
        400,
    ),
    "internal": Text(
        N_("Something broke on our side"),
        N_("It is not your fault, and it is in our records under the reference below."),
        Action.AGAIN,
        500,
    ),
}

STEPS: dict[str, str] = {
    "requested": N_("Request received"),
    "queued": N_("Waiting for your turn"),
    "placed": N_("Machine chosen"),
    "software": N_("Software"),
    "files": N_("Your files"),
    "starting": N_("Starting"),
    "opening": N_("Opening"),
}
