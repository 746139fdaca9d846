from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from simulators.bounds import Bounds, check
from simulators.errors import OptionError

__all__ = ["OPTIONS", "RATE_BOUNDS", "TRADE_RATE_BOUNDS", "Options"]


@dataclass(slots=True)
class Options:
    """What `set` changes at run time; one field per row of OPTIONS."""

    rate: float = 20.0
    depth_cap: int = 3
    cancel_lag_ms: int = 300
    late_rows_ms: int = 50
    style: str = "shift"
    transit: str = "orderly"
    nasdaq_name: str = "ISLAND"
    wrong_venue_code: int = 10092
    rate_limit: int = 50
    rate_limit_close: bool = False
    mute_current_time: bool = False
    mute_position_end: bool = False
    next_valid_id: int = 1
    speed: float = 1.0
    trade_rate: float = 5.0
    quote_rate: float = 10.0
    unreported_share: float = 0.02
    odd_share: float = 0.005
    past_limit_share: float = 0.001
    line_cap: int = 100
    tick_cap: int = 5
    tick_instrument_s: float = 0.0
    sample_ms: int = 250
    late_ticks_ms: int = 0
    bar_delay_ms: int = 100
    bar_pacing: str = "on"
    history_pacing: str = "on"
    history_s: int = 600
    tape_size: int = 10_000
    rates: dict[str, float] = field(default_factory=dict)
    trade_rates: dict[str, float] = field(default_factory=dict)

    def update(self, name: str, value: Any) -> None:
        if name not in OPTIONS:
            raise OptionError(f"unknown option, was {name!r}, one of {', '.join(OPTIONS)}")
        setattr(self, name, check(name, value, OPTIONS[name]))

    def rate_of(self, symbol: str) -> float:
        return self.rates.get(symbol, self.rate)

    def trade_rate_of(self, symbol: str) -> float:
        return self.trade_rates.get(symbol, self.trade_rate)


RATE_BOUNDS: Final = Bounds(float, "rows per second of each symbol", 0, 1_000_000, required=True)
TRADE_RATE_BOUNDS: Final = Bounds(
    float, "prints per second of each symbol", 0, 100_000, required=True
)
_ON_OFF: Final = ("on", "off")

OPTIONS: Final[dict[str, Bounds]] = {
    "rate": RATE_BOUNDS,
    "depth_cap": Bounds(int, "distinct contracts with depth at once", 0, 1000, required=True),
    "cancel_lag_ms": Bounds(int, "a slot is free so long after", 0, 600_000, required=True),
    "late_rows_ms": Bounds(int, "rows go on so long after a cancel", 0, 600_000, required=True),
    "style": Bounds(str, "how a change is sent", choices=("shift", "replace"), required=True),
    "transit": Bounds(
        str, "order of the rows of one change", choices=("orderly", "crossed"), required=True
    ),
    "nasdaq_name": Bounds(
        str, "venue name accepted", choices=("ISLAND", "NASDAQ", "both"), required=True
    ),
    "wrong_venue_code": Bounds(
        int, "depth refusal of the other NASDAQ name", choices=(10092, 200), required=True
    ),
    "rate_limit": Bounds(int, "messages/s of a client, 0 = any", 0, 100_000, required=True),
    "rate_limit_close": Bounds(bool, "drop the client after error 100", required=True),
    "mute_current_time": Bounds(bool, "leave reqCurrentTime unanswered", required=True),
    "mute_position_end": Bounds(bool, "leave reqPositions unanswered", required=True),
    "next_valid_id": Bounds(int, "first id given to a client", 1, 2_000_000_000, required=True),
    "speed": Bounds(float, "replay speed, 0 = as fast as read", 0, 1_000_000, required=True),
    "trade_rate": TRADE_RATE_BOUNDS,
    "quote_rate": Bounds(
        float, "book changes per second where depth moves no book", 0, 100_000, required=True
    ),
    "unreported_share": Bounds(float, "of prints are unreported", 0, 1, required=True),
    "odd_share": Bounds(float, "of prints are at a part of a cent", 0, 1, required=True),
    "past_limit_share": Bounds(float, "of prints are past limit", 0, 1, required=True),
    "line_cap": Bounds(int, "market data lines of all clients", 0, 100_000, required=True),
    "tick_cap": Bounds(int, "tick-by-tick streams of all clients", 0, 100_000, required=True),
    "tick_instrument_s": Bounds(
        float, "one new tick-by-tick request per symbol in so long, 0 = any", 0, 3600, required=True
    ),
    "sample_ms": Bounds(int, "a line's quote and last move so often", 0, 60_000, required=True),
    "late_ticks_ms": Bounds(int, "ticks go on so long after a cancel", 0, 600_000, required=True),
    "bar_delay_ms": Bounds(int, "a bar is sent so long after its end", 0, 4_900, required=True),
    "bar_pacing": Bounds(str, "420 over 60 new in 10 minutes", choices=_ON_OFF, required=True),
    "history_pacing": Bounds(str, "162 pacing rules", choices=_ON_OFF, required=True),
    "history_s": Bounds(int, "a symbol has traded so long before", 0, 86_400, required=True),
    "tape_size": Bounds(int, "prints kept of each symbol", 1_000, 1_000_000, required=True),
}
