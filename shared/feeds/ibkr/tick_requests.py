"""Lines, tick-by-tick streams and bars on the wire: opened, cancelled, and what their end means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from loguru import logger

from shared.control.pacing import Pacing
from shared.control.trade_feed import CloseStream, OpenStream
from shared.control.trade_history import PublishedPrints
from shared.feeds.ibkr.bars import BarKeeper
from shared.feeds.ibkr.clock import now_ms, now_s
from shared.feeds.ibkr.tick_rows import Reactions, TickRows
from shared.feeds.ibkr.tick_state import SymbolFeed, TickState
from shared.market.loss import Loss
from shared.market.trade import Trade, TradeFeed
from shared.normalize.ibkr_ticks import TickParser

RT_VOLUME_TICK: Final = "233"
ALL_LAST: Final = "AllLast"
MUTE_TRADES: Final = "mute trades"
LIVE_DATA: Final = 1
DELAYED_DATA: Final = 3
_BAR_S: Final = 5


class TickRequests:
    def __init__(
        self, state: TickState, bars: BarKeeper, reactions: Reactions, max_messages_per_s: int
    ) -> None:
        """`max_messages_per_s`: what is sent beyond it would wait unseen in ib_async's queue."""
        self._messages = Pacing(max_messages_per_s, 1.0)
        self._state = state
        self._bars = bars
        self._reactions = reactions
        self._parser = TickParser()
        self._published = (
            {symbol: PublishedPrints() for symbol in state.symbols}
            if state.policy.backfill_trades
            else None
        )
        self.rows = self.new_rows()
        # Open requests of the present connection by id: (kind, symbol).
        self.by_id: dict[int, tuple[str, SymbolFeed]] = {}

    @property
    def parser(self) -> TickParser:
        """Its counters of what was ignored go on over connections."""
        return self._parser

    def new_rows(self) -> TickRows:
        """A new generation: request ids start again, so nothing of the old one may match."""
        state = self._state
        self.by_id = {}
        self.rows = TickRows(
            state.outlet,
            self._reactions,
            state.counters,
            state.policy.allow_delayed,
            self._parser,
            self._published,
        )
        return self.rows

    def recall(self, symbol: str, stored: Iterable[Trade]) -> None:
        """Where trades are fetched back: these were published, though not by this process."""
        if self._published is not None:
            for trade in stored:
                self._published[symbol].add(trade, now_s())

    def start(self) -> None:
        """Say once per connection which kind of data is wanted."""
        wanted = DELAYED_DATA if self._state.policy.allow_delayed else LIVE_DATA
        self._client().reqMarketDataType(wanted)

    # Decisions of the plans, carried out

    def decide(self, now_s: float) -> None:
        """Open and close what the plans want now, as far as the message rate allows."""
        state, free = self._state, self._messages.free
        # A symbol's bars right behind its line: where lines are short, the least important
        # symbols go without both.
        for command in state.lines.decide(now_s, (free(now_s) + 1) // 2):
            if isinstance(command, OpenStream):
                self._open_line(state.symbols[command.symbol])
                self._ask_bars([command.symbol], now_s)
            else:
                self.close_line(state.symbols[command.symbol], "no room")
        self._ask_bars(state.wanted_bars(), now_s)
        for command in state.streams.decide(now_s, free(now_s)):
            self._turn_stream(command)

    def _ask_bars(self, symbols: list[str], now_s: float) -> None:
        wanted = [symbol for symbol in symbols if symbol not in self._state.no_bars]
        for symbol in self._state.bars.decide(wanted, now_s, self._messages.free(now_s)):
            self._open_bars(self._state.symbols[symbol])

    def _turn_stream(self, command: OpenStream | CloseStream) -> None:
        feed = self._state.symbols[command.symbol]
        if isinstance(command, OpenStream):
            self._open_stream(feed)
        elif feed.stream_id:
            self._client().cancelTickByTickData(feed.stream_id)
            self.forget_stream(feed, "more important symbols")

    # Lines

    def _open_line(self, feed: SymbolFeed) -> None:
        req_id = self._new_id("line", feed)
        feed.line_id = req_id
        feed.quote.clear()
        feed.silence.subscribed(now_s())
        feed.mute.asked(now_s())
        self.rows.lines[b"%d" % req_id] = feed
        contract = self._state.contracts.consolidated(feed.symbol)
        self._client().reqMktData(req_id, contract, RT_VOLUME_TICK, False, False, [])
        feed.splice.started(TradeFeed.RT_VOLUME)

    def close_line(self, feed: SymbolFeed, why: str) -> None:
        """Cancel a symbol's line and bars on the wire."""
        if feed.line_id:
            self._client().cancelMktData(feed.line_id)
            self.forget_line(feed, why)
        self.close_bars(feed, why)
        self._state.bars.ended(feed.symbol, now_s(), 0.0)

    def cancel_line(self, feed: SymbolFeed) -> None:
        """Off the wire, where the gateway may not have ended it."""
        self._client().cancelMktData(feed.line_id)

    def forget_line(self, feed: SymbolFeed, why: str) -> None:
        """The line is over, by our cancel or by the gateway's word."""
        self._forget(feed.line_id, self.rows.lines)
        feed.line_id = 0
        feed.quote.clear()
        self._state.outlet.quote(feed.symbol, None, 0, False)
        self._release(feed, TradeFeed.RT_VOLUME)
        if not feed.stream_id:
            self.interrupt([feed], why)
        logger.bind(symbol=feed.symbol).info("line of {} ended: {}", feed.symbol, why)

    # Streams

    def _open_stream(self, feed: SymbolFeed) -> None:
        req_id = self._new_id("stream", feed)
        feed.stream_id = req_id
        self.rows.streams[b"%d" % req_id] = feed
        contract = self._state.contracts.consolidated(feed.symbol)
        self._client().reqTickByTickData(req_id, contract, ALL_LAST, 0, False)
        feed.splice.started(TradeFeed.TICK_BY_TICK)

    def forget_stream(self, feed: SymbolFeed, why: str) -> None:
        self._forget(feed.stream_id, self.rows.streams)
        feed.stream_id = 0
        self._release(feed, TradeFeed.TICK_BY_TICK)
        if not feed.line_id:
            self.interrupt([feed], why)
        logger.bind(symbol=feed.symbol).info("tick by tick of {} ended: {}", feed.symbol, why)

    # Bars

    def _open_bars(self, feed: SymbolFeed) -> None:
        req_id = self._new_id("bars", feed)
        feed.bars_id = req_id
        self.rows.bars[b"%d" % req_id] = feed
        contract = self._state.contracts.consolidated(feed.symbol)
        self._client().reqRealTimeBars(req_id, contract, _BAR_S, "TRADES", 0, [])
        self._state.counters.bars_requested += 1
        feed.mute.asked(now_s())
        feed.bar_heard_ms = now_ms()
        self._bars.requested(feed.symbol)

    def close_bars(self, feed: SymbolFeed, why: str, heard_ms: int | None = None) -> None:
        if feed.bars_id:
            self._client().cancelRealTimeBars(feed.bars_id)
            self.forget_bars(feed, why, heard_ms)

    def forget_bars(self, feed: SymbolFeed, why: str, heard_ms: int | None = None) -> None:
        """`heard_ms`: up to when its bars came; as long as anything did, unless given."""
        if not feed.bars_id:
            return
        self._forget(feed.bars_id, self.rows.bars)
        feed.bars_id = 0
        since_ms = self.rows.now_ms if heard_ms is None else heard_ms
        self._bars.interrupted([feed.symbol], why, since_ms)

    # All of them

    def renew(self, feed: SymbolFeed, reason: str, bars: bool) -> None:
        """Cancel what is open of a symbol and have it asked for again."""
        state, at_s = self._state, now_s()
        self.interrupt([feed], reason)
        if feed.line_id:
            self._client().cancelMktData(feed.line_id)
            self.forget_line(feed, reason)
            state.lines.cancelled(feed.symbol, at_s)
        if feed.stream_id:
            self._client().cancelTickByTickData(feed.stream_id)
            self.forget_stream(feed, reason)
            state.streams.cancelled(feed.symbol, at_s)
        if bars:
            self.renew_bars(feed, reason)

    def renew_bars(self, feed: SymbolFeed, reason: str) -> None:
        """Mute bars are missing since the newest one came, and not since this was noticed."""
        self.close_bars(feed, reason, feed.bar_heard_ms if reason.startswith("mute") else None)
        self._state.bars.at_once(feed.symbol)

    def interrupt(self, feeds: Iterable[SymbolFeed], reason: str) -> None:
        """From now on prints may be lost, until the symbol's data speaks again.

        Where trades alone were mute, since the newest print and not since anything was heard.
        """
        for feed in feeds:
            if feed.interrupted is None and feed.heard_ms:
                mute_s = feed.heard_s - feed.mute.print_s if reason == MUTE_TRADES else 0.0
                feed.interrupted = (feed.heard_ms - int(mute_s * 1000), reason)

    def interrupt_bars(self, reason: str) -> None:
        """Bars of every symbol that has them may be missing from now on."""
        self._bars.interrupted(list(self._state.bars.live), reason, self.rows.now_ms)

    def lost_all(self, reason: str) -> None:
        """Every request is gone (disconnect, 1101): nothing to cancel."""
        state = self._state
        for feed in state.symbols.values():
            self.interrupt([feed], reason)
            for trade in feed.splice.lost():
                self.rows.publish(trade)
            feed.line_id = feed.stream_id = feed.bars_id = 0
            feed.quote.clear()
            state.outlet.quote(feed.symbol, None, 0, False)
        self._bars.interrupted(list(state.bars.live), reason, self.rows.now_ms)
        self.by_id.clear()
        for table in (self.rows.lines, self.rows.streams, self.rows.bars):
            table.clear()
        state.lines.disconnected()
        state.streams.disconnected()
        state.bars.disconnected()

    def cancel_all(self) -> None:
        """At a stop: everything off the wire."""
        client = self._client()
        for feed in self._state.symbols.values():
            if feed.stream_id:
                client.cancelTickByTickData(feed.stream_id)
            if feed.bars_id:
                client.cancelRealTimeBars(feed.bars_id)
            if feed.line_id:
                client.cancelMktData(feed.line_id)

    def unreadable(self, feed: SymbolFeed, until_ms: int) -> None:
        """Prints that came and could not be read are lost; bars are fetched back."""
        for lost, (count, since_ms) in feed.unreadable.items():
            if lost == "bars":
                self._bars.unreadable(feed.symbol, since_ms)
                continue
            loss = Loss(lost, feed.symbol, since_ms, until_ms, "unreadable", count)
            self._state.outlet.loss(loss)
        feed.unreadable.clear()

    def _release(self, feed: SymbolFeed, ended: TradeFeed) -> None:
        """Prints that were held back for the other feed go out."""
        for trade in feed.splice.ended(ended):
            self.rows.publish(trade)

    def _forget(self, req_id: int, table: dict[bytes, SymbolFeed]) -> None:
        self.by_id.pop(req_id, None)
        table.pop(b"%d" % req_id, None)

    def _new_id(self, kind: str, feed: SymbolFeed) -> int:
        self._messages.sent(now_s())
        req_id = int(self._client().getReqId())
        self.by_id[req_id] = (kind, feed)
        return req_id

    def _client(self) -> Any:
        assert self._state.session is not None
        return self._state.session.ib.client
