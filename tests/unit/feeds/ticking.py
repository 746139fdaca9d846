"""Messages of one symbol into the hot path, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.control.silence import Silence
from shared.feeds.ibkr.tick_rows import Reactions, TickRows
from shared.feeds.ibkr.tick_state import SymbolFeed, TickCounters
from shared.market.bar import Bar
from shared.market.nbbo import FieldValue
from shared.market.trade import Halt, Trade, TradeFeed
from shared.normalize.ibkr_ticks import TickParser

NOW_MS: Final = 1_381_152_600_900
BID: Final = b"1|6|7|1|585.33|18|0|"
ASK: Final = b"1|6|7|2|585.35|20|0|"
DELAYED: Final = b"58|1|7|3|"
VOLUME_PRINT: Final = b"46|6|7|48|585.34;100;1381152600123;12345;585.2;true|"
PRINT: Final = b"99|8|2|1381152600|585.34|100|0|ARCA| T I|"
BAR: Final = b"50|3|9|1381152600|585|586|584|585.5|1200|585.25|7|"


class Outlet:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.volumes: list[tuple[str, float, int]] = []
        self.quotes: list[tuple[Mapping[str, FieldValue] | None, int, bool]] = []

    def trade(self, trade: Trade, received_s: float) -> None:
        assert received_s == 101.5
        self.trades.append(trade)

    def volume(self, symbol: str, total: float, received_ts_ms: int) -> None:
        self.volumes.append((symbol, total, received_ts_ms))

    def quote(
        self, symbol: str, values: Mapping[str, FieldValue] | None, received_ts_ms: int, late: bool
    ) -> None:
        assert symbol == "SPY"
        self.quotes.append((values, received_ts_ms, late))


class Rig:
    """SPY with its line 7, its stream 8 and its bars 9; the slice began at 101.5 s."""

    def __init__(self, allow_delayed: bool = False) -> None:
        self.feed = SymbolFeed("SPY", Silence(30.0))
        self.outlet, self.counters = Outlet(), TickCounters()
        self.bars: list[Bar] = []
        self.halts: list[Halt] = []
        self.history: list[tuple[bytes, list[bytes]]] = []
        self.first: list[str] = []
        reactions = Reactions(self._bar, self.halts.append, self._first, self._history)
        outlet: Any = self.outlet
        self.rows = TickRows(
            outlet, reactions, self.counters, allow_delayed, TickParser(), _clock=lambda: 105.0
        )
        self.rows.lines[b"7"] = self.rows.streams[b"8"] = self.rows.bars[b"9"] = self.feed
        self.rows.now_s, self.rows.now_ms = 101.5, NOW_MS

    def _bar(self, feed: SymbolFeed, bar: Bar) -> None:
        assert feed is self.feed
        self.bars.append(bar)

    def _first(self, feed: SymbolFeed) -> None:
        feed.interrupted = None
        self.first.append(feed.symbol)

    def _history(self, raw_id: bytes, fields: list[bytes]) -> None:
        self.history.append((raw_id, fields))

    def slice(self, *frames: bytes) -> None:
        for frame in frames:
            fields = frame.split(b"|")
            self.rows.handlers[fields[0]](fields)
        self.rows.on_done()

    def published(self) -> list[object]:
        return [*self.outlet.trades, *self.outlet.volumes, *self.outlet.quotes]


def streaming(*feeds: TradeFeed) -> Rig:
    rig = Rig()
    for feed in feeds:
        rig.feed.splice.started(feed)
    return rig
