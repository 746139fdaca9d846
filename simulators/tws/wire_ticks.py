"""Messages of market data other than depth, as server version 178 sends them."""

from __future__ import annotations

from collections.abc import Sequence

from .bars import Bar
from .book import price_text
from .prints import Print
from .quotes import Quote
from .wire import frame, message

__all__ = [
    "historical_data",
    "historical_data_update",
    "historical_quotes",
    "historical_midpoints",
    "historical_trades",
    "real_time_bar",
    "rt_volume_text",
    "snapshot_end",
    "tick_by_tick_bid_ask",
    "tick_by_tick_mid_point",
    "tick_by_tick_trade",
    "tick_generic",
    "tick_price",
    "tick_req_params",
    "tick_size",
    "tick_string",
]


def tick_req_params(req_id: int, min_tick: str, exchange_map: str) -> bytes:
    # 3 snapshot permissions: live data is there (Campus, tickReqParams).
    return message(81, req_id, min_tick, exchange_map, 3)


def tick_price(req_id: int, tick: int, price_e4: int, size: float, mask: int = 0) -> bytes:
    return message(1, 6, req_id, tick, price_text(price_e4), size, mask)


def tick_size(req_id: int, tick: int, size: float) -> bytes:
    return message(2, 6, req_id, tick, size)


def tick_generic(req_id: int, tick: int, value: float) -> bytes:
    return message(45, 6, req_id, tick, value)


def tick_string(req_id: int, tick: int, text: str) -> bytes:
    return frame(f"46\x006\x00{req_id}\x00{tick}\x00{text}\x00".encode())


def snapshot_end(req_id: int) -> bytes:
    return message(57, 1, req_id)


def rt_volume_text(print_: Print) -> str:
    """price;size;ms;total volume;vwap;whether one market maker filled it alone."""
    vwap = print_.value_e4 / print_.total / 10_000 if print_.total else 0.0
    price = price_text(print_.price_e4) if print_.number else ""
    single = "true" if print_.single else "false"
    return f"{price};{print_.size};{print_.ms};{print_.total};{vwap:.8f};{single}"


def tick_by_tick_trade(req_id: int, kind: int, print_: Print, exchange: str) -> bytes:
    payload = (
        f"99\0{req_id}\0{kind}\0{print_.ms // 1000}\0{price_text(print_.price_e4)}\0"
        f"{print_.size}\0{print_.mask}\0{exchange}\0{print_.conditions}\0"
    )
    return frame(payload.encode())


def tick_by_tick_bid_ask(req_id: int, epoch_s: int, quote: Quote) -> bytes:
    bid, ask = price_text(quote.bid_e4), price_text(quote.ask_e4)
    return message(99, req_id, 3, epoch_s, bid, ask, quote.bid_size, quote.ask_size, 0)


def tick_by_tick_mid_point(req_id: int, epoch_s: int, mid_e4: int) -> bytes:
    return message(99, req_id, 4, epoch_s, price_text(mid_e4))


def real_time_bar(req_id: int, bar: Bar) -> bytes:
    volume = [bar.volume, bar.wap_text, bar.trades]
    return message(50, 3, req_id, bar.start_s, *_prices(bar), *volume)


def historical_data(req_id: int, period: tuple[str, str], bars: Sequence[tuple[str, Bar]]) -> bytes:
    fields: list[object] = [17, req_id, *period, len(bars)]
    for date, bar in bars:
        fields += [date, *_prices(bar), bar.volume, bar.wap_text, bar.trades]
    return message(*fields)


def historical_data_update(req_id: int, date: str, bar: Bar) -> bytes:
    open_, high, low, close = _prices(bar)
    # Open, close, high, low: another order than in message 17 (ib_async decoder.py 496).
    return message(90, req_id, bar.trades, date, open_, close, high, low, bar.wap_text, bar.volume)


def historical_trades(req_id: int, prints: Sequence[tuple[Print, str]]) -> bytes:
    fields: list[object] = [98, req_id, len(prints)]
    for print_, exchange in prints:
        price = price_text(print_.price_e4)
        fields += [print_.ms // 1000, print_.mask, price, print_.size, exchange, print_.conditions]
    return message(*fields, 1)


def historical_quotes(req_id: int, quotes: Sequence[tuple[int, Quote]]) -> bytes:
    fields: list[object] = [97, req_id, len(quotes)]
    for ms, quote in quotes:
        prices = [price_text(quote.bid_e4), price_text(quote.ask_e4)]
        fields += [ms // 1000, 0, *prices, quote.bid_size, quote.ask_size]
    return message(*fields, 1)


def historical_midpoints(req_id: int, quotes: Sequence[tuple[int, Quote]]) -> bytes:
    fields: list[object] = [96, req_id, len(quotes)]
    for ms, quote in quotes:
        fields += [ms // 1000, 0, price_text(quote.mid_e4), 0]
    return message(*fields, 1)


def _prices(bar: Bar) -> list[str]:
    return [price_text(price_e4) for price_e4 in bar[1:5]]
