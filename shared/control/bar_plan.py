"""When a symbol's real-time bars are to be asked for (again). Pure, monotonic seconds.

Every request counts against the account's pacing, so one that ends is asked for again ever more
slowly until bars come, and all of them wait when the vendor says that it was too many (420).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.control.pacing import Pacing

FIRST_WAIT_S: Final = 1.0
MAX_WAIT_S: Final = 60.0
# One or two windows of the vendor's ten-minute count must be left to end.
PACING_WAIT_S: Final = 60.0


@dataclass(slots=True)
class BarPlan:
    pacing: Pacing = field(default_factory=lambda: Pacing(60, 600.0))
    live: set[str] = field(default_factory=set)
    _retry_at_s: dict[str, float] = field(default_factory=dict)
    _wait_s: dict[str, float] = field(default_factory=dict)

    def decide(self, wanted: Iterable[str], now_s: float, at_most: int) -> list[str]:
        """Symbols to be asked for now, in the order of `wanted`; they count as live."""
        free = min(at_most, self.pacing.free(now_s))
        ready = [
            symbol
            for symbol in wanted
            if symbol not in self.live and self._retry_at_s.get(symbol, now_s) <= now_s
        ][: max(0, free)]
        for symbol in ready:
            self.live.add(symbol)
            self.pacing.sent(now_s)
        return ready

    def waiting(self, wanted: Iterable[str], now_s: float) -> list[str]:
        """Symbols that pacing alone holds back."""
        if self.pacing.free(now_s) > 0:
            return []
        return [s for s in wanted if s not in self.live and self._retry_at_s.get(s, now_s) <= now_s]

    def heard(self, symbol: str) -> None:
        """A bar came: the request works."""
        self._wait_s.pop(symbol, None)

    def ended(self, symbol: str, now_s: float, wait_s: float | None = None) -> float:
        """Its request is gone; asked for again after `wait_s`, else ever more slowly."""
        self.live.discard(symbol)
        if wait_s is None:
            wait_s = self._wait_s.get(symbol, FIRST_WAIT_S)
            self._wait_s[symbol] = min(MAX_WAIT_S, wait_s * 2)
        self._retry_at_s[symbol] = now_s + wait_s
        return wait_s

    def at_once(self, symbol: str) -> None:
        """What made it fail is over."""
        self.live.discard(symbol)
        self._retry_at_s.pop(symbol, None)
        self._wait_s.pop(symbol, None)

    def too_many(self, symbol: str, now_s: float) -> None:
        """420, pacing."""
        self.ended(symbol, now_s, 0.0)
        self.pacing.refused(now_s, PACING_WAIT_S)

    def disconnected(self) -> None:
        self.live.clear()
        self._retry_at_s.clear()
