from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

__all__ = ["Timers"]


class Timers:
    """What is to be done later; the caller says what time it is."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, due_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (due_s, next(self._order), action))

    def run_due(self, now_s: float) -> None:
        while self._heap and self._heap[0][0] <= now_s:
            heapq.heappop(self._heap)[2]()
