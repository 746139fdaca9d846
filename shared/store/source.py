"""Keeps simulated, replayed and live data apart: one Redis, one source."""

from __future__ import annotations

from shared.errors import LeaseHeld, SourceMismatch
from shared.store.connection import Store
from shared.store.keys import Keys

SCAN_BATCH = 1000


async def claim(store: Store, keys: Keys, source: str) -> None:
    """Mark this Redis with `source`, or check that it is marked so.

    Raises:
        SourceMismatch: it holds data of another source.
    """
    key = keys.source()
    await store.call(store.client.set(key, source, nx=True))
    stored = await store.call(store.client.get(key))
    held = stored.decode() if isinstance(stored, bytes) else source
    if held != source:
        raise SourceMismatch(
            f"this redis holds {held} data, was asked to write {source}: "
            "use another redis, or `tickvisor source --reset` to delete all of it"
        )


async def current(store: Store, keys: Keys) -> str | None:
    stored = await store.call(store.client.get(keys.source()))
    return stored.decode() if isinstance(stored, bytes) else None


async def reset(store: Store, keys: Keys) -> int:
    """Delete every key of the product; returns how many.

    Raises:
        LeaseHeld: a worker lives.
    """
    async for key in store.client.scan_iter(match=keys.lease("*"), count=SCAN_BATCH):
        raise LeaseHeld(f"a worker still runs: {key.decode()} is held; stop it first")
    deleted = 0
    for pattern in keys.owned_patterns():
        batch: list[bytes] = []
        async for key in store.client.scan_iter(match=pattern, count=SCAN_BATCH):
            batch.append(key)
            if len(batch) >= SCAN_BATCH:
                deleted += await store.call(store.client.unlink(*batch))
                batch = []
        if batch:
            deleted += await store.call(store.client.unlink(*batch))
    return deleted
