"""Ticker, trades and bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from shared.schema import ttls
from shared.schema.row import Context, Flaw, Item, Reading, Row, Shape
from shared.schema.sequence import risen_by_one
from shared.schema.ticker import Ticker, ticker_flaws
from shared.schema.times import not_ahead_starts
from shared.schema.values import Ms, Payload, Price, Seq, Shares, StartS, TradeVenue, Whole, about

SECTION: Final = "Market"
TRADES: Final = ("ibkr_trades",)
KEPT_TRADES: Final = 1_000
_BAR_S: Final = 5
_MINUTE_S: Final = 60


class Last(Payload, frozen=True):
    price: Annotated[Price, about("price")]
    size: Annotated[Shares, about("size")]
    venue: Annotated[TradeVenue | None, about("venue, null where the feed does not name it")]
    ts: Annotated[Ms, about("the trade's own time")]
    received_ts: Annotated[Ms, about("when it was received")]


class Trade(Payload, frozen=True):
    ts: Annotated[Ms, about("the trade's own time: whole seconds but for `rtvolume`")]
    received_ts: Annotated[Ms, about("when it was received")]
    price: Annotated[Price, about("price")]
    size: Annotated[Shares, about("size; `rtvolume` may sum several trades")]
    venue: Annotated[TradeVenue | None, about("venue, null where the feed does not name it")]
    feed: Annotated[
        Literal["tbt", "rtvolume", "history"],
        about("`tbt` (tick-by-tick), `rtvolume`, or `history` (fetched back after an outage)"),
    ]
    conditions: Annotated[str | None, about("sale conditions as sent; null in `rtvolume`")]
    past_limit: Annotated[bool | None, about("outside the price limits; null in `rtvolume`")]
    unreported: Annotated[
        bool | None, about("not reported to the tape, does not move `last`; null in `rtvolume`")
    ]
    seq: Annotated[Seq, about("number in the symbol's sequence of trades, from 1")]


class Bar(Payload, frozen=True):
    t: Annotated[StartS, about("start, a multiple of 5; equal to the score")]
    open: Annotated[Price, about("first price")]
    high: Annotated[Price, about("highest price")]
    low: Annotated[Price, about("lowest price")]
    close: Annotated[Price, about("last price")]
    volume: Annotated[Shares, about("volume")]
    wap: Annotated[Price | None, about("volume-weighted price, null where none is told")]
    count: Annotated[Whole, about("number of trades")]
    backfilled: Annotated[bool, about("fetched back from history")]


class Candle(Payload, frozen=True):
    t: Annotated[StartS, about("start of the minute; equal to the score")]
    open: Annotated[Price, about("first price")]
    high: Annotated[Price, about("highest price")]
    low: Annotated[Price, about("lowest price")]
    close: Annotated[Price, about("last price")]
    volume: Annotated[Shares, about("volume")]
    wap: Annotated[Price | None, about("volume-weighted price, null where none is told")]
    count: Annotated[Whole, about("number of trades")]
    bars: Annotated[Whole, about("of how many 5-second bars, 1 to 12: none trade, none exist")]
    complete: Annotated[bool, about("false while part of it lies in an outage not filled")]
    backfilled: Annotated[bool, about("whether any of its bars was fetched back")]


def _carried(item: Item, _: Context) -> Iterator[Flaw]:
    trade: Trade = item.doc
    if trade.feed == "rtvolume":
        for name in ("venue", "conditions", "past_limit", "unreported"):
            if getattr(trade, name) is not None:
                yield Flaw(name, getattr(trade, name), "be null: RTVolume does not carry it")
    elif trade.feed == "tbt":
        for name in ("conditions", "past_limit", "unreported"):
            if getattr(trade, name) is None:
                yield Flaw(name, "null", "be told by a tick-by-tick stream")


def _numbers(items: Sequence[Item], reading: Reading, context: Context) -> Iterator[Flaw]:
    if reading.size > KEPT_TRADES:
        yield Flaw("length", reading.size, f"be at most {KEPT_TRADES}")
    numbered = [(item.path, item.doc.seq, item.doc.received_ts) for item in items]
    yield from risen_by_one(numbered, "trades", context)


def _ohlc(item: Item, _: Context) -> Iterator[Flaw]:
    bar: Bar | Candle = item.doc
    if bar.high < bar.low:
        yield Flaw("high", bar.high, f"be at least the low, {bar.low:g}")
        return
    for name, price in (("open", bar.open), ("close", bar.close)):
        if not bar.low <= price <= bar.high:
            yield Flaw(name, price, f"lie between low {bar.low:g} and high {bar.high:g}")


def _starts(item: Item, _: Context) -> Iterator[Flaw]:
    length_s = _MINUTE_S if isinstance(item.doc, Candle) else _BAR_S
    if item.doc.t % length_s:
        yield Flaw("t", item.doc.t, f"be a multiple of {length_s}")
    if item.at != item.doc.t:
        yield Flaw("score", item.at, f"be t, {item.doc.t}")


def _of_bars(item: Item, _: Context) -> Iterator[Flaw]:
    most = _MINUTE_S // _BAR_S
    if not 1 <= item.doc.bars <= most:
        yield Flaw("bars", item.doc.bars, f"be 1 to {most}")


def _one_each(items: Sequence[Item], _: Reading, context: Context) -> Iterator[Flaw]:
    """Sorted by score, so that two of one start stand side by side."""
    limits = context.limits
    for before, item in zip(items, items[1:], strict=False):
        if item.at == before.at:
            yield Flaw(f"{item.path}.t", item.doc.t, "be the only one with this start")
    if items:
        reach_s = limits.bars_1min_s if isinstance(items[0].doc, Candle) else limits.bars_s
        if items[-1].doc.t - items[0].doc.t > reach_s:
            yield Flaw("[0].t", items[0].doc.t, f"be within {reach_s} s of the newest")


ROWS: Final = (
    Row(
        "ticker", SECTION, lambda keys: keys.ticker("{symbol}"), Shape.FIELDS,
        Ticker, ttls.MARKET_DATA, ("ibkr_depth", "ibkr_trades"),
        "Quote and last trade of a symbol. The quote is depth's while its sign of ownership is"
        " there (see Coordination), else that of the market data line; either part goes when"
        " nobody renewed it for the TTL.",
        "while the symbol is quoted or trades",
        (ticker_flaws,),
    ),
    Row(
        "last", SECTION, lambda keys: keys.last("{symbol}"), Shape.JSON,
        Last, ttls.MARKET_DATA, TRADES,
        "The newest trade that is neither flagged `unreported` nor fetched from history.",
        "while the symbol trades",
    ),
    Row(
        "trades", SECTION, lambda keys: keys.trades("{symbol}"), Shape.LIST,
        Trade, ttls.TRADES, TRADES,
        f"The newest {KEPT_TRADES} trades, newest first by `seq`. A number that is missing was"
        " lost and stands in the gaps ledger.",
        "once the symbol traded",
        (_carried,), (_numbers,),
    ),
    Row(
        "bars_5s", SECTION, lambda keys: keys.bars_5s("{symbol}"), Shape.ZSET,
        Bar, ttls.BARS, TRADES,
        "5-second bars of trades by their start (score, Unix s), one per start, back to the TTL"
        " before the newest. None exists where nothing traded.",
        "once the symbol traded",
        (_ohlc, _starts, not_ahead_starts), (_one_each,),
    ),
    Row(
        "bars_1min", SECTION, lambda keys: keys.bars_1min("{symbol}"), Shape.ZSET,
        Candle, ttls.BARS_1MIN, TRADES,
        "Minute candles from the 5-second bars by their start (score, Unix s), one per start, back"
        " to the TTL before the newest.",
        "2 s after the first minute",
        (_ohlc, _starts, _of_bars, not_ahead_starts), (_one_each,),
    ),
)  # fmt: skip
