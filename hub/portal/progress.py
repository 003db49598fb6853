"""From recorded events to what the start page shows: steps, words, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from environments import EventView, LaunchState, LaunchView, Scalar
from hub.i18n import N_, Words
from hub.portal import texts

# What the spawner explains about the step under way, by the code of the event.
NOTES = {
    "rank": N_("number %(rank)s in the queue"),
    "home-closing": N_("your last server is still putting your files away"),
    "capacity": N_("no room yet; the first place that comes free is yours"),
}
NO_TITLES: Mapping[str, str] = MappingProxyType({})
UNHEARD = N_("the platform is slow to answer; your request is kept")
UNHEARD_AFTER = 3.0  # seconds
LATE = 1.5  # times the usual length
LATE_UNKNOWN = 30.0  # seconds, where no usual length is known


@dataclass(frozen=True)
class StepLine:
    """One line of the list: its state is todo, running, done or failed."""

    name: str
    title: str
    state: str
    note: str
    seconds: float | None


@dataclass(frozen=True)
class Panel:
    """The state of one launch as a page shows it."""

    state: str
    steps: tuple[StepLine, ...]
    headline: str
    elapsed: float
    usual: float | None
    late_after: float
    last_id: int
    failure: texts.Text | None
    reason: str  # the failure's stable word (docs/reasons.md), empty while nothing failed
    sentence: str

    @property
    def done(self) -> int:
        """How many steps are behind us."""
        return sum(step.state == "done" for step in self.steps)


def build(
    launch: LaunchView,
    events: Sequence[EventView],
    usual: float | None,
    words: Words,
    now: datetime,
    titles: Mapping[str, str] = NO_TITLES,
) -> Panel:
    """The panel after these events; a final state is the launch's own.

    `titles` are those of the person's environments by slug, for the failures that name another one.
    """
    state = _state(launch)
    steps = _steps(events, state, words)
    age = (now - launch.requested_at).total_seconds()
    unheard = launch.state is LaunchState.REQUESTED and age > UNHEARD_AFTER
    failure = (
        texts.FAILURES.get(launch.failure or "", texts.FAILURES["internal"]) if state == "failed" else None
    )
    return Panel(
        state=state,
        steps=steps,
        headline=_headline(state, steps, failure, words, unheard),
        elapsed=max(0.0, ((launch.ready_at or launch.ended_at or now) - launch.requested_at).total_seconds()),
        usual=usual,
        late_after=max(10.0, usual * LATE) if usual else LATE_UNKNOWN,
        last_id=events[-1].id if events else 0,
        failure=failure,
        reason=(launch.failure or "internal") if failure else "",
        sentence=_sentence(launch, failure, words, titles),
    )


def _state(launch: LaunchView) -> str:
    if launch.state in {LaunchState.REQUESTED, LaunchState.STARTING}:
        return "starting"
    return str(launch.state)


def _steps(events: Sequence[EventView], state: str, words: Words) -> tuple[StepLine, ...]:
    names = list(texts.STEPS)
    latest = {event.step: event for event in events}
    begun = [event.step for event in events if event.step in texts.STEPS]
    current = max((names.index(name) for name in begun), default=0)
    if state == "starting" and begun and latest[names[current]].state == "done":
        current = min(current + 1, len(names) - 1)  # nobody has said so yet, but that is what comes next
    return tuple(
        StepLine(
            name=name,
            title=words.say(title),
            state=_step_state(index, current, state),
            note=_note(latest.get(name), words),
            seconds=_length(name, events),
        )
        for index, (name, title) in enumerate(texts.STEPS.items())
    )


def _step_state(index: int, current: int, state: str) -> str:
    if index < current or state in {"ready", "ended"}:
        return "done"
    if index > current:
        return "todo"
    return "failed" if state == "failed" else "running"


def _note(event: EventView | None, words: Words) -> str:
    return words.say(NOTES.get(event.code, ""), event.args) if event else ""


def _length(name: str, events: Sequence[EventView]) -> float | None:
    own = [event for event in events if event.step == name]
    after = [event for event in events if own and event.id > own[-1].id]
    if not own or not (after or own[-1].state == "done"):
        return None
    end = own[-1].at if own[-1].state == "done" else after[0].at
    return (end - own[0].at).total_seconds()


def _headline(
    state: str, steps: Sequence[StepLine], failure: texts.Text | None, words: Words, unheard: bool
) -> str:
    if failure is not None:
        return words.say(failure.title)
    if state == "ready":
        return words.say(N_("Ready"))
    if state == "ended":
        return words.say(N_("Stopped"))
    running = next((step for step in steps if step.state == "running"), steps[-1])
    note = words.say(UNHEARD) if unheard else running.note
    return f"{running.title} – {note}" if note else running.title


def _sentence(launch: LaunchView, failure: texts.Text | None, words: Words, titles: Mapping[str, str]) -> str:
    if failure is not None:
        return failure.say(words, {name: _said(name, value, words) for name, value in _facts(launch, titles)})
    if launch.state is LaunchState.ENDED:
        return words.say(texts.ENDS.get(launch.end_reason or "", N_("It is no longer running.")))
    return ""


def _facts(launch: LaunchView, titles: Mapping[str, str]) -> Iterator[tuple[str, Scalar]]:
    yield from launch.failure_args.items()
    busy_with = str(launch.failure_args.get("environment", ""))
    if busy_with in titles:
        yield "title", titles[busy_with]


def _said(name: str, value: Scalar, words: Words) -> object:
    if name == "memory" and isinstance(value, (int, float)):
        return words.size(value, 1024)
    if name.endswith("_at") and isinstance(value, str) and value:
        return words.date_and_hour(datetime.fromisoformat(value))
    return value
