from __future__ import annotations

import datetime
from collections import deque
from typing import Final

from .plans import Allowance

__all__ = ["KeyLimits", "Limits"]

_MINUTE_S: Final = 60.0
_SECOND_S: Final = 1.0


class KeyLimits:
    """The sliding windows of one key: a call counts from its arrival until 60 s later."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._day: datetime.date | None = None
        self._calls_of_day = 0

    def refusal(self, allowance: Allowance, now_s: float, day: datetime.date) -> str | None:
        """Which limit a call at this time goes over."""
        if day != self._day:
            self._day = day
            self._calls_of_day = 0
        self._slide(now_s)
        if allowance.per_day is not None and self._calls_of_day >= allowance.per_day:
            return "daily"
        if allowance.per_second is not None and self._full(allowance.per_second, now_s):
            return "burst"
        if allowance.per_minute is not None and len(self._times) >= allowance.per_minute:
            return "minute"
        return None

    def count(self, now_s: float) -> None:
        self._slide(now_s)
        self._times.append(now_s)
        self._calls_of_day += 1

    def _slide(self, now_s: float) -> None:
        while self._times and self._times[0] <= now_s - _MINUTE_S:
            self._times.popleft()

    def _full(self, per_second: int, now_s: float) -> bool:
        if per_second == 0:
            return True
        return len(self._times) >= per_second and self._times[-per_second] > now_s - _SECOND_S


class Limits:
    def __init__(self, allowance: Allowance, enforced: bool, count_refused: bool) -> None:
        self.allowance = allowance
        self.enforced = enforced
        self.count_refused = count_refused
        self._keys: dict[str, KeyLimits] = {}

    def take(self, key: str, now_s: float, day: datetime.date) -> str | None:
        """None when the call is granted, else the limit it went over."""
        limits = self._keys.setdefault(key, KeyLimits())
        refusal = limits.refusal(self.allowance, now_s, day) if self.enforced else None
        if refusal is None or self.count_refused:
            limits.count(now_s)
        return refusal

    def forget(self) -> None:
        self._keys.clear()
