"""The sentences this package says on the Hub's own pages, in the reader's language.

Our start page makes its own sentences from the same codes; these are for the Hub's progress stream,
its "not running" page and its API.
"""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from environments import EnvironmentsError
from spawners.task_state import Args

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("fr", "en")


def N_(message: str) -> str:
    """Mark a msgid for extraction."""
    return message


STEPS = {
    "requested": N_("Request received"),
    "queued": N_("Waiting for a turn"),
    "placed": N_("Choosing a place"),
    "software": N_("Preparing the software"),
    "files": N_("Preparing the files"),
    "starting": N_("Starting"),
    "opening": N_("Opening the interface"),
    "ready": N_("Ready"),
}
DETAILS = {
    "rank": N_("Waiting for a turn: number %(rank)s in the queue"),
    "home-closing": N_("Waiting until the files of the previous start are closed"),
    "capacity": N_("There is no room at the moment; a place may become free soon"),
}
FAILURES = {
    "capacity": N_("There is no room for this environment at the moment. Try again in a few minutes."),
    "image-missing": N_("The software %(image)s was not found. Tell your teacher."),
    "image-auth": N_("The software %(image)s is not available to this site. Tell your teacher."),
    "pull-timeout": N_("Fetching the software took too long. Try again."),
    "exit": N_("The environment stopped right after its start (exit code %(status)s). Tell your teacher."),
    "oom": N_("The environment needs more memory than it may use. Tell your teacher."),
    "port-timeout": N_("Nothing answered on port %(port)s. Try again, or tell your teacher."),
    "volume-busy": N_("Your files are in use by another environment. Stop it, then start this one."),
    "volume-full": N_("Your files take all the space they may. Remove some, then start again."),
    "volume-down": N_("The storage of your files cannot be reached. Try again in a few minutes."),
    "engine-down": N_("The machines do not answer at the moment. Try again in a few minutes."),
    "interrupted": N_("The start was interrupted. Try again."),
    "cancelled": N_("The start was cancelled."),
    "internal": N_("The start failed. You did nothing wrong. Try again, or quote reference %(reference)s."),
}
NO_ENVIRONMENT = N_("There is no environment by that name. Open the join link that your teacher gave you.")
NO_OPTIONS = N_("A start takes no options. Use the button.")
ASK = N_("Press the button to start the environment %(slug)s.")


def step(name: str, code: str, args: Args, language: str) -> str:
    """The sentence for a step under way."""
    return translate(DETAILS.get(code) or STEPS[name], args, language)


def failure(code: str, args: Args, language: str) -> str:
    """The sentence for a start that failed; `args` holds at least `reference`."""
    return translate(FAILURES.get(code, FAILURES["internal"]), args, language)


def refusal(error: EnvironmentsError, language: str) -> str:
    """The sentence for a refusal of the domain."""
    return translate(error.message, dict(error.fields), language)


def translate(message: str, args: Args, language: str) -> str:
    """The msgid in `language`, with its facts filled in."""
    return _translations(language).gettext(message) % _Facts(args)


class _Facts(dict[str, str | int | float]):
    """A fact that is missing must not hide the sentence."""

    def __missing__(self, key: str) -> str:
        return "?"


@cache
def _translations(language: str) -> gettext.NullTranslations:
    """Compiled in memory: only the .po file is kept."""
    path = LOCALE / language[:2].lower() / "spawners.po"
    if not path.is_file():
        return gettext.NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
