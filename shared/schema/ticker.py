"""The ticker: a quote, a last trade, and how the two halves hang together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import UNSET, UnsetType

from shared.schema.row import Context, Flaw, Item
from shared.schema.values import (
    BasisPoints,
    Maker,
    Ms,
    Payload,
    Price,
    Shares,
    Spread,
    TradeVenue,
    about,
)


class Ticker(Payload, frozen=True):
    """A field that has no value is missing."""

    ts: Annotated[Ms, about("when the newest of quote and last trade was received")]
    bid: Annotated[Price, about("best bid price")] | UnsetType = UNSET
    bid_size: Annotated[Shares, about("size at the best bid")] | UnsetType = UNSET
    bid_venue: (
        Annotated[Maker, about("its market maker or venue; `SMART` of a line")] | UnsetType
    ) = UNSET
    ask: Annotated[Price, about("best ask price")] | UnsetType = UNSET
    ask_size: Annotated[Shares, about("size at the best ask")] | UnsetType = UNSET
    ask_venue: (
        Annotated[Maker, about("its market maker or venue; `SMART` of a line")] | UnsetType
    ) = UNSET
    mid: Annotated[Price, about("(bid + ask) / 2, only with both sides")] | UnsetType = UNSET
    spread: Annotated[Spread, about("ask - bid, only with both sides")] | UnsetType = UNSET
    spread_bps: (
        Annotated[BasisPoints, about("spread / mid x 10000, only with both sides")] | UnsetType
    ) = UNSET
    quote_ts: Annotated[Ms, about("as of when the quote holds; never goes back")] | UnsetType = (
        UNSET
    )
    quote_received_ts: Annotated[Ms, about("when the quote was received")] | UnsetType = UNSET
    quote_source: (
        Annotated[
            Literal["depth", "tob", "delayed"],
            about("`depth`, `tob` (top of book of a line) or `delayed` (the same, 15 minutes old)"),
        ]
        | UnsetType
    ) = UNSET
    last: Annotated[Price, about("price of the newest trade")] | UnsetType = UNSET
    last_size: Annotated[Shares, about("its size")] | UnsetType = UNSET
    last_venue: (
        Annotated[TradeVenue, about("its venue, missing where the feed does not name it")]
        | UnsetType
    ) = UNSET
    last_ts: Annotated[Ms, about("its own time")] | UnsetType = UNSET
    last_received_ts: Annotated[Ms, about("when it or the volume was received")] | UnsetType = UNSET
    volume: Annotated[Shares, about("the day's total")] | UnsetType = UNSET


# Fields that are there together or not at all.
_TOGETHER: Final = (
    ("bid", "bid_size", "bid_venue"),
    ("ask", "ask_size", "ask_venue"),
    ("quote_ts", "quote_received_ts", "quote_source"),
    ("last", "last_size", "last_ts"),
)
_NEEDS: Final = (
    ("bid", "quote_ts"),
    ("ask", "quote_ts"),
    ("last", "last_received_ts"),
    ("last_venue", "last"),
    ("volume", "last_received_ts"),
)


def ticker_flaws(item: Item, _: Context) -> Iterator[Flaw]:
    ticker: Ticker = item.doc
    there = {name for name in ticker.__struct_fields__ if getattr(ticker, name) is not UNSET}
    for group in _TOGETHER:
        missing = [name for name in group if name not in there]
        if 0 < len(missing) < len(group):
            yield from (Flaw(name, "absent", f"be there with {group[0]}") for name in missing)
    for name, needed in _NEEDS:
        if name in there and needed not in there:
            yield Flaw(needed, "absent", f"be there with {name}")
    if there.isdisjoint(("quote_ts", "last_received_ts")):
        yield Flaw("quote_ts", "absent", "be there, or last_received_ts")
    # Of half a side nothing can be said.
    if all(len(there.intersection(side)) in (0, len(side)) for side in _TOGETHER[:2]):
        yield from _derived(ticker)


def _derived(ticker: Ticker) -> Iterator[Flaw]:
    bid, ask = ticker.bid, ticker.ask
    if isinstance(bid, UnsetType) or isinstance(ask, UnsetType):
        for name in ("mid", "spread", "spread_bps"):
            if getattr(ticker, name) is not UNSET:
                yield Flaw(name, getattr(ticker, name), "be absent: the quote has not both sides")
        return
    mid, spread = round((bid + ask) / 2, 6), round(ask - bid, 6)
    for name, wanted in (
        ("mid", mid),
        ("spread", spread),
        ("spread_bps", round(spread / mid * 10_000, 4)),
    ):
        found = getattr(ticker, name)
        if found is UNSET or abs(found - wanted) > 1e-9:
            yield Flaw(name, "absent" if found is UNSET else found, f"be {wanted:g}")
