from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from shared.errors import StoreRefused, StoreUnavailable
from shared.market.session import Session
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.market_session import read_session_state, session_of, write_session
from tests.support.ports import free_port

KEY = "market:session"
EARLY = Session(
    calendar="XNYS",
    date="2026-11-27",
    state="regular",
    opens_ms=1_795_789_800_000,
    closes_ms=1_795_802_400_000,
    next_open_ms=1_796_049_000_000,
    early_close=True,
    known=True,
)
WEEKEND = replace(
    EARLY, date="2026-11-28", state="closed", opens_ms=None, closes_ms=None, early_close=False
)


def on(url: str, work: Callable[[Store], Awaitable[None]]) -> None:
    async def scenario() -> None:
        store = Store(url, 0.5)
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(scenario())


def write(url: str, session: Session, prefix: str = "", ttl_s: int = 120) -> None:
    on(url, lambda store: write_session(store, Keys(prefix), session, ttl_s))


def test_a_session_is_written_field_by_field_with_its_expiry(
    redis_url: str, client: redis.Redis
) -> None:
    write(redis_url, EARLY)
    assert client.hgetall(KEY) == {
        "calendar": "XNYS",
        "date": "2026-11-27",
        "state": "regular",
        "opens_ts": "1795789800000",
        "closes_ts": "1795802400000",
        "next_open_ts": "1796049000000",
        "early_close": "1",
    }
    assert 115 <= int(str(client.ttl(KEY))) <= 120


def test_hours_of_the_day_before_do_not_stay_on_a_closed_one(
    redis_url: str, client: redis.Redis
) -> None:
    write(redis_url, EARLY)
    write(redis_url, WEEKEND)
    assert client.hgetall(KEY) == {
        "calendar": "XNYS",
        "date": "2026-11-28",
        "state": "closed",
        "next_open_ts": "1796049000000",
        "early_close": "0",
    }


def test_a_next_open_that_nobody_knows_is_left_out(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, replace(WEEKEND, next_open_ms=None, known=False))
    assert sorted(client.hgetall(KEY)) == ["calendar", "date", "early_close", "state"]


def test_no_reader_sees_the_hash_half_written(redis_url: str, client: redis.Redis) -> None:
    client.config_resetstat()
    write(redis_url, EARLY)
    calls: Any = client.info("commandstats")
    made = {
        name: calls[f"cmdstat_{name}"]["calls"]
        for name in ("multi", "del", "hset", "expire", "exec")
    }
    assert made == {"multi": 1, "del": 1, "hset": 1, "expire": 1, "exec": 1}


def test_what_else_stands_there_is_replaced(redis_url: str, client: redis.Redis) -> None:
    client.rpush(KEY, "not ours")
    write(redis_url, EARLY)
    assert client.hget(KEY, "state") == "regular"


def test_the_prefix_stands_before_the_key(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, EARLY, prefix="desk:")
    assert client.keys("*") == ["desk:market:session"]


@pytest.mark.parametrize("state", ["pre", "regular", "post", "closed"])
def test_the_others_read_the_state_that_was_written(redis_url: str, state: Any) -> None:
    async def work(store: Store) -> None:
        assert await read_session_state(store, Keys()) == ""
        await write_session(store, Keys(), replace(EARLY, state=state), 120)
        assert await read_session_state(store, Keys()) == state

    on(redis_url, work)


def test_without_redis_the_writer_is_told_so() -> None:
    with pytest.raises(StoreUnavailable):
        write(f"redis://127.0.0.1:{free_port()}/0", EARLY)


def test_a_refusal_of_redis_reaches_the_writer(redis_url: str) -> None:
    with pytest.raises(StoreRefused):
        write(redis_url, EARLY, ttl_s=10**18)


@pytest.mark.parametrize("session", [EARLY, WEEKEND])
def test_a_session_is_read_as_it_was_written(
    redis_url: str, client: redis.Redis, session: Session
) -> None:
    write(redis_url, session)
    fields: Any = client.hgetall(KEY)
    assert session_of(fields) == session


@pytest.mark.parametrize("fields", [{}, {"state": "lunch", "opens_ts": "soon"}])
def test_what_nobody_publishes_counts_as_open_and_not_known(fields: dict[str, str]) -> None:
    session = session_of(fields)
    assert (session.state, session.opens_ms, session.known) == ("regular", None, False)
