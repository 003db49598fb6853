"""The mapped classes; they never leave this package.

Rows are found by immutable ids. A launch is live while `ended_at` is empty: an index allows one live
launch per person and environment, so that two clicks at once cannot become two starts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    and_,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, mapped_column, relationship

from environments.names import new_id
from environments.values import HomeKind, LaunchState, Role, Scalar, Status

LIVE = text("ended_at IS NULL")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime; kept in UTC, because SQLite knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _enum(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda each: [str(one) for one in each])


class Base(DeclarativeBase):
    """All tables of the domain."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime,
        Role: _enum(Role),
        Status: _enum(Status),
        HomeKind: _enum(HomeKind),
        LaunchState: _enum(LaunchState),
        dict[str, Scalar]: JSON,
    }


class Person(Base):
    """Somebody known here, however they sign in."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(12), primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(default=Role.STUDENT)
    language: Mapped[str] = mapped_column(String(8), default="")
    created_at: Mapped[datetime]
    account: Mapped[Account | None] = relationship(back_populates="person", lazy="joined")


class Account(Base):
    """The local password of a person; people who sign in elsewhere have none."""

    __tablename__ = "accounts"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    must_change: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[str] = mapped_column(String(64), default="")
    last_login_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship(back_populates="account", lazy="joined", innerjoin=True)


class Revision(Base):
    """One accepted state of an environment: the text its author wrote, and the same in canonical JSON."""

    __tablename__ = "revisions"

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(Text)
    spec: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500), default="")


class Environment(Base):
    """What a teacher defines; without an owner it belongs to the site."""

    __tablename__ = "environments"

    id: Mapped[str] = mapped_column(String(12), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(30), unique=True)
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    status: Mapped[Status]
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    owner: Mapped[Person | None] = relationship(lazy="joined")
    current: Mapped[Revision] = relationship(
        primaryjoin=lambda: and_(
            Environment.id == foreign(Revision.environment_id),
            Environment.revision == foreign(Revision.number),
        ),
        lazy="joined",
        innerjoin=True,
        uselist=False,
        viewonly=True,
    )


class JoinLink(Base):
    """A way in; its code is kept only as a hash."""

    __tablename__ = "join_links"

    id: Mapped[str] = mapped_column(String(12), primary_key=True, default=new_id)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    max_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    revoked_at: Mapped[datetime | None]
    environment: Mapped[Environment] = relationship(lazy="joined", innerjoin=True)


class Member(Base):
    """A person in an environment."""

    __tablename__ = "members"

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    link_id: Mapped[str | None] = mapped_column(ForeignKey("join_links.id"))
    joined_at: Mapped[datetime]


class HomeRow(Base):
    """A person's files: for one environment, or (no environment) for all that ask for the personal home."""

    __tablename__ = "homes"
    __table_args__ = (
        Index(
            "uq_homes_environment",
            "person_id",
            "environment_id",
            unique=True,
            sqlite_where=text("environment_id IS NOT NULL"),
            postgresql_where=text("environment_id IS NOT NULL"),
        ),
        Index(
            "uq_homes_personal",
            "person_id",
            unique=True,
            sqlite_where=text("environment_id IS NULL"),
            postgresql_where=text("environment_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True, default=new_id)
    volume: Mapped[str] = mapped_column(String(128), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    environment_id: Mapped[str | None] = mapped_column(ForeignKey("environments.id"))
    kind: Mapped[HomeKind]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    delete_after: Mapped[datetime | None] = mapped_column(index=True)
    environment: Mapped[Environment | None] = relationship(lazy="joined")


class Launch(Base):
    """One start of a server. It keeps the policy it began under: an edit changes no running server."""

    __tablename__ = "launches"
    __table_args__ = (
        Index(
            "uq_launches_live",
            "person_id",
            "environment_id",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index("ix_launches_latest", "person_id", "environment_id", "requested_at"),
        Index("ix_launches_usual", "environment_id", "ready_at"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True, default=new_id)
    reference: Mapped[str] = mapped_column(String(9), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    home_id: Mapped[str | None] = mapped_column(ForeignKey("homes.id", ondelete="SET NULL"), index=True)
    revision: Mapped[int]
    state: Mapped[LaunchState]
    suffix: Mapped[str] = mapped_column(String(2000), default="")
    language: Mapped[str] = mapped_column(String(8), default="")
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(40), default="")
    reason_args: Mapped[dict[str, Scalar]] = mapped_column(default=dict)
    log_tail: Mapped[str] = mapped_column(Text, default="")
    # Seconds; empty where the policy sets no limit.
    idle_timeout: Mapped[int | None]
    max_duration: Mapped[int | None]
    warning: Mapped[int] = mapped_column(default=0)
    warned_at: Mapped[datetime | None]
    stops_at: Mapped[datetime | None]
    keep_until: Mapped[datetime | None]
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    environment: Mapped[Environment] = relationship(lazy="joined", innerjoin=True)


class LaunchEvent(Base):
    """One step of a launch; ids grow and are never given again, so that a reader can resume after one."""

    __tablename__ = "launch_events"
    __table_args__: Any = (
        Index("ix_launch_events_stream", "launch_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    launch_id: Mapped[str] = mapped_column(ForeignKey("launches.id"))
    at: Mapped[datetime]
    step: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(40), default="")
    args: Mapped[dict[str, Scalar]] = mapped_column(default=dict)
