from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["BAR_S", "WHATS", "Bar", "BarSeries", "bar_start_s", "merged"]

BAR_S: Final = 5
# What a bar may be made of.
WHATS: Final = ("TRADES", "MIDPOINT", "BID", "ASK")


class Bar(NamedTuple):
    # Unix seconds of its start.
    start_s: int
    open_e4: int
    high_e4: int
    low_e4: int
    close_e4: int
    # Volume and trades are -1 where the bar is not made of trades.
    volume: float
    value_e4: float
    trades: int

    @property
    def wap_text(self) -> str:
        if self.volume > 0:
            return f"{self.value_e4 / self.volume / 10_000:.6f}"
        return "-1" if self.volume < 0 else "0"

    def joined(self, later: Bar) -> Bar:
        traded = self.volume >= 0
        return Bar(
            self.start_s,
            self.open_e4,
            max(self.high_e4, later.high_e4),
            min(self.low_e4, later.low_e4),
            later.close_e4,
            self.volume + later.volume if traded else -1,
            self.value_e4 + later.value_e4,
            self.trades + later.trades if traded else -1,
        )


def bar_start_s(epoch_s: int, size_s: int = BAR_S) -> int:
    """Bars stand on wall-clock boundaries."""
    return epoch_s - epoch_s % size_s


def merged(bars: Iterable[Bar], size_s: int) -> list[Bar]:
    """Bars of another size out of 5-second ones, which must be in order."""
    out: list[Bar] = []
    for bar in bars:
        start_s = bar_start_s(bar.start_s, size_s)
        if out and out[-1].start_s == start_s:
            out[-1] = out[-1].joined(bar)
        else:
            out.append(bar._replace(start_s=start_s))
    return out


class BarSeries:
    """The 5-second bars of one symbol and kind; what has not traded has no bar."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._open: list[Bar] = []
        self._closed: list[Bar] = []

    def add(self, ms: int, price_e4: int, size: float | None) -> None:
        """One price; size None = not a trade."""
        start_s = bar_start_s(ms // 1000)
        traded = size is not None
        volume: float = size if size is not None else -1
        value_e4 = volume * price_e4 if traded else 0
        step = Bar(start_s, *(price_e4,) * 4, volume, value_e4, 1 if traded else -1)
        if self._open and self._open[-1].start_s == start_s:
            self._open[-1] = self._open[-1].joined(step)
        else:
            self._open.append(step)

    def put(self, bars: Iterable[Bar]) -> None:
        """Finished bars from elsewhere, later than all there are."""
        self._closed += bars
        self._trim()

    def settle(self, until_s: float) -> None:
        """Closes the bars that ended by then."""
        while self._open and self._open[0].start_s + BAR_S <= until_s:
            self._closed.append(self._open.pop(0))
            self._trim()

    def closed_since(self, start_s: float) -> list[Bar]:
        closed = self._closed
        if not closed or closed[-1].start_s < start_s:
            return []
        return closed[bisect_left(closed, start_s, key=_start) :]

    def between(self, begin_s: float, end_s: float) -> list[Bar]:
        """Closed and unfinished bars that start in [begin, end)."""
        bars = (*self.closed_since(begin_s), *self._open)
        return [bar for bar in bars if begin_s <= bar.start_s < end_s]

    def newest(self, count: int) -> list[Bar]:
        return self._closed[-count:] if count else []

    def replace(self, bar: Bar) -> bool:
        at = bisect_left(self._closed, bar.start_s, key=_start)
        if at == len(self._closed) or self._closed[at].start_s != bar.start_s:
            return False
        self._closed[at] = bar
        return True

    def _trim(self) -> None:
        if len(self._closed) > 2 * self._keep:
            del self._closed[: -self._keep]


def _start(bar: Bar) -> int:
    return bar.start_s
