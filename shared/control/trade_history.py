"""Prints of an outage, fetched back: which of them were published already. Pure.

History tells whole seconds, so the seconds in which an outage began and ended are told in full, and
the prints of theirs that came live are left out by price, size and second. A sum of several prints
(RTVolume) is not recognised there: such a second may be told twice in part.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from shared.market.trade import Trade

# Prints remembered per symbol, and for how long: the seconds around an outage's ends.
KEPT_PRINTS: Final = 20_000
KEPT_S: Final = 600.0

_Key = tuple[int, float, float]


class PublishedPrints:
    """One symbol's prints that went out lately."""

    def __init__(self) -> None:
        self._prints: deque[tuple[float, _Key]] = deque(maxlen=KEPT_PRINTS)

    def add(self, trade: Trade, now_s: float) -> None:
        prints = self._prints
        prints.append((now_s, _key(trade)))
        while prints[0][0] < now_s - KEPT_S:
            prints.popleft()

    def missing(self, history: Iterable[Trade]) -> list[Trade]:
        """Those of `history` that did not go out; each print that did answers for one."""
        published = Counter(key for _, key in self._prints)
        found: list[Trade] = []
        for trade in history:
            key = _key(trade)
            if published[key] > 0:
                published[key] -= 1
            else:
                found.append(trade)
        return found


def _key(trade: Trade) -> _Key:
    return trade.ts_ms // 1000, trade.price, trade.size
