"""Names and secrets: slugs (the Hub's rule), usernames, ids, join codes, references, volume names.

Requirements:
- what names a volume or a server in the engine is made from immutable random ids, never from a person's name;
- ids are never given twice; a join code cannot be guessed; a reference can be read out on the phone.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata

from environments.errors import N_, Invalid, Problem

SLUG = re.compile(r"[a-z](?:-?[a-z0-9])*")
SLUG_LENGTH = 30
ID = re.compile(r"[a-z2-7]{12}")
USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,62}")
# The operator acts under this name without being a person: nobody may be called so.
RESERVED_USERNAMES = frozenset({"root"})

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
# Crockford's alphabet: no I, L, O or U, which are misread or misheard.
_SPOKEN = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def is_slug(text: str) -> bool:
    """Whether the Hub accepts this as the name of a server."""
    return len(text) <= SLUG_LENGTH and SLUG.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether this has the form of an id; who asks with anything else asks for nothing that exists."""
    return ID.fullmatch(text) is not None


def parse_username(text: str) -> str:
    """The one spelling of a username: look-alikes fold to it, everything else is Invalid."""
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if USERNAME.fullmatch(name) and name not in RESERVED_USERNAMES:
        return name
    message = N_(
        "A name begins with a letter and has 2 to 63 characters:"
        " unaccented letters, digits, full stops, hyphens and underscores."
    )
    raise Invalid([Problem("username", "username", message)])


def new_id() -> str:
    """An opaque id: 12 characters, 60 random bits."""
    return _random(_BASE32, 12)


def new_join_code() -> str:
    """The secret of a join link: 26 characters, 130 random bits."""
    return _random(_BASE32, 26)


def new_reference() -> str:
    """What a person quotes to support, such as `7F3A-21C4`; 40 random bits."""
    return f"{_random(_SPOKEN, 4)}-{_random(_SPOKEN, 4)}"


def code_hash(code: str) -> str:
    """What is kept of a join code. A plain hash will do: nobody can try 2^130 codes."""
    return hashlib.sha256(code.encode("utf-8", "backslashreplace")).hexdigest()


def home_volume(stack: str, home_id: str) -> str:
    """The name of the volume that holds a home."""
    return f"{stack}-home-{home_id}"


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
