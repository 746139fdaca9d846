"""What the trades feed says to the world; the worker connects it to the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.market.bar import Bar, Candle
from shared.market.loss import Loss
from shared.market.nbbo import FieldValue
from shared.market.trade import Trade


class TickOutlet(Protocol):
    def congested(self) -> bool:
        """More than enough is queued and being written: let the gateway hold the rest."""

    def trade(self, trade: Trade, received_s: float) -> None: ...

    def volume(self, symbol: str, total: float, received_ts_ms: int) -> None: ...

    def quote(
        self,
        symbol: str,
        values: Mapping[str, FieldValue] | None,
        received_ts_ms: int,
        delayed: bool,
    ) -> None:
        """The top of book as of now, perhaps 15 minutes old; None: there is none to be shown."""

    def offer_quotes(self, healthy: Iterable[str], now_ms: int) -> None:
        """The quotes of these symbols hold now, though they said nothing new."""

    def bar(self, symbol: str, bar: Bar, received_s: float) -> None: ...

    def candle(self, symbol: str, candle: Candle, received_s: float) -> None: ...

    def covered(self, until_ms: Mapping[str, int]) -> None:
        """Up to when each symbol's data is whole or its loss known, for the next start."""

    def loss(self, loss: Loss) -> None: ...

    def incident(self, kind: str, symbol: str, text: str) -> None: ...
