"""Where everything the trades feed says ends up: the writers' queues or the ledgers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.market.loss import Loss
from shared.market.nbbo import FieldValue
from shared.store.bars import BarsWriter
from shared.store.losses import GapEntry
from shared.store.monitoring import Ledger
from shared.store.quotes import DELAYED, SOURCE
from shared.store.trades import TradesWriter


class TickStoreOutlet:
    def __init__(self, trades: TradesWriter, bars: BarsWriter, ledger: Ledger) -> None:
        self._trades = trades
        self._bars = bars
        self._ledger = ledger
        # The hot path: no wrapper between the feed and the queue.
        self.trade = trades.put
        self.volume = trades.volume
        self.bar = bars.bar
        self.candle = bars.candle
        self.covered = bars.cover
        self.incident = ledger.incident

    def congested(self) -> bool:
        return self._trades.sink is not None and self._trades.sink.congested()

    def quote(
        self,
        symbol: str,
        values: Mapping[str, FieldValue] | None,
        received_ts_ms: int,
        delayed: bool,
    ) -> None:
        self._trades.quotes.set(symbol, values, received_ts_ms, DELAYED if delayed else SOURCE)
        self._trades.wake()

    def offer_quotes(self, healthy: Iterable[str], now_ms: int) -> None:
        self._trades.quotes.offer_again(healthy, now_ms)
        self._trades.wake()

    def loss(self, loss: Loss) -> None:
        self._ledger.gap(
            GapEntry(
                loss.feed,
                loss.symbol,
                "",
                None,
                None,
                loss.from_ts,
                loss.to_ts,
                loss.reason,
                loss.count,
            )
        )
