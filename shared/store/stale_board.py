"""What is stale, published for everyone; orders to workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from shared.store.connection import Store
from shared.store.keys import STALE_CHECKED, Keys

_ORDERS_KEPT: Final = 100
_ORDERS_TTL_S: Final = 60


async def write_stale(
    store: Store, keys: Keys, rows: Mapping[str, Mapping[str, Any]], checked_ms: int, ttl_s: int
) -> None:
    """Replace the hash: a surface that is fresh again is gone in the same instant.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    key = keys.stale()
    fields: Any = {field: orjson.dumps(row) for field, row in rows.items()}
    fields[STALE_CHECKED] = checked_ms
    async with store.client.pipeline(transaction=True) as pipe:
        pipe.delete(key)
        pipe.hset(key, mapping=fields)
        pipe.expire(key, ttl_s)
        await store.call(pipe.execute())


async def send_order(store: Store, keys: Keys, worker: str, order: Mapping[str, Any]) -> None:
    """Put a command where the worker looks for it; one that nobody takes is soon forgotten.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    key = keys.control(worker)
    async with store.client.pipeline(transaction=True) as pipe:
        pipe.rpush(key, orjson.dumps(order))
        pipe.ltrim(key, -_ORDERS_KEPT, -1)
        pipe.expire(key, _ORDERS_TTL_S)
        await store.call(pipe.execute())
