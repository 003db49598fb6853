"""The named steps of a start, in order: each is told once as running and once as done."""

from __future__ import annotations

from collections.abc import Callable

from spawners.task_state import Args

ORDER = ("requested", "queued", "placed", "software", "files", "starting", "opening", "ready")
# How far the Hub's own progress bar stands when a step begins, of 100.
PROGRESS = dict(zip(ORDER, (5, 10, 20, 35, 50, 60, 75, 95), strict=True))

Tell = Callable[[str, str, str, Args], None]


class Steps:
    """Tells each step of one start; going back is not a step."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._at = 0
        self._shown: tuple[str, Args] = ("", {})

    @property
    def current(self) -> str:
        """The step under way."""
        return ORDER[self._at]

    def advance(self, step: str) -> None:
        """What lies before `step` is done, `step` is under way."""
        to = ORDER.index(step)
        if to <= self._at:
            return
        for passed in ORDER[self._at : to]:
            self._tell(passed, "done", "", {})
        self._at, self._shown = to, ("", {})
        self._tell(step, "running", "", {})

    def explain(self, code: str, args: Args) -> None:
        """Say more about the step under way, such as the rank in the queue; the same is said once."""
        if self._shown != (code, args):
            self._shown = (code, args)
            self._tell(self.current, "running", code, args)

    def finish(self) -> None:
        """The interface answers; that it is ready, and where a start failed, the domain tells itself."""
        for passed in ORDER[self._at : -1]:
            self._tell(passed, "done", "", {})
        self._at = len(ORDER) - 1
