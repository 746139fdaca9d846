"""The market's session as the watchdog publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from shared.market.session import Session, State
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.ops_documents import whole


async def read_session_state(store: Store, keys: Keys) -> str:
    """`pre`, `regular`, `post` or `closed`; empty when nobody publishes it.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    state: bytes | None = await store.call(store.client.hget(keys.market_session(), "state"))  # type: ignore[arg-type]
    return (state or b"").decode("utf-8", "replace")


def session_of(fields: Mapping[str, str]) -> Session:
    """As it is published; where nobody publishes it, what is due is judged as in the session."""
    state, known = fields.get("state", ""), get_args(State)
    opens_ms, closes_ms, next_open_ms = (
        whole(fields.get(name)) or None for name in ("opens_ts", "closes_ts", "next_open_ts")
    )
    return Session(
        fields.get("calendar", ""),
        fields.get("date", ""),
        cast(State, state) if state in known else "regular",
        opens_ms,
        closes_ms,
        next_open_ms,
        early_close=fields.get("early_close") == "1",
        known=state in known,
    )


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
