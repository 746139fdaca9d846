"""The market's session as the watchdog publishes it."""

from __future__ import annotations

from shared.store.connection import Store
from shared.store.keys import Keys


async def read_session_state(store: Store, keys: Keys) -> str:
    """`pre`, `regular`, `post` or `closed`; empty when nobody publishes it.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    state: bytes | None = await store.call(store.client.hget(keys.market_session(), "state"))  # type: ignore[arg-type]
    return (state or b"").decode("utf-8", "replace")
