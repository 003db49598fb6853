"""Passwords: what makes a good one, how it is kept (argon2id), how a one-time one is made."""

from __future__ import annotations

import hashlib
import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from environments.errors import N_, Problem, WeakPassword

SHORTEST = 10
LONGEST = 200  # a bound on work, not a rule of taste

# 19 MiB and two passes: what OWASP asks at least; about 25 ms of one core.
_CHOSEN = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# A one-time password has 60 random bits: nobody tries them all, however fast the hash is.
_DRAWN = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_NOBODY = _CHOSEN.hash(secrets.token_hex(16))

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
)
_UNDO_LEET = str.maketrans("013457@$!", "oieastasi")
# Judged once digits and signs at either end are gone, so that `motdepasse2026!` is found too.
_COMMON = frozenset(
    """
    password passwort motdepasse azerty qwerty azertyuiop qwertyuiop admin administrateur administrator root
    bonjour soleil doudou loulou chouchou marseille paris france iloveyou jetaime letmein welcome bienvenue
    monkey dragon football princess princesse sunshine superman changeme changezmoi changemoi secret default
    university universite etudiant etudiante student teacher professeur enseignant ordinateur computer
    jupyter jupyterhub jupyterlab paillasse notebook python anaconda trustno internet
    """.split()  # noqa: SIM905 - a list to be read, not parsed by eye
)


def hash_password(password: str) -> str:
    """What is kept of a password. Takes tens of milliseconds: never on an event loop."""
    return _CHOSEN.hash(password)


def hash_one_time(password: str) -> str:
    """The same for what `one_time` made: quicker, so that thousands of accounts can be made at once."""
    return _DRAWN.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; with no hash the same work is done and the answer is no."""
    try:
        return _CHOSEN.verify(password_hash or _NOBODY, password[:LONGEST]) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def stamp(password_hash: str | None) -> str:
    """Changes whenever the password changes, and tells nothing of it."""
    return hashlib.sha256((password_hash or "").encode()).hexdigest()[:16]


def one_time() -> str:
    """A password to be typed once: `k7fm-2qxa-vd3p`; no look-alikes, 60 random bits."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join((drawn[:4], drawn[4:8], drawn[8:]))


def check_password(password: str, username: str) -> None:
    """Refuse what is guessed first; raises WeakPassword with one problem per rule that is broken."""
    problems = []
    if not SHORTEST <= len(password) <= LONGEST:
        problems.append(
            _problem(N_("A password has at least %(shortest)s characters and at most %(longest)s."))
        )
    elif _is_predictable(password):
        problems.append(
            _problem(N_("This password is among the first that are tried. Choose a less common one."))
        )
    if _leans_on(password.lower(), username.lower()):
        problems.append(_problem(N_("A password must not be made from the user name.")))
    if problems:
        raise WeakPassword(problems)


def _problem(message: str) -> Problem:
    return Problem("password", "weak-password", message, fields={"shortest": SHORTEST, "longest": LONGEST})


def _is_predictable(password: str) -> bool:
    low = password.lower()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", low)
    words = {core, core.translate(_UNDO_LEET), re.sub(r"[\W\d_]+", "", low.translate(_UNDO_LEET))}
    halves = {word[: len(word) // 2] for word in words if word[: len(word) // 2] * 2 == word}
    runs = any(low in run or low in run[::-1] for run in _RUNS)
    return runs or len(set(low)) < 5 or not (words | halves).isdisjoint(_COMMON)


def _leans_on(password: str, username: str) -> bool:
    return username in password and len(password.replace(username, "")) < 5
