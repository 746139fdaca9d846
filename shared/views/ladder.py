"""One symbol's book, tape and quote as a ladder shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.store.ops_market import BookSeen
from shared.views.book import view
from shared.views.words import milliseconds, number, plain

_QUOTE: Final = ("bid", "bid_size", "ask", "ask_size", "mid", "spread", "spread_bps")
_LAST: Final = ("last", "last_size", "volume")
_TIMES: Final = ("quote_ts", "quote_received_ts", "last_ts", "last_received_ts")
_WORDS: Final = ("bid_venue", "ask_venue", "quote_source", "last_venue")


def parts(seen: BookSeen, ticker: Mapping[str, str], symbol: str) -> dict[str, Any]:
    """`book`, `tape` and `quote`; absent numbers are null."""
    return {"book": _book(seen, symbol), "tape": _tape(seen), "quote": quote(ticker)}


def quote(ticker: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: number(ticker.get(name)) for name in (*_QUOTE, *_LAST)}
    found |= {name: milliseconds(ticker.get(name)) for name in _TIMES}
    return found | {name: plain(ticker.get(name, "")) for name in _WORDS}


def _book(seen: BookSeen, symbol: str) -> dict[str, Any]:
    found = view(seen, symbol, "")
    nbbo = found.quote
    received_ms = round(seen.now_ms - found.age_s * 1000) if found.age_s is not None else None
    return {
        "symbol": symbol,
        "venue": found.venue,
        "venues": found.venues,
        "state": found.state,
        "seq": found.seq,
        "received_ms": received_ms,
        "bids": found.bids,
        "asks": found.asks,
        "mid": nbbo.mid(),
        "spread": nbbo.spread(),
        "spread_bps": nbbo.spread_bps(),
        "crossed": nbbo.crossed,
        "why": found.why,
    }


def _tape(seen: BookSeen) -> list[dict[str, Any]]:
    """Newest first; `up` is true or false where the price rose or fell, null where it stayed."""
    found: list[dict[str, Any]] = []
    before: float | None = None
    for trade in reversed(seen.trades):
        price = number(trade.get("price"))
        moved: bool | None = (
            None if price is None or before is None or price == before else price > before
        )
        before = price if price is not None else before
        found.append(_print(trade, price, moved))
    return found[::-1]


def _print(trade: Mapping[str, Any], price: float | None, moved: bool | None) -> dict[str, Any]:
    return {
        "seq": milliseconds(trade.get("seq")),
        "ts": milliseconds(trade.get("ts")),
        "price": price,
        "size": number(trade.get("size")),
        "venue": plain(trade.get("venue") or ""),
        "feed": plain(trade.get("feed") or ""),
        "conditions": plain(trade.get("conditions") or ""),
        "up": moved,
    }
