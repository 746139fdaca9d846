"""Typed reads of what the product has written."""

from __future__ import annotations

import msgspec

from shared.market.trade import Trade, TradeFeed
from shared.store import kept
from shared.store.connection import Store
from shared.store.keys import Keys


class _TradeRow(msgspec.Struct, frozen=True):
    """A member of `market:<symbol>:trades`."""

    ts: int
    received_ts: int
    price: float
    size: float
    venue: str | None
    feed: TradeFeed
    conditions: str | None
    past_limit: bool | None
    unreported: bool | None


async def read_trades(store: Store, keys: Keys, symbol: str) -> list[Trade]:
    """The stored prints of a symbol, oldest first; what cannot be read is left out."""
    key = keys.trades(symbol)
    rows = await kept.read(store, key, store.client.lrange(key, 0, -1), [])
    found: list[Trade] = []
    for row in reversed(rows):
        try:
            read = msgspec.json.decode(row, type=_TradeRow)
        except (ValueError, RecursionError):
            continue
        found.append(
            Trade(
                symbol,
                read.price,
                read.size,
                read.venue,
                read.ts,
                read.received_ts,
                read.feed,
                read.conditions,
                read.past_limit,
                read.unreported,
            )
        )
    return found
