"""Keeps simulated, replayed and live data apart: one Redis, one source."""

from __future__ import annotations

from typing import Any, Final

from shared.errors import LeaseHeld, SourceMismatch
from shared.settings_words import named
from shared.store.connection import Store
from shared.store.kept import text
from shared.store.keys import Keys

SCAN_BATCH: Final = 1000


async def claim(store: Store, keys: Keys, source: str) -> None:
    """Mark this Redis with `source`, or check that it is marked so.

    Raises:
        SourceMismatch: it holds data of another source.
    """
    key = keys.source()
    await store.call(store.client.set(key, source, nx=True))
    stored = await store.call(store.client.get(key))
    held = text(stored) if isinstance(stored, bytes) else source
    if held != source:
        raise SourceMismatch(
            f"this redis holds {named(held)} data, was asked to write {source}: "
            "use another redis, or `tickvisor source --reset` to delete all of it"
        )


async def current(store: Store, keys: Keys) -> str | None:
    stored = await store.call(store.client.get(keys.source()))
    return text(stored) if isinstance(stored, bytes) else None


async def reset(store: Store, keys: Keys) -> int:
    """Delete every key of the product; returns how many.

    Raises:
        LeaseHeld: a worker lives.
    """
    for held in await _matching(store, keys.lease("*")):
        raise LeaseHeld(f"a worker still runs: {held.decode()} is held; stop it first")
    deleted = 0
    for pattern in keys.owned_patterns():
        found = await _matching(store, pattern)
        for start in range(0, len(found), SCAN_BATCH):
            batch = found[start : start + SCAN_BATCH]
            deleted += int(await store.call(store.client.unlink(*batch)))
    return deleted


async def _matching(store: Store, pattern: str) -> list[bytes]:
    """Every key that matches; a SCAN may name one twice, so each is kept once."""
    found: dict[bytes, None] = {}
    cursor = 0
    while True:
        page: Any = await store.call(store.client.scan(cursor, match=pattern, count=SCAN_BATCH))
        cursor = page[0]
        found.update(dict.fromkeys(page[1]))
        if not cursor:
            return list(found)
