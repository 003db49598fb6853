"""From mapped rows to the frozen values that leave the domain."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from environments.models import Account, Environment, HomeRow, JoinLink, Launch, LaunchEvent, Person
from environments.spec import DescriptionText, EnvironmentSpec, TitleText
from environments.values import (
    EnvironmentView,
    EventView,
    Home,
    HomeKind,
    HomeView,
    IdlePolicy,
    Interface,
    JoinLinkView,
    LaunchState,
    LaunchView,
    PersonView,
    Resources,
    Text,
    Window,
)


@lru_cache(maxsize=512)
def spec_of(canonical: str) -> EnvironmentSpec:
    """The specification of a revision; kept, because every page reads the same few."""
    return EnvironmentSpec.model_validate_json(canonical)


def text_of(text: TitleText | DescriptionText) -> Text:
    """A bilingual text with both sides filled."""
    return Text(fr=text.in_language("fr"), en=text.in_language("en"))


def resources_of(spec: EnvironmentSpec) -> Resources:
    """Limits and reservations, none left out."""
    asked = spec.resources
    return Resources(
        cpu_limit=asked.cpu,
        cpu_reservation=asked.reserved_cpu,
        memory_limit=asked.memory,
        memory_reservation=asked.reserved_memory,
        pids_limit=asked.pids,
        shm_size=asked.shm,
    )


def home_of(spec: EnvironmentSpec) -> Home:
    """The home; no path where there is none."""
    kind = spec.home.kind
    return Home(kind, "" if kind is HomeKind.NONE else spec.home.path)


def idle_of(spec: EnvironmentSpec) -> IdlePolicy:
    """The idle policy; no warning is one of no length."""
    return IdlePolicy(spec.idle.timeout, spec.idle.max_duration, spec.idle.warning or timedelta(0))


def window_of(spec: EnvironmentSpec) -> Window:
    """The opening period."""
    return Window(spec.opening.opens_at, spec.opening.closes_at)


def interface_of(spec: EnvironmentSpec) -> Interface:
    """What opens."""
    return Interface(spec.interface.kind, spec.interface.port, spec.interface.path)


def environment_view(row: Environment) -> EnvironmentView:
    """The environment at its current revision."""
    spec = spec_of(row.current.spec)
    return EnvironmentView(
        id=row.id,
        slug=row.slug,
        title=text_of(spec.title),
        description=text_of(spec.description),
        owner=row.owner.username if row.owner else "",
        status=row.status,
        image=spec.image,
        interface=interface_of(spec),
        resources=resources_of(spec),
        home=home_of(spec),
        idle=idle_of(spec),
        window=window_of(spec),
        revision=row.revision,
    )


def person_view(row: Person) -> PersonView:
    """The person, with what the account says; without an account nothing is held against them."""
    account = row.account or Account(disabled=False, must_change=False)
    return PersonView(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=row.role,
        language=row.language,
        disabled=account.disabled,
        must_change_password=account.must_change,
        locked_until=account.locked_until,
        last_login_at=account.last_login_at,
    )


def link_view(row: JoinLink, code: str | None = None) -> JoinLinkView:
    """The link; its code only for who has just issued it."""
    return JoinLinkView(
        row.id, code, row.environment.slug, row.expires_at, row.max_uses, row.uses, row.revoked_at
    )


def launch_view(row: Launch) -> LaunchView:
    """The launch, with its environment as it is now."""
    return LaunchView(
        id=row.id,
        reference=row.reference,
        username=row.person.username,
        environment=environment_view(row.environment),
        state=row.state,
        requested_at=row.requested_at,
        started_at=row.started_at,
        ready_at=row.ready_at,
        ended_at=row.ended_at,
        failure=row.reason if row.state is LaunchState.FAILED else None,
        end_reason=row.reason if row.state is LaunchState.ENDED else None,
        failure_args=dict(row.reason_args),
        log_tail=row.log_tail,
        warned_at=row.warned_at,
        stops_at=row.stops_at,
        keep_until=row.keep_until,
        suffix=row.suffix,
    )


def event_view(row: LaunchEvent, reference: str) -> EventView:
    """The event, with the reference of its launch."""
    return EventView(row.id, row.launch_id, row.at, row.step, row.state, row.code, dict(row.args), reference)


def home_view(row: HomeRow, titles: tuple[Text, ...], in_use: bool) -> HomeView:
    """The home, with the titles of the environments that see it."""
    return HomeView(row.id, row.volume, row.kind, titles, row.last_used_at, in_use, row.delete_after)
