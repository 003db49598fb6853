"""The one pydantic model of an environment: form, YAML, API and JSON schema are its faces.

Unknown keys are errors. A validator raises PydanticCustomError with a stable code and an English msgid, which
`reading.py` turns into Problems with a place. What the site allows is another question: `ceilings.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from environments.errors import N_
from environments.names import SLUG_LENGTH, is_slug
from environments.quantities import (
    format_duration,
    format_moment,
    format_size,
    parse_duration,
    parse_moment,
    parse_size,
)
from environments.values import HomeKind, Status

T = TypeVar("T")
# Begins the type of the errors that are ours, whose message is a msgid.
OWN = "own:"

_IMAGE = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?/)?"  # registry
    r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"  # name
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",  # tag, digest
    re.ASCII,
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_RESERVED = ("JUPYTERHUB_", "PAILLASSE_")
_MOUNT = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]*|/\.[A-Za-z0-9_][A-Za-z0-9._-]*)+", re.ASCII)
# Mounting a home over these would hide the system of the image, or reach what is not the person's.
_SYSTEM = [
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "opt",
    "proc",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
    "var",
]
_PATH = re.compile(r"/(?:[A-Za-z0-9._~@-]+/?)*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_UNPRINTABLE = re.compile(r"(?![\n\t])" + _CONTROL.pattern)
_KINDS = " | ".join(HomeKind)


def _fault(code: str, message: str, **fields: object) -> PydanticCustomError:
    return PydanticCustomError(OWN + code, message, fields)


def _parsed(value: object, parse: Callable[[str], T], code: str, message: str) -> T:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**15 else ""
    try:
        return parse(value if isinstance(value, str) else "")
    except (ValueError, OverflowError):
        raise _fault(code, message) from None


def _size(value: object) -> int:
    return _parsed(
        value, parse_size, "size", N_("This is not a size. Write a number and a unit: 512M or 1.5G.")
    )


def _duration(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    message = N_("This is not a duration. Write a number and a unit (90s, 60m, 12h, 7d), or off.")
    return _parsed(value, parse_duration, "duration", message)


def _moment(value: object, info: ValidationInfo) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    zone: tzinfo = (info.context or {}).get("zone", UTC)
    message = N_("This is not a date. Write 2026-09-01, 2026-09-01 08:00 or 2026-09-01T08:00+02:00.")
    ends = info.field_name == "closes_at"
    return _parsed(value, lambda text: parse_moment(text, zone, end=ends), "date", message)


def _slug(value: str) -> str:
    if is_slug(value):
        return value
    message = N_(
        "A slug has 1 to %(length)s characters: lower-case letters, digits and single hyphens;"
        " it begins with a letter and does not end with a hyphen."
    )
    raise _fault("slug", message, length=SLUG_LENGTH)


def _line(value: str) -> str:
    if _CONTROL.search(value) or not value.strip():
        raise _fault("one-line", N_("Write a text of one line here."))
    return value


def _printable(value: str) -> str:
    value = value.replace("\r\n", "\n")
    if _UNPRINTABLE.search(value):
        raise _fault("character", N_("This text holds a character that cannot be kept. Type it again."))
    return value


def _image(value: str) -> str:
    if _IMAGE.fullmatch(value):
        return value
    raise _fault("image", N_("This is not the name of an image. Write it as repository/name:tag."))


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise _fault(
            "variable-name",
            N_("A variable is named with letters, digits and underscores, not a digit first."),
        )
    if value.upper().startswith(_RESERVED):
        raise _fault(
            "variable-reserved",
            N_("Names that begin with %(prefixes)s are the platform's. Choose another one."),
            prefixes=", ".join(_RESERVED),
        )
    return value


def _variable_value(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise _fault("quotes", N_("Write this value between quotes, so that it stays as you wrote it."))


def _mount(value: str) -> str:
    parts = value.split("/")
    if not _MOUNT.fullmatch(value):
        message = N_("Write the full path of a directory, such as /home/student; no .. and no final slash.")
        raise _fault("path", message)
    if parts[1] in _SYSTEM or value == "/home":
        raise _fault(
            "path-reserved", N_("This directory belongs to the system. Choose one such as /home/student.")
        )
    return value


def _url_path(value: str) -> str:
    if _PATH.fullmatch(value) and not {".", ".."} & set(value.split("/")):
        return value
    raise _fault("url-path", N_("Write the path of a page, such as /lab: no .., no spaces and no ? or #."))


_SIZE_SCHEMA = {"type": ["string", "integer"], "examples": ["512M", "1.5G"]}
_DURATION_SCHEMA = {"type": "string", "examples": ["60m", "12h", "off"]}
_DATE_SCHEMA = {"type": ["string", "null"], "examples": ["2026-09-01", "2026-09-01T08:00+02:00"]}

Size = Annotated[int, BeforeValidator(_size), PlainSerializer(format_size), WithJsonSchema(_SIZE_SCHEMA)]
Duration = Annotated[
    timedelta | None,
    BeforeValidator(_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(_DURATION_SCHEMA),
]
Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    PlainSerializer(format_moment, when_used="unless-none"),
    WithJsonSchema(_DATE_SCHEMA),
]
Slug = Annotated[
    str,
    AfterValidator(_slug),
    Field(json_schema_extra={"pattern": "^[a-z](-?[a-z0-9])*$", "maxLength": SLUG_LENGTH}),
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_line)]
Markdown = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_printable)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(_printable)]
ImageName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_image)]
VariableName = Annotated[str, AfterValidator(_variable)]
VariableValue = Annotated[
    str, BeforeValidator(_variable_value), StringConstraints(max_length=8192), AfterValidator(_printable)
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class _Bilingual(_Section):
    """A text in French and English, or one text that serves both readers."""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return {"fr": value, "en": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.in_language("en") is None:
            raise _fault("text-missing", N_("Write a text, or one under fr and one under en."))
        return self

    @model_serializer
    def _short(self) -> Any:
        texts = {language: getattr(self, language) for language in ("fr", "en")}
        if texts["fr"] == texts["en"]:
            return texts["fr"]
        return {language: text for language, text in texts.items() if text is not None}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(core))]}

    def in_language(self, language: str) -> Any:
        """The text in this language, else in the other one."""
        texts = {name: getattr(self, name) for name in ("fr", "en")}
        return texts[language] if texts[language] is not None else texts["fr"] or texts["en"]


class TitleText(_Bilingual):
    fr: Title | None = None
    en: Title | None = None


class DescriptionText(_Bilingual):
    fr: Markdown | None = None
    en: Markdown | None = None


class InterfaceSpec(_Section):
    """What opens: the kind, the port the server listens on, the first page."""

    kind: Literal["lab"] = "lab"
    port: int = Field(8888, ge=1, le=65535)
    path: Annotated[str, StringConstraints(max_length=200), AfterValidator(_url_path)] = "/lab"

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value


class ResourcesSpec(_Section):
    """Limits, and what is set aside; a reservation left out is small and below the limit."""

    cpu: float = Field(1.0, ge=0.01, le=1024, allow_inf_nan=False)
    cpu_reservation: float | None = Field(None, ge=0, le=1024, allow_inf_nan=False)
    memory: Size = 2**30
    memory_reservation: Size | None = None
    pids: int = Field(512, ge=16, le=1_000_000)
    shm: Size = 64 * 2**20

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.memory < 6 * 2**20:
            raise _fault(
                "memory-too-small", N_("A server needs at least 6M of memory; JupyterLab about 256M.")
            )
        if self.reserved_cpu > self.cpu or self.reserved_memory > self.memory:
            raise _fault("reservation", N_("A reservation is above its limit. Lower it or leave it out."))
        return self

    @property
    def reserved_cpu(self) -> float:
        """Processors set aside."""
        return min(0.1, self.cpu) if self.cpu_reservation is None else self.cpu_reservation

    @property
    def reserved_memory(self) -> int:
        """Bytes set aside."""
        return min(256 * 2**20, self.memory) if self.memory_reservation is None else self.memory_reservation


class HomeSpec(_Section):
    """Which files are kept, and where the server sees them."""

    kind: HomeKind = HomeKind.ENVIRONMENT
    path: Annotated[str, StringConstraints(max_length=200), AfterValidator(_mount)] = "/home/student"

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value


class IdleSpec(_Section):
    """When an unused server stops, when any server stops, and how long before that people are told."""

    timeout: Duration = timedelta(hours=1)
    max_duration: Duration = timedelta(hours=12)
    warning: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        limits = [limit for limit in (self.timeout, self.max_duration) if limit is not None]
        if any(limit < timedelta(minutes=1) for limit in limits):
            raise _fault("too-brief", N_("Give people at least one minute (1m), or write off."))
        if self.warning is not None and any(self.warning > limit for limit in limits):
            raise _fault(
                "warning", N_("The warning comes before the stop: make it shorter than the other durations.")
            )
        return self


class OpeningSpec(_Section):
    """The opening period. A date without a zone is in the site's; `until` a date includes that day."""

    opens_at: Moment = Field(None, alias="from")
    closes_at: Moment = Field(None, alias="until")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise _fault("opening", N_("The opening period ends before it begins. Exchange from and until."))
        return self


class EnvironmentSpec(_Section):
    """An environment, as a teacher defines it."""

    slug: Slug
    title: TitleText
    description: DescriptionText = DescriptionText(fr="", en="")
    status: Status = Status.DRAFT
    image: ImageName
    command: Annotated[tuple[Word, ...], Field(min_length=1, max_length=64)] | None = None
    environment: Annotated[dict[VariableName, VariableValue], Field(max_length=100)] = Field(
        default_factory=dict
    )
    interface: InterfaceSpec = InterfaceSpec()
    resources: ResourcesSpec = ResourcesSpec()
    home: HomeSpec = HomeSpec()
    idle: IdleSpec = IdleSpec()
    opening: OpeningSpec = OpeningSpec()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The published schema of the YAML and of the API."""
        return cls.model_json_schema()

    def canonical(self) -> str:
        """The same environment always gives the same JSON text, and this text gives the same environment."""
        return self.model_dump_json(by_alias=True)
