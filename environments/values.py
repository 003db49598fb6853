"""Frozen values that cross the border of the domain; mapped objects never do.

Every datetime is aware and in UTC; sizes are bytes; CPU is a number of processors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | int | float
Step: TypeAlias = Literal[
    "requested", "queued", "placed", "software", "files", "starting", "opening", "ready"
]
StepState: TypeAlias = Literal["todo", "running", "done", "failed"]
Decision: TypeAlias = Literal["keep", "warn", "stop"]
Outcome: TypeAlias = Literal["created", "changed", "unchanged"]


class HomeKind(StrEnum):
    """Where a server's files live, and with which other servers they are shared."""

    NONE = "none"
    ENVIRONMENT = "environment"
    PERSONAL = "personal"


class Status(StrEnum):
    """How far an environment has come: only a published one is for students."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Role(StrEnum):
    """What a person may do on the whole site."""

    STUDENT = "student"
    TEACHER = "teacher"
    ADMIN = "admin"


class LaunchState(StrEnum):
    """The life of one start; FAILED and ENDED are final."""

    REQUESTED = "requested"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in French, in English or in both; a text in one language serves for the other."""

    fr: str
    en: str

    def in_language(self, language: str) -> str:
        """The text for a language tag such as `fr-CA`; a language we do not have gets English."""
        return self.fr if language.lower().startswith("fr") else self.en


@dataclass(frozen=True, slots=True)
class Resources:
    """What one server may use at most, and what is set aside for it."""

    cpu_limit: float
    cpu_reservation: float
    memory_limit: int
    memory_reservation: int
    pids_limit: int
    shm_size: int


@dataclass(frozen=True, slots=True)
class Home:
    """The kind of home and the directory where the server sees it ("" when there is none)."""

    kind: HomeKind
    path: str


@dataclass(frozen=True, slots=True)
class IdlePolicy:
    """When an unused server stops, when any server stops, and how long before that people are told."""

    timeout: timedelta | None
    max_duration: timedelta | None
    warning: timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """An opening period; a missing end is open."""

    opens_at: datetime | None
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Interface:
    """What opens in the browser: the port the server listens on and the path of its first page."""

    kind: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the site allows at most; `max_duration` None means no limit, `servers_per_user` 0 too."""

    cpu: float
    memory: int
    pids: int
    shm: int
    max_duration: timedelta | None
    allowed_images: tuple[str, ...]
    servers_per_user: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change of what is taught."""

    username: str
    role: Role


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person; `id` never changes and is never given again, whatever happens to the name."""

    id: str
    username: str
    display_name: str
    role: Role
    language: str
    disabled: bool
    must_change_password: bool
    locked_until: datetime | None
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """An environment as it is now; `owner` is a username, "" when it belongs to the site."""

    id: str
    slug: str
    title: Text
    description: Text
    owner: str
    status: Status
    image: str
    interface: Interface
    resources: Resources
    home: Home
    idle: IdlePolicy
    window: Window
    revision: int

    def title_in(self, language: str) -> str:
        """The title for a reader of this language."""
        return self.title.in_language(language)

    def description_in(self, language: str) -> str:
        """The description, in Markdown, for a reader of this language."""
        return self.description.in_language(language)


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a specification did."""

    view: EnvironmentView
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class JoinLinkView:
    """A join link; `code` is known only at the moment of its issue."""

    id: str
    code: str | None
    slug: str
    expires_at: datetime | None
    max_uses: int | None
    uses: int
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class JoinPageView:
    """What a person who opens a join link may know before using it; `owner_name` "" means the site."""

    environment: EnvironmentView
    is_member: bool
    owner_name: str


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """Everything the spawner needs for one start; nothing in it comes from the browser."""

    launch_id: str
    reference: str
    username: str
    person_id: str
    environment_id: str
    slug: str
    revision: int
    title: str
    image: str
    command: tuple[str, ...] | None
    environment: tuple[tuple[str, str], ...]
    interface: Interface
    resources: Resources
    home: Home
    home_volume: str | None
    idle: IdlePolicy
    language: str


@dataclass(frozen=True, slots=True)
class LaunchView:
    """One start of a server, as history; `failure` is set when FAILED, `end_reason` when ENDED."""

    id: str
    reference: str
    username: str
    environment: EnvironmentView
    state: LaunchState
    requested_at: datetime
    started_at: datetime | None
    ready_at: datetime | None
    ended_at: datetime | None
    failure: str | None
    end_reason: str | None
    failure_args: dict[str, Scalar]
    log_tail: str
    warned_at: datetime | None
    stops_at: datetime | None
    keep_until: datetime | None
    suffix: str

    @property
    def live(self) -> bool:
        """Whether this start has not come to an end, as far as we were told."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class EventView:
    """One thing that happened during a launch; the sentence is made from `code` and `args` by the reader."""

    id: int
    launch_id: str
    at: datetime
    step: str
    state: str
    code: str
    args: dict[str, Scalar]
    reference: str


@dataclass(frozen=True, slots=True)
class Running:
    """A server the Hub says is running; `last_activity` None means none was ever reported."""

    username: str
    slug: str
    last_activity: datetime | None
    started: datetime


@dataclass(frozen=True, slots=True)
class IdleVerdict:
    """What to do with one running server; `reason` is "idle", "max-duration" or "" when nothing ends it."""

    decision: Decision
    reason: str
    stops_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of the sweep on one running server."""

    username: str
    slug: str
    launch_id: str
    decision: Decision
    reason: str
    stops_at: datetime | None


@dataclass(frozen=True, slots=True)
class HomeView:
    """A person's home: the volume that holds it and the environments that see it."""

    id: str
    volume: str
    kind: HomeKind
    titles: tuple[Text, ...]
    last_used_at: datetime | None
    in_use: bool
    delete_after: datetime | None


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a person sees first: live launches, then the environments they may start."""

    launches: tuple[LaunchView, ...] = field(default=())
    memberships: tuple[EnvironmentView, ...] = field(default=())
