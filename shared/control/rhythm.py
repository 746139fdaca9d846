"""How long a symbol usually pauses: a quiet one is not a dead one."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

NameT = TypeVar("NameT", bound=Hashable)

_PAUSES_KEPT: Final = 100
# Fewer say too little about how long the next one may be.
_PAUSES_NEEDED: Final = 30
_LONGEST_BUDGET_S: Final = 7_200.0
_MOST_GROWTH: Final = 2.0


class Rhythm(Generic[NameT]):
    """The longest of the last hundred pauses, times a factor, is how long silence means nothing.

    With random (exponential) pauses the longest of a hundred is some five times their mean, that of
    thirty four times: four times it is passed by chance once in ten million. Of a pause that is far
    longer than any before, a fault more likely than a habit, twice the longest is learned: a feed
    that comes and goes is not excused by its own outages.
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._last: dict[NameT, int] = {}
        self._pauses: dict[NameT, deque[float]] = {}

    def seen(self, name: NameT, at_ms: int, from_ms: int) -> None:
        """The newest came at `at_ms`; a pause that began before `from_ms` (the open, an outage)
        is none of the symbol's own."""
        last = self._last.get(name)
        if last is not None and at_ms <= last:
            return
        self._last[name] = at_ms
        if last is not None and last >= from_ms:
            pauses = self._pauses.setdefault(name, deque(maxlen=_PAUSES_KEPT))
            known = len(pauses) >= _PAUSES_NEEDED
            most_s = _MOST_GROWTH * max(pauses) if known else _LONGEST_BUDGET_S
            pauses.append(min((at_ms - last) / 1000, most_s))

    def budget_s(self, name: NameT, least_s: float) -> float | None:
        """How long silence of this name means nothing, at least `least_s`; None: not known yet."""
        pauses = self._pauses.get(name, ())
        if len(pauses) < _PAUSES_NEEDED:
            return None
        return max(least_s, min(max(pauses) * self._factor, _LONGEST_BUDGET_S))


class Owed(Generic[NameT]):
    """Since when one thing proves that another should have come, and it has not."""

    def __init__(self) -> None:
        self._since: dict[NameT, int] = {}

    def since_ms(self, name: NameT, proof_ms: int, done_ms: int) -> int | None:
        """`proof_ms`: the newest proof; `done_ms`: up to when nothing is owed; None when so."""
        since_ms = self._since.get(name)
        if proof_ms <= done_ms:
            self._since.pop(name, None)
            return None
        if since_ms is None or since_ms <= done_ms:
            self._since[name] = since_ms = proof_ms
        return since_ms
