"""The hot path: a tick, a print or a bar of the wire in, what it changes out.

Messages 99 (tick-by-tick) are read here and not by ib_async, which drops the second in which IB
says that a print happened; and so are 1, 2, 45, 46, 58, 81 (lines) and 50 (bars).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shared.control.trade_history import PublishedPrints
from shared.errors import BadRow
from shared.feeds.ibkr.tick_outlet import TickOutlet
from shared.feeds.ibkr.tick_state import SymbolFeed, TickCounters
from shared.market.bar import Bar
from shared.market.quote import Tick
from shared.market.trade import Halt, Trade
from shared.normalize.ibkr_bars import MSG_HISTORICAL_DATA, MSG_REAL_TIME_BAR, real_time_bar
from shared.normalize.ibkr_history import MSG_HISTORICAL_TICKS
from shared.normalize.ibkr_ticks import (
    MSG_TICK_BY_TICK,
    MSG_TICK_GENERIC,
    MSG_TICK_PRICE,
    MSG_TICK_SIZE,
    MSG_TICK_STRING,
    RtVolume,
    TickParser,
)
from shared.normalize.ibkr_values import check_not_ahead, digits

MSG_DATA_TYPE: Final = b"58"
MSG_TICK_REQ_PARAMS: Final = b"81"

Frame = list[bytes]


@dataclass(slots=True)
class Reactions:
    """What the feed does with what is not published at once."""

    bar: Callable[[SymbolFeed, Bar], None]
    halt: Callable[[Halt], None]
    first_tick: Callable[[SymbolFeed], None]
    # The answers of history, by the request id and the frame.
    history: Callable[[bytes, Frame], None]


@dataclass(slots=True)
class TickRows:
    """Open requests of one connection generation, by request id as it stands on the wire."""

    outlet: TickOutlet
    reactions: Reactions
    counters: TickCounters
    allow_delayed: bool
    parser: TickParser
    # Prints that went out lately, where those of an outage are to be fetched back.
    published: dict[str, PublishedPrints] | None = None
    lines: dict[bytes, SymbolFeed] = field(default_factory=dict)
    streams: dict[bytes, SymbolFeed] = field(default_factory=dict)
    bars: dict[bytes, SymbolFeed] = field(default_factory=dict)
    now_s: float = 0.0
    now_ms: int = 0
    _quoted: set[SymbolFeed] = field(default_factory=set)
    _traded: set[SymbolFeed] = field(default_factory=set)
    _clock: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)

    @property
    def handlers(self) -> dict[bytes, Callable[[Frame], None]]:
        return {
            MSG_TICK_PRICE: self.on_line,
            MSG_TICK_SIZE: self.on_line,
            MSG_TICK_GENERIC: self.on_line,
            MSG_TICK_STRING: self.on_line,
            MSG_DATA_TYPE: self.on_data_type,
            MSG_TICK_REQ_PARAMS: self.on_params,
            MSG_TICK_BY_TICK: self.on_print,
            MSG_REAL_TIME_BAR: self.on_bar,
            MSG_HISTORICAL_DATA: self.on_history,
            MSG_HISTORICAL_TICKS: self.on_history,
        }

    def on_slice(self) -> None:
        """What is handled together shares its receive time."""
        self.now_s = self._clock()
        self.now_ms = time.time_ns() // 1_000_000

    def on_done(self) -> None:
        """Publish the quotes and volumes of the symbols that were spoken of."""
        for feed in self._quoted:
            quote = feed.quote
            values = quote.quote_fields(self.allow_delayed)
            self.outlet.quote(feed.symbol, values, quote.received_ts_ms, quote.delayed)
        self._quoted.clear()
        for feed in self._traded:
            volume = feed.quote.volume
            if volume is not None and volume != feed.volume:
                feed.volume = volume
                self.outlet.volume(feed.symbol, volume, self.now_ms)
        self._traded.clear()

    # Frames

    def on_line(self, fields: Frame) -> None:
        feed = self.lines.get(fields[2]) if len(fields) > 2 else None
        if feed is None:
            self.counters.stragglers += 1
            return
        feed.heard_s, feed.heard_ms = self.now_s, self.now_ms
        self.counters.messages += 1
        if feed.interrupted is not None:
            self.reactions.first_tick(feed)
        try:
            tick = self.parser.line(fields, feed.symbol, self.now_ms)
        except BadRow:
            self._unreadable(feed, "trades" if fields[3:4] == [b"48"] else "")
            return
        if tick is None:
            return
        quote = feed.quote
        if type(tick) is Tick:
            changed = quote.apply(tick, self.now_ms)
            if changed or quote.received_ts_ms == self.now_ms or quote.delayed:
                self._quoted.add(feed)
        elif isinstance(tick, RtVolume):
            if tick.total is not None and not quote.delayed:
                quote.volume = tick.total
                self._traded.add(feed)
            if tick.trade is not None and not quote.delayed:
                self._take(feed, tick.trade, not tick.single)

    def on_data_type(self, fields: Frame) -> None:
        feed = self.lines.get(fields[2]) if len(fields) > 3 else None
        if feed is None:
            return
        try:
            feed.quote.data_type(digits(fields[3], "market data type", 2))
        except BadRow:
            self._unreadable(feed, "")
            return
        self._quoted.add(feed)

    def on_params(self, fields: Frame) -> None:
        """81 tells the smallest price step and the venues' code table: nothing of use here."""
        self.counters.messages += 1

    def on_print(self, fields: Frame) -> None:
        feed = self.streams.get(fields[1]) if len(fields) > 1 else None
        if feed is None:
            self.counters.stragglers += 1
            return
        feed.heard_s, feed.heard_ms = self.now_s, self.now_ms
        self.counters.messages += 1
        if feed.interrupted is not None:
            self.reactions.first_tick(feed)
        try:
            found = self.parser.trade(fields, feed.symbol, self.now_ms)
        except BadRow:
            self._unreadable(feed, "trades")
            return
        if type(found) is Trade:
            self._take(feed, found, False)
        elif isinstance(found, Halt):
            self.counters.halts += 1
            self.reactions.halt(found)

    def on_bar(self, fields: Frame) -> None:
        feed = self.bars.get(fields[2]) if len(fields) > 2 else None
        if feed is None:
            self.counters.stragglers += 1
            return
        feed.heard_s, feed.heard_ms = self.now_s, self.now_ms
        self.counters.messages += 1
        try:
            bar = real_time_bar(fields)
            check_not_ahead(bar.t * 1000, self.now_ms)
        except BadRow:
            self._unreadable(feed, "bars")
            return
        self.counters.bars += 1
        feed.mute.bar(bar.t, bar.volume, self.now_s)
        feed.bar_heard_ms = self.now_ms
        self.reactions.bar(feed, bar)

    def on_history(self, fields: Frame) -> None:
        if len(fields) > 1:
            self.reactions.history(fields[1], fields)

    def publish(self, trade: Trade) -> None:
        """The next print of its symbol's sequence."""
        self.counters.trades += 1
        if self.published is not None:
            self.published[trade.symbol].add(trade, self.now_s)
        self.outlet.trade(trade, self.now_s)

    # Common to all of them

    def _take(self, feed: SymbolFeed, trade: Trade, summed: bool) -> None:
        # RTVolume cannot say whether a print is reported, and only those lie in a bar.
        feed.mute.print(trade.ts_ms // 1000, trade.unreported is False, self.now_s)
        for out in feed.splice.take(trade, summed, self.now_s):
            self.publish(out)

    def _unreadable(self, feed: SymbolFeed, lost: str) -> None:
        """A print or bar that cannot be read is a loss; it is entered with the next tick."""
        self.counters.bad_ticks += 1
        if lost:
            count, since_ms = feed.unreadable.get(lost, (0, self.now_ms))
            feed.unreadable[lost] = (count + 1, since_ms)
