"""One symbol's book as an operator reads it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.market.nbbo import Nbbo, Row
from shared.store.ops_market import BookSeen
from shared.views.words import age_of, milliseconds, number, plain


@dataclass(frozen=True, slots=True)
class Print:
    ts_ms: int | None
    price: float | None
    size: float | None
    venue: str
    feed: str
    conditions: str


@dataclass(frozen=True, slots=True)
class BookView:
    """`state` is `live`, `reset`, `parked` or `none`; `why` says what is known of a missing book.

    `venue` is empty for the merged book of all live venues, `venues`.
    """

    symbol: str
    venue: str
    state: str
    venues: tuple[str, ...]
    seq: int | None
    age_s: float | None
    bids: tuple[Row, ...]
    asks: tuple[Row, ...]
    trades: tuple[Print, ...]
    why: str = ""

    @property
    def quote(self) -> Nbbo:
        return Nbbo(self.bids[0] if self.bids else None, self.asks[0] if self.asks else None)


_STATES: Final = ("live", "reset", "parked")


def view(seen: BookSeen, symbol: str, venue: str) -> BookView:
    """The book of a venue; without one the merged book, or the last known where none is live."""
    live = sorted(name for name, book in seen.venues.items() if book.get("state") == "live")
    if not venue and seen.merged is not None and live:
        return _made(seen, (symbol, "", "live", tuple(live)), seen.merged)
    if not venue:
        venue = _newest(seen.venues)
    book = seen.venues.get(venue)
    if book is not None:
        state = book.get("state")
        shown = state if state in _STATES else "none"
        return _made(seen, (symbol, venue, str(shown), (venue,)), book)
    if seen.merged is not None:
        names = tuple(plain(one) for one in seen.merged.get("venues") or ())
        return _made(seen, (symbol, "", "parked", names), seen.merged)
    return _made(seen, (symbol, venue, "none", ()), {})


def _newest(venues: Mapping[str, Mapping[str, Any]]) -> str:
    """Of books that are not live, the one that was last."""
    received = {name: number(book.get("received_ts")) or 0.0 for name, book in venues.items()}
    return max(received, key=lambda name: received[name], default="")


def _made(
    seen: BookSeen, named: tuple[str, str, str, tuple[str, ...]], book: Mapping[str, Any]
) -> BookView:
    symbol, venue, state, venues = named
    at_ms = milliseconds(book.get("received_ts"))
    seq = book.get("seq", seen.last.get("seq") if book else None)
    return BookView(
        symbol,
        venue,
        state,
        venues,
        milliseconds(seq),
        age_of(at_ms, seen.now_ms),
        _levels(book.get("bids")),
        _levels(book.get("asks")),
        tuple(map(_print, seen.trades)),
        "" if book else _why(seen, venue),
    )


def _levels(side: Any) -> tuple[Row, ...]:
    """Missing levels left out, and what is no level."""
    found = []
    for row in side if isinstance(side, list) else ():
        if isinstance(row, list) and len(row) == 3 and (at := number(row[0])) is not None:
            found.append((at, number(row[1]) or 0.0, plain(row[2] or "")))
    return tuple(found)


def _print(trade: Mapping[str, Any]) -> Print:
    return Print(
        milliseconds(trade.get("ts")),
        number(trade.get("price")),
        number(trade.get("size")),
        plain(trade.get("venue") or ""),
        plain(trade.get("feed") or ""),
        plain(trade.get("conditions") or ""),
    )


def _why(seen: BookSeen, venue: str) -> str:
    for name, row in seen.refused.items():
        if not venue or name == venue:
            return f"depth is refused at {name} ({row.get('code')}): {plain(row.get('text', ''))}"
    if seen.beat is None or seen.beat.get("state") == "stopped":
        return "ibkr_depth does not run"
    if seen.beat.get("connected") is not True:
        return "ibkr_depth is not connected"
    return "it had no depth yet, its turn comes"


def document(found: BookView) -> dict[str, Any]:
    """Absent numbers are null."""
    quote = found.quote
    return {
        "symbol": found.symbol,
        "venue": found.venue or None,
        "venues": found.venues,
        "state": found.state,
        "seq": found.seq,
        "age_s": found.age_s,
        "bid": quote.bid[0] if quote.bid else None,
        "ask": quote.ask[0] if quote.ask else None,
        "mid": quote.mid(),
        "spread": quote.spread(),
        "spread_bps": quote.spread_bps(),
        "crossed": quote.crossed,
        "bids": found.bids,
        "asks": found.asks,
        "trades": found.trades,
        "reason": found.why or None,
    }


def most_shares(sides: Sequence[Sequence[Row]]) -> float:
    """What a full size bar stands for."""
    return max((row[1] for side in sides for row in side), default=0.0)
