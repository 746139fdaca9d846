"""One symbol as an operator looks at it: its book, its tape, its option chain."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.ops_documents import Document, document, replies, texts


@dataclass(frozen=True, slots=True)
class BookSeen:
    """`venues` are the books of single venues, by venue; `merged` that of the live ones."""

    now_ms: int
    merged: Document | None = None
    venues: dict[str, Document] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    trades: tuple[Document, ...] = ()
    refused: dict[str, Document] = field(default_factory=dict)
    beat: Document | None = None


@dataclass(frozen=True, slots=True)
class ChainSeen:
    now_ms: int
    chain: Document | None = None
    ticker: dict[str, str] = field(default_factory=dict)
    monitor: dict[str, str] = field(default_factory=dict)


async def read_book(
    store: Store, keys: Keys, symbol: str, venues: Iterable[str], trades: int
) -> BookSeen:
    """Raises StoreUnavailable, StoreRefused."""
    names = list(venues)
    pipe = store.client.pipeline(transaction=False)
    pipe.get(keys.book(symbol))
    pipe.hmget(keys.depth_last(symbol), ["ts", "seq", "venue"])
    pipe.lrange(keys.trades(symbol), 0, trades - 1)
    pipe.get(keys.heartbeat("ibkr_depth"))
    for venue in names:
        pipe.get(keys.venue_book(symbol, venue))
    for venue in names:
        pipe.hget(keys.depth_fallback(), f"{symbol}:{venue}")
    merged, last, tape, beat, *rest = await replies(store, pipe)
    books, refusals = rest[: len(names)], rest[len(names) :]
    return BookSeen(
        _now_ms(),
        document(merged),
        _named(names, books),
        _last(last),
        tuple(one for raw in tape or () if (one := document(raw)) is not None),
        _named(names, refusals),
        document(beat),
    )


async def venues_of(store: Store, keys: Keys, symbol: str) -> list[str]:
    """Of which venue the newest update was: symbols without venues of their own are resolved.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    pipe = store.client.pipeline(transaction=False)
    pipe.hmget(keys.depth_last(symbol), ["ts", "seq", "venue"])
    venue = _last((await replies(store, pipe))[0]).get("venue")
    return [venue] if venue else []


async def read_chain(store: Store, keys: Keys, symbol: str) -> ChainSeen:
    """Raises StoreUnavailable, StoreRefused."""
    pipe = store.client.pipeline(transaction=False)
    pipe.get(keys.chain(symbol))
    pipe.hgetall(keys.ticker(symbol))
    pipe.hgetall(keys.options_monitor(symbol))
    chain, ticker, monitor = await replies(store, pipe)
    return ChainSeen(_now_ms(), document(chain), texts(ticker), texts(monitor))


def _named(names: Iterable[str], raw: Iterable[Any]) -> dict[str, Document]:
    pairs = zip(names, map(document, raw), strict=True)
    return {name: one for name, one in pairs if one is not None}


def _last(raw: Any) -> dict[str, str]:
    values = zip(("ts", "seq", "venue"), raw or (), strict=False)
    return {name: value.decode("utf-8", "replace") for name, value in values if value is not None}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
