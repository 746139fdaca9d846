"""The market's session as the watchdog publishes it."""

from __future__ import annotations

from typing import Any

from shared.market.session import Session
from shared.store.connection import Store
from shared.store.keys import Keys


async def read_session_state(store: Store, keys: Keys) -> str:
    """`pre`, `regular`, `post` or `closed`; empty when nobody publishes it.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    state: bytes | None = await store.call(store.client.hget(keys.market_session(), "state"))  # type: ignore[arg-type]
    return (state or b"").decode("utf-8", "replace")


async def write_session(store: Store, keys: Keys, session: Session, ttl_s: int) -> None:
    """Replace the hash as a whole: fields of an earlier day must not stay.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    key = keys.market_session()
    # redis-py's mapping is of every type a name may have.
    fields: Any = _fields(session)
    async with store.client.pipeline(transaction=True) as pipe:
        pipe.delete(key)
        pipe.hset(key, mapping=fields)
        pipe.expire(key, ttl_s)
        await store.call(pipe.execute())


def _fields(session: Session) -> dict[str, str | int]:
    fields = {
        "calendar": session.calendar,
        "date": session.date,
        "state": session.state,
        "opens_ts": session.opens_ms,
        "closes_ts": session.closes_ms,
        "next_open_ts": session.next_open_ms,
        "early_close": int(session.early_close),
    }
    return {name: value for name, value in fields.items() if value is not None}
