from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from . import wire_ticks
from .bar_views import date_text
from .bars import WHATS, Bar, merged
from .hours import duration_s, eastern_text, moment_s, regular_hours
from .prints import Print
from .quotes import Quote
from .requests_data import HistoricalDataRequest, HistoricalTicksRequest
from .security import Security, exchange_name

__all__ = [
    "BAR_SIZES_S",
    "TICK_WHATS",
    "Period",
    "bars_reply",
    "invalid_bars",
    "invalid_ticks",
    "period_bars",
    "period_of",
    "ticks_reply",
]

BAR_SIZES_S: Final = {
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "30 mins": 1800,
    "1 hour": 3600,
}
TICK_WHATS: Final = ("TRADES", "BID_ASK", "MIDPOINT")
_TICKS_MAX: Final = 1_000

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Period:
    begin_s: float
    end_s: float


def invalid_bars(request: HistoricalDataRequest) -> str:
    """What is wrong with a request, or nothing."""
    if request.bar_size not in BAR_SIZES_S:
        return f"Historical data bar size setting is invalid, was {request.bar_size!r}"
    if request.what not in WHATS:
        return f"Historical data type is not supported, was {request.what!r}"
    if duration_s(request.duration) is None:
        return f"Historical data query duration is invalid, was {request.duration!r}"
    if request.end and moment_s(request.end) is None:
        return f"End date/time is invalid, was {request.end!r}"
    if request.end and request.keep_up_to_date:
        return "End date/time must be empty when updates are asked for"
    return ""


def invalid_ticks(request: HistoricalTicksRequest) -> str:
    if request.what not in TICK_WHATS:
        return f"Historical tick type is not supported, was {request.what!r}"
    if not 1 <= request.number_of_ticks <= _TICKS_MAX:
        return f"Number of ticks must be 1 to {_TICKS_MAX}, was {request.number_of_ticks}"
    if not request.start and not request.end:
        return "Start or end date/time must be given"
    wrong = [text for text in (request.start, request.end) if text and moment_s(text) is None]
    return f"Start or end date/time is invalid, was {wrong[0]!r}" if wrong else ""


def period_of(request: HistoricalDataRequest, clock_ms: int) -> Period:
    # Without an end the bar in progress is part of the answer.
    end_s = moment_s(request.end) if request.end else clock_ms / 1000
    assert end_s is not None
    return Period(end_s - (duration_s(request.duration) or 0), end_s)


def period_bars(security: Security, request: HistoricalDataRequest, period: Period) -> list[Bar]:
    bars = security.bars[request.what].between(period.begin_s, period.end_s)
    if request.regular_hours:
        bars = [bar for bar in bars if regular_hours(bar.start_s)]
    return merged(bars, BAR_SIZES_S[request.bar_size])


def bars_reply(request: HistoricalDataRequest, period: Period, bars: Sequence[Bar]) -> bytes:
    ends = (eastern_text(period.begin_s), eastern_text(period.end_s))
    dated = [(date_text(bar.start_s, request.format_date), bar) for bar in bars]
    return wire_ticks.historical_data(request.req_id, ends, dated)


def ticks_reply(security: Security, request: HistoricalTicksRequest, nasdaq_name: str) -> bytes:
    if request.what == "TRADES":
        prints = [p for p in security.tape.newest(security.tape.position) if p.number]
        chosen = _choose(prints, _print_ms, request)
        named = [(p, exchange_name(p.letter, nasdaq_name)) for p in chosen]
        return wire_ticks.historical_trades(request.req_id, named)
    quotes = list(security.quote_log)
    if request.what == "MIDPOINT":
        middles = [(ms, quote) for ms, quote in quotes if quote.two_sided]
        shown = _choose(middles, _quote_ms, request)
        return wire_ticks.historical_midpoints(request.req_id, shown)
    if request.ignore_size:
        quotes = _price_changes(quotes)
    return wire_ticks.historical_quotes(request.req_id, _choose(quotes, _quote_ms, request))


def _choose(
    entries: Sequence[Entry], ms_of: Callable[[Entry], int], request: HistoricalTicksRequest
) -> list[Entry]:
    """The first so many from the start, or the last before the end, in whole seconds."""
    start_s = moment_s(request.start) if request.start else None
    end_s = moment_s(request.end) if request.end else None
    regular = request.regular_hours
    inside = [
        entry
        for entry in entries
        if (start_s is None or ms_of(entry) >= start_s * 1000)
        and (end_s is None or ms_of(entry) < end_s * 1000)
        and (not regular or regular_hours(ms_of(entry) // 1000))
    ]
    count = request.number_of_ticks
    if len(inside) <= count:
        return inside
    if start_s is not None:
        last_s = ms_of(inside[count - 1]) // 1000
        return [entry for entry in inside if ms_of(entry) // 1000 <= last_s]
    first_s = ms_of(inside[-count]) // 1000
    return [entry for entry in inside if ms_of(entry) // 1000 >= first_s]


def _price_changes(quotes: Sequence[tuple[int, Quote]]) -> list[tuple[int, Quote]]:
    changes: list[tuple[int, Quote]] = []
    for ms, quote in quotes:
        if not changes or changes[-1][1][::2] != quote[::2]:
            changes.append((ms, quote))
    return changes


def _print_ms(print_: Print) -> int:
    return print_.ms


def _quote_ms(entry: tuple[int, Quote]) -> int:
    return entry[0]
