"""Ledgers as an operator reads them: the newest entries, those that follow, an acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.store.connection import Store
from shared.store.control_inbox import INCIDENT
from shared.store.kept import text
from shared.store.keys import Keys
from shared.store.ops_documents import texts

_PAGE: Final = 500
_BLOCK_MS: Final = 1_000
_BEGIN: Final = "0-0"

Wanted = Callable[[dict[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    id: str
    fields: dict[str, str]


async def newest(store: Store, key: str, count: int, wanted: Wanted) -> list[Entry]:
    """The newest `count` entries that are wanted, oldest first.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    found: list[Entry] = []
    end = "+"
    while len(found) < count:
        page: Any = await store.call(store.client.xrevrange(key, end, "-", count=_PAGE))
        found += (one for one in map(_entry, page) if wanted(one.fields))
        if len(page) < _PAGE:
            break
        end = f"({text(page[-1][0])}"
    return found[:count][::-1]


async def newest_id(store: Store, key: str) -> str:
    """Raises StoreUnavailable, StoreRefused."""
    page: Any = await store.call(store.client.xrevrange(key, "+", "-", count=1))
    return text(page[0][0]) if page else _BEGIN


async def after(store: Store, key: str, last_id: str) -> list[Entry]:
    """What was added, at once or within a second.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    found: Any = await store.call(store.client.xread({key: last_id}, count=_PAGE, block=_BLOCK_MS))
    return [_entry(one) for _, entries in _streams(found) for one in entries]


async def acknowledgement(
    store: Store, keys: Keys, worker: str, order_id: str, last_id: str
) -> str:
    """What the worker says of the order; waits for ever.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    while True:
        for entry in await after(store, keys.incidents(), last_id):
            last_id, fields = entry.id, entry.fields
            if (fields.get("worker"), fields.get("kind")) != (worker, INCIDENT):
                continue
            if f", id {order_id}:" in fields.get("text", ""):
                return fields["text"]
        await asyncio.sleep(0)


def _entry(raw: Any) -> Entry:
    return Entry(text(raw[0]), texts(raw[1]))


def _streams(found: Any) -> Any:
    """RESP2 answers with pairs, RESP3 with a map."""
    return found.items() if isinstance(found, dict) else found or ()
