"""The machine's settings: PAILLASSE_* variables and secret files, read once into one frozen object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LANGUAGES = ("fr", "en")

_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SPANS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

T = TypeVar("T")


class SettingsError(ValueError):
    """A variable is wrong or a secret is missing; the message names it and stops the boot."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the machine decides. Sizes are bytes, spans are timedelta or seconds as annotated."""

    stack: str
    data: Path
    secrets: Path
    database_url: str
    public_url: str
    language: str
    timezone: str
    site_name: str
    support_contact: str
    self_registration: bool
    users_network: str
    allowed_images: tuple[str, ...]
    max_cpu: float
    max_memory: int
    max_pids: int
    max_shm: int
    max_duration: timedelta
    start_concurrency: int
    start_timeout: int  # seconds
    servers_per_user: int
    home_driver: str
    home_driver_options: tuple[tuple[str, str], ...]
    home_grace: timedelta
    idle_check: int  # seconds
    activity_interval: int  # seconds
    hub_url: str
    proxy_api_url: str
    portal_url: str
    keeper_url: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read every variable; raises SettingsError naming the first one that is wrong."""
        read = _Reader(environ)
        stack = read("STACK", "paillasse", _stack)
        data = read("DATA", "/srv/paillasse/data", Path)
        return cls(
            stack=stack,
            data=data,
            secrets=read("SECRETS", "/run/secrets", Path),
            database_url=read("DATABASE_URL", f"sqlite:///{data}/paillasse.sqlite", _database_url),
            public_url=read("PUBLIC_URL", "http://127.0.0.1:8000", _http_url),
            language=read("LANGUAGE", "fr", _language),
            timezone=read("TIMEZONE", "Europe/Paris", _timezone),
            site_name=read("SITE_NAME", "Paillasse", _text),
            support_contact=read("SUPPORT_CONTACT", "", str.strip),
            self_registration=read("SELF_REGISTRATION", "false", _boolean),
            users_network=read("USERS_NETWORK", f"{stack}-users", _text),
            allowed_images=read("ALLOWED_IMAGES", "paillasse/*", _globs),
            max_cpu=read("MAX_CPU", "8", _positive_float),
            max_memory=read("MAX_MEMORY", "16G", _size),
            max_pids=read("MAX_PIDS", "4096", _positive),
            max_shm=read("MAX_SHM", "2G", _size),
            max_duration=read("MAX_DURATION", "7d", _span),
            start_concurrency=read("START_CONCURRENCY", "0", _count),
            start_timeout=read("START_TIMEOUT", "120", _positive),
            servers_per_user=read("SERVERS_PER_USER", "4", _positive),
            home_driver=read("HOME_DRIVER", "local", _text),
            home_driver_options=read("HOME_DRIVER_OPTIONS", "", _options),
            home_grace=read("HOME_GRACE", "30d", _span),
            idle_check=read("IDLE_CHECK", "30", _positive),
            activity_interval=read("ACTIVITY_INTERVAL", "60", _positive),
            hub_url=read("HUB_URL", "http://hub:8081", _http_url),
            proxy_api_url=read("PROXY_API_URL", "http://proxy:8001", _http_url),
            portal_url=read("PORTAL_URL", "http://portal:8100", _http_url),
            keeper_url=read("KEEPER_URL", "http://keeper:8090", _http_url),
        )

    @property
    def https(self) -> bool:
        """True when people reach the site over TLS: cookies are then Secure."""
        return self.public_url.startswith("https://")

    @property
    def hub_database_url(self) -> str:
        """The Hub's own database: a second SQLite file, or the schema `hub` of the same PostgreSQL."""
        url = make_url(self.database_url)
        if url.get_backend_name() == "sqlite":
            return f"sqlite:///{self.data}/jupyterhub.sqlite"
        url = url.update_query_dict({"options": "-csearch_path=hub"})
        return url.render_as_string(hide_password=False)

    def secret(self, name: str) -> str:
        """The secret `name`, without its line end; raises SettingsError when absent or empty."""
        path = self.secrets / name
        try:
            value = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"PAILLASSE_SECRETS: cannot read the secret {path}: {error.strerror}"
            ) from error
        if not value:
            raise SettingsError(f"PAILLASSE_SECRETS: the secret {path} is empty")
        return value


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        """A variable set to nothing counts as not set, as compose and stack files produce it.

        The message leaves the value out: a database URL holds a password.
        """
        text = self._environ.get(f"PAILLASSE_{name}", "") or default
        try:
            return parse(text)
        except (ValueError, OSError) as error:
            raise SettingsError(f"PAILLASSE_{name} {error}") from error


def _stack(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", text):
        raise ValueError("must be 1 to 20 lower-case letters, digits or hyphens, a letter first")
    return text


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _database_url(text: str) -> str:
    try:
        backend = make_url(text).get_backend_name()
    except ArgumentError as error:
        raise ValueError("must be a database URL") from error
    if backend not in ("sqlite", "postgresql"):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be http://host[:port] or https://host[:port]")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an origin only: no path, no query, no user name")
    return f"{parts.scheme}://{parts.netloc}"


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"must be one of {', '.join(LANGUAGES)}")
    return text


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be a time zone such as Europe/Paris") from error
    return text


def _boolean(text: str) -> bool:
    answer = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower())
    if answer is None:
        raise ValueError("must be true or false")
    return answer


def _globs(text: str) -> tuple[str, ...]:
    globs = tuple(part.strip() for part in text.split(",") if part.strip())
    if not globs:
        raise ValueError("must name at least one image or pattern")
    return globs


def _options(text: str) -> tuple[tuple[str, str], ...]:
    """`k=v,k=v`; NFS needs commas inside a value (`o=addr=10.0.0.1\\,rw`), written with a backslash."""
    pairs = []
    for part in re.split(r"(?<!\\),", text) if text.strip() else []:
        key, equals, value = part.replace("\\,", ",").partition("=")
        if not equals or not key.strip():
            raise ValueError("must be key=value,key=value")
        pairs.append((key.strip(), value.strip()))
    return tuple(pairs)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("must be a whole number, zero or more")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ValueError("must be a whole number above zero")
    return int(text)


def _positive_float(text: str) -> float:
    value = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0
    if value <= 0:
        raise ValueError("must be a number above zero")
    return value


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMGT]?)", text.strip().upper())
    if not match or int(match[1]) == 0:
        raise ValueError("must be a size such as 512M or 16G")
    return int(match[1]) * _SIZES[match[2]]


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([smhd]?)", text.strip())
    if not match or int(match[1]) == 0:
        raise ValueError("must be a duration such as 90s, 30m, 12h or 7d")
    return timedelta(seconds=int(match[1]) * _SPANS[match[2]])
