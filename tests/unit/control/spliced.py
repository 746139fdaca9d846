from __future__ import annotations

from shared.control.trade_feed import Splice
from shared.market.trade import Trade, TradeFeed

TBT = TradeFeed.TICK_BY_TICK
RTV = TradeFeed.RT_VOLUME


def print_of(feed: TradeFeed, second: float, size: float, price: float = 10.0) -> Trade:
    return Trade("SPY", price, size, None, int(second * 1000), 0, feed)


class Tape:
    """Prints of both feeds into a splice; what it hands out is `out`, as (feed, size).

    A print comes at its own second unless `at_s` says when.
    """

    def __init__(self, *started: TradeFeed) -> None:
        self.splice = Splice(overlap_s=3.0)
        for feed in started:
            self.splice.started(feed)
        self.out: list[tuple[str, float]] = []

    def tbt(self, second: float, size: float, at_s: float | None = None) -> None:
        self._take(print_of(TBT, second, size), False, at_s)

    def rtv(self, second: float, size: float, at_s: float | None = None) -> None:
        self._take(print_of(RTV, second, size), False, at_s)

    def rtv_sum(self, second: float, size: float) -> None:
        self._take(print_of(RTV, second, size), True, None)

    def due(self, now_s: float) -> None:
        self.keep(self.splice.due(now_s))

    def end(self, feed: TradeFeed) -> None:
        self.keep(self.splice.ended(feed))

    def _take(self, trade: Trade, summed: bool, at_s: float | None) -> None:
        now_s = trade.ts_ms / 1000 if at_s is None else at_s
        self.keep(list(self.splice.take(trade, summed, now_s)))

    def keep(self, trades: list[Trade]) -> None:
        self.out += [(str(trade.feed), trade.size) for trade in trades]
