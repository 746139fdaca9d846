from __future__ import annotations

from collections.abc import Collection
from typing import Final

from .contracts import Listing
from .feed import Feed
from .market import Market
from .options import Options
from .prints import RawPrint
from .quotes import NO_QUOTE, Quote, top_of
from .replay_trades import TradeReplay
from .security import Security
from .trade_flow import FlowShape, TradeFlow

__all__ = ["Floor"]

_BARS_KEPT_S: Final = 7_200
_REPLAY_PRINTS_MAX: Final = 1_000
_REPLAY_BARS_MAX: Final = 200
_TICK_E4: Final = 100


class Floor:
    """Every symbol anybody has asked for goes on trading here, whoever listens. No clock."""

    def __init__(
        self,
        options: Options,
        seed: int,
        market: Market,
        feed: Feed,
        replays: dict[str, TradeReplay],
    ) -> None:
        self._options = options
        self._seed = seed
        self._market = market
        self._feed = feed
        self.replays = replays
        self.securities: dict[str, Security] = {}
        self._flows: dict[str, TradeFlow] = {}
        self._now_ms = 0

    def security(self, listing: Listing, now_ms: int) -> Security:
        """The symbol's own; it starts trading, with a past, when it is first asked for."""
        found = self.securities.get(listing.symbol)
        return found or self._start(listing, max(now_ms, self._now_ms))

    def tick(
        self, now_ms: int, elapsed_s: float, blocked: Collection[int], waiting: Collection[str]
    ) -> None:
        """waiting: replayed symbols that nobody can take more of."""
        # A wall clock that steps back must not reorder a tape.
        self._now_ms = max(now_ms, self._now_ms)
        shape = self._shape()
        for symbol, security in self.securities.items():
            replay = self.replays.get(symbol)
            if replay is None:
                security.clock_ms = self._now_ms
                self._trade(security, elapsed_s, blocked, shape)
                security.settle((self._now_ms - self._options.bar_delay_ms) / 1000)
            elif symbol not in waiting and not self._still(symbol):
                self._play(security, replay, elapsed_s)

    def touch(self, security: Security) -> Quote:
        """Where it trades: the book's best prices, or about its usual price without a book."""
        listing = security.listing
        base_e4 = listing.base_cents * 100
        quote = security.book_quote
        return quote if quote.two_sided else Quote(base_e4, 100, base_e4 + _TICK_E4, 100)

    def watch_venue(self, security: Security, venue: str) -> None:
        """A line asks for the quotes of one venue."""
        if venue not in security.quotes:
            security.set_quote(venue, self._book_quote(security, venue))

    def requote(self, security: Security) -> None:
        for venue in list(security.quotes):
            security.set_quote(venue, self._book_quote(security, venue))

    def _start(self, listing: Listing, now_ms: int) -> Security:
        options = self._options
        bars_kept = max(_BARS_KEPT_S, options.history_s) // 5 + 2
        security = Security(listing, options.tape_size, bars_kept)
        self.securities[listing.symbol] = security
        replay = self.replays.get(listing.symbol)
        if replay:
            security.clock_ms = replay.clock_ms
            return security
        flow = self._flows[listing.symbol] = TradeFlow(f"{self._seed}:{listing.symbol}:trades")
        rate = options.trade_rate_of(listing.symbol)
        security.clock_ms = now_ms
        security.book_quote = self._book_quote(security, listing.primary)
        ends_at = (self.touch(security), self._shape())
        past = flow.past(now_ms, options.history_s, rate, ends_at)
        security.traded_before(_sizeless(past) if security.index else past)
        self.requote(security)
        return security

    def _trade(
        self, security: Security, elapsed_s: float, blocked: Collection[int], shape: FlowShape
    ) -> None:
        symbol = security.symbol
        flow = self._flows[symbol]
        if self._still(symbol) or security.halted > 0:
            flow.skip()
        else:
            rate = self._options.trade_rate_of(symbol)
            prints = flow.due(security.clock_ms, rate, self.touch(security), shape)
            security.trade(_sizeless(prints) if security.index else prints)
        if not self._still(symbol):
            listing, due = security.listing, security.quote_bar_due
            for venue in list(security.quotes):
                if self._feed.move(listing, venue, elapsed_s, blocked) or due:
                    security.set_quote(venue, self._book_quote(security, venue))

    def _play(self, security: Security, replay: TradeReplay, elapsed_s: float) -> None:
        limit = _REPLAY_PRINTS_MAX if replay.kind == "prints" else _REPLAY_BARS_MAX
        prints, bars = replay.advance(elapsed_s, self._options.speed, limit)
        security.clock_ms = replay.clock_ms
        security.trade(prints)
        security.put_bars(bars)
        if replay.kind == "prints":
            security.settle(float("inf") if replay.finished else replay.clock_ms / 1000)
        if prints or bars:
            self.requote(security)

    def _book_quote(self, security: Security, venue: str) -> Quote:
        last = security.tape.last
        if security.symbol not in self.replays:
            return top_of(self._market.book(security.listing, venue))
        if last is None:
            return NO_QUOTE
        # A recording of trades has no quotes: one tick on either side of the last price.
        return Quote(last.price_e4 - _TICK_E4, 100, last.price_e4 + _TICK_E4, 100)

    def _still(self, symbol: str) -> bool:
        return "paused" in self._feed.silenced_by or symbol in self._feed.frozen

    def _shape(self) -> FlowShape:
        options = self._options
        return FlowShape(options.unreported_share, options.odd_share, options.past_limit_share)


def _sizeless(prints: list[RawPrint]) -> list[RawPrint]:
    return [print_._replace(size=0) for print_ in prints]
