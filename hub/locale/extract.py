"""Bring the portal's French catalogue up to date with the code: `python hub/locale/extract.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
PORTAL = ROOT / "hub/locale/fr/portal.po"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
PYTHON = ("hub/i18n.py", "hub/portal/**/*.py")
# Of the domain, what an administrator can be told about people: the rest is said in the portal's own words.
DOMAIN = ("names", "roster", "passwords", "actions/accounts", "errors")
TEMPLATES = ("hub/templates/portal/*.html",)


def sources() -> Iterator[tuple[Path, str]]:
    """Every file that holds texts, with the name of Babel's reader for it."""
    for pattern in PYTHON:
        yield from ((path, "python") for path in sorted(ROOT.glob(pattern)))
    yield from ((ROOT / f"environments/{name}.py", "python") for name in DOMAIN)
    for pattern in TEMPLATES:
        yield from ((path, "jinja2.ext:babel_extract") for path in sorted(ROOT.glob(pattern)))


def extract() -> Catalog:
    """All texts as they stand in the code."""
    found = Catalog(locale="fr", domain="portal", project="Paillasse", charset="utf-8", fuzzy=False)
    for path, reader in sources():
        options = {"newstyle_gettext": "true"} if reader != "python" else {}
        for _, message, _, context in extract_from_file(reader, path, keywords=KEYWORDS, options=options):
            found.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)], context=context)
    return found


def main() -> None:
    """Add what is new, drop what is gone; translations that still fit are kept."""
    template = extract()
    if PORTAL.exists():
        with PORTAL.open("rb") as text:
            catalogue = read_po(text, locale="fr", domain="portal")
        catalogue.update(template, no_fuzzy_matching=True)
    else:
        catalogue = template
    catalogue.obsolete.clear()
    catalogue.header_comment = "# French texts of the portal."
    with PORTAL.open("wb") as text:
        write_po(text, catalogue, width=100, omit_header=False, sort_by_file=True, include_lineno=False)
    missing = [message.id for message in catalogue if message.id and not all([message.string])]
    print(f"{len(catalogue)} texts, {len(missing)} without translation")


if __name__ == "__main__":
    main()
