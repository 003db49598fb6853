"""What a person sees while a command works: steps with their time, faults with a remedy."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hub.cli.host.messages import tr


class Failure(Exception):
    """The command cannot go on; says why, and what the person can do about it."""

    def __init__(self, reason: str, remedy: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy, self.detail = reason, remedy, detail


def say(text: str = "") -> None:
    """One line on standard output, at once even into a pipe."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[list[str]]:
    """Announce a step, then how long it took, with the notes that were appended to the yielded list."""
    notes: list[str] = []
    begun = time.monotonic()
    say(f"• {title}…")
    yield notes
    seconds = time.monotonic() - begun
    done = tr("{notes} ({seconds:.1f} s)", notes=", ".join(notes) or tr("done"), seconds=seconds)
    say(f"  ✓ {done}")


def explain(failure: Failure) -> None:
    """Print a failure on standard error: the reason, the last words of what failed, the remedy."""
    lines = [f"✗ {failure.reason}"]
    lines += [f"    {line}" for line in failure.detail.strip().splitlines()[-20:]]
    lines.append(f"  → {failure.remedy}")
    print("\n".join(lines), file=sys.stderr, flush=True)
