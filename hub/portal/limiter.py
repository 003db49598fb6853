"""Counts failures per source, so that guessing is slow and a class behind one address is not."""

from __future__ import annotations

from collections import OrderedDict, deque


class Limiter:
    """Refuses a source after `limit` failures within `window` seconds; successes cost nothing."""

    def __init__(self, limit: int, window: float, sources: int = 10_000) -> None:
        self._limit = limit
        self._window = window
        self._sources = sources
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, source: str, now: float) -> None:
        """Count one failure; the oldest sources are forgotten when there are too many."""
        self._failures.setdefault(source, deque(maxlen=self._limit)).append(now)
        self._failures.move_to_end(source)
        while len(self._failures) > self._sources:
            self._failures.popitem(last=False)

    def wait(self, source: str, now: float) -> float:
        """Seconds until the source may try again; 0 when it may now."""
        failures = self._failures.get(source)
        if not failures or len(failures) < self._limit:
            return 0
        return max(0.0, failures[0] + self._window - now)
