"""One venue's book as a person or a program reads it: table cells and JSON. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from shared.feeds.ibkr.error_codes import DEPTH_LIMIT, ENTITLEMENT, NO_DEEP_DATA, NO_SECURITY
from shared.market.book import Book
from shared.market.depth import Pair
from shared.market.nbbo import Nbbo, Row

RATE_WINDOW_S: Final = 5.0
_EMPTY_CELLS: Final = ("", "", "")


class UpdateRate:
    """Updates a second over the last five seconds.

    Counting starts with the first sample that has rows, since a subscription opens with a burst
    of some twenty rows that fill the book.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def observe(self, now_s: float, rows: int) -> None:
        if rows:
            self._samples.append((now_s, rows))
        while len(self._samples) > 2 and now_s - self._samples[1][0] >= RATE_WINDOW_S:
            self._samples.popleft()

    @property
    def per_s(self) -> float:
        if len(self._samples) < 2:
            return 0.0
        (from_s, from_rows), (to_s, to_rows) = self._samples[0], self._samples[-1]
        return round((to_rows - from_rows) / max(to_s - from_s, 1e-9), 1)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ten published levels a side. `refusal` says why there is no depth, in words."""

    pair: Pair
    wire_venue: str
    bids: tuple[Row, ...]
    asks: tuple[Row, ...]
    updates: int = 0
    updates_per_s: float = 0.0
    state: str = "live"
    refusal: str = ""
    notices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The pair, or the symbol alone where no venue was found."""
        return str(self.pair) if self.pair.venue else self.pair.symbol

    @property
    def quote(self) -> Nbbo:
        return Nbbo(
            self.bids[0] if self.bids else None,
            self.asks[0] if self.asks else None,
        )


def levels(book: Book) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """(bids, asks) as published, best first, missing levels left out."""
    return _rows(book.bids.json), _rows(book.asks.json)


def _rows(side: bytes) -> tuple[Row, ...]:
    return tuple((row[0], row[1], row[2]) for row in orjson.loads(side) if row[0] is not None)


def table_rows(ladder: Ladder) -> list[tuple[str, ...]]:
    """Cells of each level: bid venue, size, price, then ask price, size, venue."""
    depth = max(len(ladder.bids), len(ladder.asks))
    return [(*_bid_cells(ladder.bids, i), *_ask_cells(ladder.asks, i)) for i in range(depth)]


def _bid_cells(rows: Sequence[Row], index: int) -> tuple[str, ...]:
    return tuple(reversed(_ask_cells(rows, index)))


def _ask_cells(rows: Sequence[Row], index: int) -> tuple[str, ...]:
    if index >= len(rows):
        return _EMPTY_CELLS
    price, size, venue = rows[index]
    return price_text(price), f"{size:g}" if size % 1 else f"{int(size)}", venue


def price_text(price: float) -> str:
    """At least two decimals, more where the price has them."""
    whole, _, decimals = f"{price:.6f}".rstrip("0").partition(".")
    return f"{whole}.{decimals:0<2}"


def caption(ladder: Ladder) -> str:
    """What stands below a ladder: spread, basis points, update rate."""
    if ladder.refusal:
        return ladder.refusal
    if not ladder.updates:
        return "waiting for the first row"
    quote = ladder.quote
    spread, bps = quote.spread(), quote.spread_bps()
    said = "one-sided" if spread is None else f"spread {price_text(spread)} ({bps:.2f} bps)"
    if quote.crossed:
        said += ", crossed"
    return f"{said}\n{ladder.updates_per_s:.1f} updates/s, {ladder.updates} updates"


def document(ladder: Ladder) -> dict[str, Any]:
    """A ladder as JSON gives it; absent numbers are null."""
    quote = ladder.quote
    return {
        "symbol": ladder.pair.symbol,
        "venue": ladder.pair.venue,
        "wire_venue": ladder.wire_venue,
        "state": ladder.state,
        "updates": ladder.updates,
        "updates_per_s": ladder.updates_per_s,
        "bid": quote.bid[0] if quote.bid else None,
        "ask": quote.ask[0] if quote.ask else None,
        "mid": quote.mid(),
        "spread": quote.spread(),
        "spread_bps": quote.spread_bps(),
        "crossed": quote.crossed,
        "bids": ladder.bids,
        "asks": ladder.asks,
        "refusal": ladder.refusal or None,
        "notices": ladder.notices,
    }


def shortfall(ladders: Sequence[Ladder], seconds: float) -> str:
    """Why this was not a good probe, in one line; empty when every ladder has rows."""
    return "; ".join(text for ladder in ladders if (text := _shortfall(ladder, seconds)))


def _shortfall(ladder: Ladder, seconds: float) -> str:
    if ladder.refusal:
        return f"{ladder.name}: {ladder.refusal}"
    if ladder.updates:
        return ""
    said = f", the gateway said: {ladder.notices[-1]}" if ladder.notices else ""
    return f"{ladder.name}: no rows within {seconds:g} s{said}"


def refusal_text(code: int, text: str) -> str:
    """A refusal of the gateway in one line, with what it means."""
    words = " ".join(text.split())
    if code == DEPTH_LIMIT:
        return f"every depth slot of the account is taken (309): {words}"
    if code == NO_SECURITY:
        return f"no such contract (200): {words}"
    if code == NO_DEEP_DATA:
        return f"no depth offered there (10092): {words}"
    if code in ENTITLEMENT:
        return f"not entitled ({code}): {words}"
    return f"refused ({code}): {words}"


__all__ = [
    "Ladder",
    "UpdateRate",
    "caption",
    "document",
    "levels",
    "price_text",
    "refusal_text",
    "shortfall",
    "table_rows",
]
