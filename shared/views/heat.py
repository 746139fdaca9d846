"""Ten minutes of books, a column a second, and how much comes of each symbol. Pure.

The streams of depth are shorter than that at full rate, so what is seen each second is kept here,
as the bytes that are sent: a symbol's ten minutes are some 300 kB.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from shared.store.dashboard_reader import MarketSample, Print, SymbolSample
from shared.views.words import milliseconds, number

COLUMNS: Final = 600
# Points of a rate's line, one a second.
RATES: Final = 60
# A column holds no more prices than these at which something traded: the largest.
_PRINTS: Final = 20


class Heat:
    """Columns of one symbol, oldest first, at most `COLUMNS`."""

    def __init__(self) -> None:
        self._columns: deque[tuple[int, bytes]] = deque(maxlen=COLUMNS)
        self._seen: int | None = None

    def add(self, at_s: int, sample: SymbolSample) -> None:
        """What holds in the second `at_s`; a second that was seen already is left as it is."""
        if self._columns and at_s <= self._columns[-1][0]:
            return
        prints = self._new(sample.trades)
        raw = orjson.dumps(column(at_s, sample, prints))
        # A copy of just its size: the bytes that orjson gives hold on to several times as much.
        self._columns.append((at_s, memoryview(raw).tobytes()))

    def columns(self, after_s: int = 0) -> list[orjson.Fragment]:
        return [orjson.Fragment(raw) for at_s, raw in self._columns if at_s > after_s]

    def newest(self, count: int) -> list[orjson.Fragment]:
        found = list(self._columns)[-count:]
        return [orjson.Fragment(raw) for _, raw in found]

    def _new(self, trades: Sequence[Print]) -> list[Print]:
        """Those since the last look; at the first look nothing is new."""
        newest = max((one.seq for one in trades), default=self._seen)
        before, self._seen = self._seen, newest
        return [] if before is None else [one for one in trades if one.seq > before]


def column(at_s: int, sample: SymbolSample, prints: Iterable[Print]) -> dict[str, Any]:
    """`b`, `a`: [price, shares] of the bids and asks while depth is live; `x`: what traded."""
    book = sample.book if sample.live and sample.book is not None else {}
    traded: dict[float, float] = {}
    for one in prints:
        traded[one.price] = traded.get(one.price, 0.0) + one.size
    largest = sorted(traded.items(), key=lambda pair: -pair[1])[:_PRINTS]
    found: dict[str, Any] = {"t": at_s, "b": _side(book.get("bids")), "a": _side(book.get("asks"))}
    return {**found, "x": sorted(largest)} if largest else found


def _side(rows: Any) -> list[list[float]]:
    found = []
    for row in rows if isinstance(rows, list) else ():
        price = number(row[0]) if isinstance(row, list) and len(row) == 3 else None
        if price is not None:
            found.append([price, number(row[1]) or 0.0])
    return found


class Pulse:
    """Depth updates and trades a second of each symbol, over the last minute."""

    def __init__(self) -> None:
        self._last: tuple[int, dict[str, tuple[int, int]]] | None = None
        self._lines: dict[str, tuple[deque[float], deque[float]]] = {}

    def add(self, sample: MarketSample) -> None:
        now = {
            symbol: (one.updates, sample.numbers.get(symbol, 0))
            for symbol, one in sample.symbols.items()
        }
        if self._last is not None and sample.now_ms > self._last[0]:
            span_s = (sample.now_ms - self._last[0]) / 1000
            for symbol, counts in now.items():
                self._point(symbol, self._last[1].get(symbol, counts), counts, span_s)
        self._last = sample.now_ms, now

    def lines(self) -> dict[str, dict[str, list[float]]]:
        return {
            symbol: {"depth": list(depth), "trades": list(trades)}
            for symbol, (depth, trades) in self._lines.items()
        }

    def _point(
        self, symbol: str, before: tuple[int, int], now: tuple[int, int], span_s: float
    ) -> None:
        empty: tuple[deque[float], deque[float]] = (deque(maxlen=RATES), deque(maxlen=RATES))
        lines = self._lines.setdefault(symbol, empty)
        for line, first, last in zip(lines, before, now, strict=True):
            line.append(round(max(0, last - first) / span_s, 1))


def bands(gaps: Iterable[Mapping[str, str]], symbol: str, since_ms: int) -> list[dict[str, Any]]:
    """Losses of a symbol's depth that reach into the time since then."""
    found = []
    for one in gaps:
        to_ms = milliseconds(one.get("to_ts")) or 0
        ours = one.get("feed") == "depth" and one.get("symbol") in (symbol, "")
        if ours and to_ms >= since_ms:
            from_ms = milliseconds(one.get("from_ts")) or to_ms
            found.append({"from_ms": from_ms, "to_ms": to_ms, "why": one.get("reason", "")})
    return found
