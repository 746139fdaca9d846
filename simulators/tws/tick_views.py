from __future__ import annotations

from typing import Any, Final

from . import wire_ticks
from .options import Options
from .quotes import Quote
from .security import Security, exchange_name
from .tape_reader import TapeReader

__all__ = ["TICK_TYPES", "QuoteTicksView", "TradeTicksView"]

# Names of a request -> type of message 99.
TICK_TYPES: Final = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}
_LAST: Final = 1
_BID_ASK: Final = 3


class TradeTicksView:
    """Tick-by-tick trades: AllLast has every print, Last only reported ones."""

    def __init__(self, req_id: int, security: Security, kind: int, options: Options) -> None:
        self._req_id = req_id
        self._security = security
        self._kind = kind
        self._options = options
        self._prints = TapeReader(security.tape)

    def poll(self, now_s: float) -> list[bytes]:
        if self._security.trades_muted:
            self.skip()
            return []
        nasdaq_name = self._options.nasdaq_name
        return [
            wire_ticks.tick_by_tick_trade(
                self._req_id, self._kind, p, exchange_name(p.letter, nasdaq_name)
            )
            for p in self._prints.take()
            if self._kind != _LAST or not p.unreported
        ]

    def skip(self) -> None:
        self._prints.skip()

    def record(self) -> dict[str, Any]:
        return {"tick_type": _NAMES[self._kind], **self._prints.record()}


class QuoteTicksView:
    """Tick-by-tick quotes: BidAsk, or MidPoint when only the middle matters."""

    def __init__(self, req_id: int, security: Security, kind: int, ignore_size: bool) -> None:
        self._req_id = req_id
        self._security = security
        self._kind = kind
        self._ignore_size = ignore_size
        self._shown: object = None

    def poll(self, now_s: float) -> list[bytes]:
        quote = self._security.quote
        what = self._what(quote)
        if what == self._shown:
            return []
        self._shown = what
        epoch_s = self._security.clock_ms // 1000
        if self._kind == _BID_ASK:
            return [wire_ticks.tick_by_tick_bid_ask(self._req_id, epoch_s, quote)]
        if not quote.two_sided:
            return []
        return [wire_ticks.tick_by_tick_mid_point(self._req_id, epoch_s, quote.mid_e4)]

    def skip(self) -> None:
        self._shown = self._what(self._security.quote)

    def record(self) -> dict[str, Any]:
        return {"tick_type": _NAMES[self._kind]}

    def _what(self, quote: Quote) -> object:
        if self._kind != _BID_ASK:
            return quote.mid_e4
        return (quote.bid_e4, quote.ask_e4) if self._ignore_size else quote


_NAMES: Final = {number: name for name, number in TICK_TYPES.items()}
