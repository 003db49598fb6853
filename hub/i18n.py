"""The reader's language: catalogues compiled from the .po files; dates, spans and sizes in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import negotiate_locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("fr", "en")
COOKIE = "paillasse-lang"
LOCALE = Path(__file__).parent / "locale"
# How dates and numbers are written: English here is that of Europe, with 24 hours.
FORMATS = {"fr": "fr_FR", "en": "en_GB"}


def N_(msgid: str) -> str:
    """Mark a text for extraction; it is translated where it is shown."""
    return msgid


@cache
def catalogue(language: str, domain: str = "portal") -> NullTranslations:
    """The compiled catalogue; English is the language of the msgids and needs none."""
    source = LOCALE / language / f"{domain}.po"
    if language == "en" or not source.exists():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as text:
        write_mo(compiled, read_po(text, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def negotiate(cookie: str | None, accept_language: str, default: str) -> str:
    """The reader's own choice, else what the browser asks for, else the installation's language."""
    if cookie in LANGUAGES:
        return str(cookie)
    return negotiate_locale(list(_preferred(accept_language)), LANGUAGES, sep="-") or default


def _preferred(accept_language: str) -> Iterable[str]:
    weighted: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0 and tag]


class _Fields(dict[str, object]):
    """Fields of a text that came from a record: one that is missing shows as a dash, not as a crash."""

    def __missing__(self, key: str) -> str:
        return "–"


@dataclass(frozen=True)
class Words:
    """Everything a page needs to speak to one reader."""

    language: str
    timezone: ZoneInfo

    def say(self, msgid: str, fields: Mapping[str, object] | None = None, /, **more: object) -> str:
        """The text in the reader's language with its `%(name)s` fields filled in."""
        text = catalogue(self.language).gettext(msgid) if msgid else ""
        given = _Fields({**(fields or {}), **more})
        return text % given if given or "%%" in text else text

    def moment(self, at: datetime, now: datetime) -> str:
        """A point in time as people say it: the hour today, the day and the hour otherwise."""
        local = at.astimezone(self.timezone)
        if local.date() == now.astimezone(self.timezone).date():
            return format_time(local, "short", locale=FORMATS[self.language])
        return self.date_and_hour(at)

    def date_and_hour(self, at: datetime) -> str:
        """The day, the year and the hour, whatever the day."""
        pattern = {"fr": "d MMMM y 'à' HH:mm", "en": "d MMMM y 'at' HH:mm"}[self.language]
        return format_datetime(at.astimezone(self.timezone), pattern, locale=FORMATS[self.language])

    def day(self, at: datetime) -> str:
        """The date alone, in full."""
        return format_date(at.astimezone(self.timezone), "long", locale=FORMATS[self.language])

    def span(self, length: timedelta | float) -> str:
        """A length of time with its two largest units: `3 min 20 s`, `2 h 5 min`, `4 d`."""
        seconds = max(0, round(length.total_seconds() if isinstance(length, timedelta) else length))
        units = ((86400, self.say(N_("d"))), (3600, "h"), (60, "min"), (1, "s"))
        parts = []
        for size, unit in units:
            amount, seconds = divmod(seconds, size)
            if amount:
                parts.append(f"{amount}\N{NO-BREAK SPACE}{unit}")
        return "\N{NO-BREAK SPACE}".join(parts[:2]) or "0\N{NO-BREAK SPACE}s"

    def brief(self, seconds: float) -> str:
        """A short length with its first decimal: `0.4 s`; from ten seconds on as `span`."""
        if seconds >= 10:
            return self.span(seconds)
        return f"{format_decimal(round(seconds, 1), locale=FORMATS[self.language])}\N{NO-BREAK SPACE}s"

    def size(self, count: float, thousand: int = 1000) -> str:
        """Bytes in the unit people use for files; for memory, which is sold by powers of two, say 1024."""
        units = [
            self.say(N_("bytes")),
            self.say(N_("kB")),
            self.say(N_("MB")),
            self.say(N_("GB")),
            self.say(N_("TB")),
        ]
        step = 0
        while count >= thousand - 0.5 and step < len(units) - 1:
            count, step = count / thousand, step + 1
        shown = format_decimal(round(count, 1) if count < 10 else round(count), locale=FORMATS[self.language])
        return f"{shown}\N{NO-BREAK SPACE}{units[step]}"
