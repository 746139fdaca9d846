from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["HISTORY_WINDOW_S", "HistoryPacing", "Pace"]

# Limits of ibkr.md section 4.
HISTORY_WINDOW_S: Final = 600.0
_REQUESTS_MAX: Final = 60
_IDENTICAL_S: Final = 15.0
_BURST_S: Final = 2.0
_BURST_MAX: Final = 5


class Pace:
    """At most so many within a window; what was refused is not counted."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._times: deque[float] = deque()

    def full(self, now_s: float) -> bool:
        while self._times and self._times[0] <= now_s - self._window_s:
            self._times.popleft()
        return len(self._times) >= self._limit

    def count(self, now_s: float) -> None:
        self._times.append(now_s)


class HistoryPacing:
    """Historical requests of all clients: 60 in 10 minutes for small bars and ticks, the same
    one not within 15 s, fewer than 6 in 2 s for one contract, exchange and type."""

    def __init__(self) -> None:
        self._small = Pace(_REQUESTS_MAX, HISTORY_WINDOW_S)
        self._bursts: dict[tuple[object, ...], Pace] = {}
        self._asked_s: dict[tuple[object, ...], float] = {}

    def violated(
        self,
        identity: tuple[object, ...],
        contract: tuple[object, ...],
        now_s: float,
        small: bool = True,
    ) -> bool:
        """Whether it comes too early; if not, it is counted."""
        self._forget(now_s)
        burst = self._bursts.setdefault(contract, Pace(_BURST_MAX, _BURST_S))
        if identity in self._asked_s or burst.full(now_s) or (small and self._small.full(now_s)):
            return True
        self._asked_s[identity] = now_s
        burst.count(now_s)
        if small:
            self._small.count(now_s)
        return False

    def _forget(self, now_s: float) -> None:
        old = [key for key, at_s in self._asked_s.items() if at_s <= now_s - _IDENTICAL_S]
        for key in old:
            del self._asked_s[key]
