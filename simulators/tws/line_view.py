from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import wire_ticks
from .options import Options
from .prints import Print
from .quotes import Quote
from .security import Security
from .tape_reader import TapeReader
from .wire import market_data_type

__all__ = ["LineView"]

_LIVE: Final = 1
# Live tick id -> the delayed one.
_DELAYED: Final = {
    **{0: 69, 1: 66, 2: 67, 3: 70, 4: 68, 5: 71, 6: 72, 7: 73, 8: 74, 9: 75, 14: 76},
    **{45: 88, 49: 90},
}
_DELAY_S: Final = 900
_CAN_AUTO_EXECUTE: Final = 1
_EXCHANGE_MAP: Final = "9c0001"
# Day volume of US stocks comes in lots (ibkr.md 2.2).
_LOT: Final = 100


@dataclass(slots=True)
class _Shown:
    """What the client has; nothing at first, so that the first sample shows all."""

    primed: bool = False
    quote: Quote | None = None
    last: Print | None = None
    lots: int | None = None
    # High and low of the day.
    day: tuple[int, int] | None = None
    halted: int | None = None


class LineView:
    """One market data line: sampled quote and last, and every print as RTVolume if asked for."""

    def __init__(
        self, req_id: int, security: Security, venue: str, options: Options, data_type: int
    ) -> None:
        self._req_id = req_id
        self._security = security
        self._venue = venue
        self._options = options
        self.data_type = data_type
        # Ticks 48 (every print) and 77 (reported ones), as far as they were asked for.
        self.volume_ticks: tuple[int, ...] = ()
        # With 10090 last and volume come, quotes do not; an index has none.
        self._quoteless = security.index
        self._prints = TapeReader(security.tape)
        self._sample_s = 0.0
        self._shown = _Shown()

    @property
    def degraded(self) -> bool:
        """Delayed, or without the quotes it could have."""
        return self.data_type > 2 or self._quoteless != self._security.index

    def announce(self) -> list[bytes]:
        """What precedes the first tick."""
        return [
            wire_ticks.tick_req_params(self._req_id, "0.01", _EXCHANGE_MAP),
            market_data_type(self._req_id, self.data_type),
        ]

    def switch(self, data_type: int) -> list[bytes]:
        """From live to delayed data or back."""
        self.data_type = data_type
        self._shown = _Shown()
        return [market_data_type(self._req_id, data_type)]

    def restrict(self, to_trades: bool) -> None:
        self._quoteless = to_trades or self._security.index

    def poll(self, now_s: float) -> list[bytes]:
        out = self._volumes()
        if now_s >= self._sample_s:
            self._sample_s = now_s + self._options.sample_ms / 1000
            self._first(out)
            self._quote_ticks(out)
            self._last_ticks(out)
            if self._security.halted != self._shown.halted:
                self._shown.halted = self._security.halted
                out.append(wire_ticks.tick_generic(self._req_id, self._id(49), self._shown.halted))
        return out

    def skip(self) -> None:
        self._prints.skip()

    def record(self) -> dict[str, Any]:
        return {"data_type": self.data_type, "venue": self._venue, **self._prints.record()}

    def _id(self, tick: int) -> int:
        return tick if self.data_type <= 2 else _DELAYED[tick]

    def _volumes(self) -> list[bytes]:
        if not self.volume_ticks or self.data_type != _LIVE or self._security.trades_muted:
            self._prints.skip()
            return []
        out: list[bytes] = []
        for print_ in self._prints.take():
            if print_.number == 0 and print_.price_e4 == 0:
                continue
            text = wire_ticks.rt_volume_text(print_)
            for tick in self.volume_ticks:
                if tick == 48 or not print_.unreported:
                    out.append(wire_ticks.tick_string(self._req_id, tick, text))
        return out

    def _first(self, out: list[bytes]) -> None:
        if self._shown.primed:
            return
        self._shown.primed = True
        tape, base_e4 = self._security.tape, self._security.listing.base_cents * 100
        out.append(wire_ticks.tick_price(self._req_id, self._id(9), base_e4, 0))
        if tape.open_e4:
            out.append(wire_ticks.tick_price(self._req_id, self._id(14), tape.open_e4, 0))

    def _quote_ticks(self, out: list[bytes]) -> None:
        if self._quoteless:
            return
        quote, seen = self._security.quote_at(self._venue), self._shown.quote
        if quote == seen:
            return
        self._shown.quote = quote
        mask = _CAN_AUTO_EXECUTE if self.data_type <= 2 else 0
        for price_tick, size_tick, at in ((1, 0, 0), (2, 3, 2)):
            price_e4, size = int(quote[at]), quote[at + 1]
            if seen is None or price_e4 != seen[at]:
                tick = self._id(price_tick)
                out.append(wire_ticks.tick_price(self._req_id, tick, price_e4, size, mask))
            elif size != seen[at + 1]:
                out.append(wire_ticks.tick_size(self._req_id, self._id(size_tick), size))

    def _last_ticks(self, out: list[bytes]) -> None:
        last, seen = self._security.tape.last, self._shown.last
        if last is None or last is seen or self._security.trades_muted:
            return
        req_id, self._shown.last = self._req_id, last
        live = self.data_type <= 2
        epoch_s = last.ms // 1000 - (0 if live else _DELAY_S)
        out.append(wire_ticks.tick_string(req_id, self._id(45), str(epoch_s)))
        if seen is None or last.price_e4 != seen.price_e4:
            out.append(wire_ticks.tick_price(req_id, self._id(4), last.price_e4, last.size))
        out.append(wire_ticks.tick_size(req_id, self._id(5), last.size))
        if live and (seen is None or last.letter != seen.letter):
            out.append(wire_ticks.tick_string(req_id, 84, last.letter))
        self._day_ticks(out)

    def _day_ticks(self, out: list[bytes]) -> None:
        tape = self._security.tape
        lots = int(tape.total // _LOT)
        if lots != self._shown.lots:
            self._shown.lots = lots
            out.append(wire_ticks.tick_size(self._req_id, self._id(8), lots))
        day = (tape.high_e4, tape.low_e4)
        if day != self._shown.day:
            for tick, price_e4 in zip((6, 7), day, strict=True):
                out.append(wire_ticks.tick_price(self._req_id, self._id(tick), price_e4, 0))
            self._shown.day = day
