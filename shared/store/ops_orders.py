"""A command to a worker, and what the worker answers."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Final

from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.ops_ledgers import acknowledgement, newest_id
from shared.store.ops_reader import OpsReader
from shared.store.stale_board import send_order

WAIT_S: Final = 10.0
DONE: Final = ": done"


@dataclass(frozen=True, slots=True)
class Order:
    """`by` is who asks, as it stands among the incidents."""

    worker: str
    command: str
    symbol: str
    by: str


async def answered(store: Store, keys: Keys, order: Order) -> str:
    """What the worker says, or why it says nothing; ends in `DONE` where it obeyed.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    if not await OpsReader(store, keys).holds_lease(order.worker):
        return "does not run, nothing was sent"
    order_id, last_id = secrets.token_hex(4), await newest_id(store, keys.incidents())
    document = {
        "command": order.command,
        "by": order.by,
        "id": order_id,
        "ts": time.time_ns() // 1_000_000,
    }
    if order.symbol:
        document["symbol"] = order.symbol
    await send_order(store, keys, order.worker, document)
    try:
        async with asyncio.timeout(WAIT_S):
            return await acknowledgement(store, keys, order.worker, order_id, last_id)
    except TimeoutError:
        return f"no answer within {WAIT_S:g} s"
