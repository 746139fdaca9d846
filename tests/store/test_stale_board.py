"""What is stale, as everyone reads it; orders, as the workers take them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.connection import Store
from shared.store.control_inbox import ControlInbox
from shared.store.keys import Keys
from shared.store.stale_board import send_order, write_stale
from tests.store.feeding import until
from tests.support.ports import free_port

KEY, CONTROL = "monitoring:data:stale", "coord:control:ibkr_depth"
ROW = {"age_s": 16.25, "budget_s": 15.0, "since_ts": 1_795_789_800_123, "reason": "mute"}


def on(url: str, work: Callable[[Store], Awaitable[None]]) -> None:
    async def scenario() -> None:
        store = Store(url, 0.5)
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(scenario())


def write(url: str, rows: dict[str, dict[str, Any]], checked_ms: int = 5, prefix: str = "") -> None:
    on(url, lambda store: write_stale(store, Keys(prefix), rows, checked_ms, 120))


def order(url: str, **fields: Any) -> None:
    on(url, lambda store: send_order(store, Keys(), "ibkr_depth", fields))


def hash_of(client: redis.Redis, key: str = KEY) -> dict[str, str]:
    found: Any = client.hgetall(key)
    return dict(found)


def waiting(client: redis.Redis) -> list[dict[str, Any]]:
    found: Any = client.lrange(CONTROL, 0, -1)
    return [json.loads(one) for one in found]


def test_rows_are_json_beside_the_time_of_the_look(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, {"depth:SPY": ROW, "heartbeat:av_options": {**ROW, "reason": "é"}}, 1_234)
    found = hash_of(client)
    assert found.pop("_checked_ts") == "1234"
    assert {name: json.loads(text) for name, text in found.items()} == {
        "depth:SPY": ROW,
        "heartbeat:av_options": {**ROW, "reason": "é"},
    }
    assert 118 <= int(str(client.ttl(KEY))) <= 120


def test_nothing_stale_and_no_watchdog_look_different(redis_url: str, client: redis.Redis) -> None:
    assert hash_of(client) == {}
    write(redis_url, {}, 1_234)
    assert hash_of(client) == {"_checked_ts": "1234"}


def test_what_is_fresh_again_is_gone(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, {"depth:SPY": ROW, "depth:QQQ": ROW}, 1)
    write(redis_url, {"depth:QQQ": ROW}, 2)
    assert hash_of(client).keys() == {"depth:QQQ", "_checked_ts"}
    write(redis_url, {}, 3)
    assert hash_of(client) == {"_checked_ts": "3"}


def test_no_reader_sees_a_moment_without_it(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, {"depth:SPY": ROW}, 1)

    async def work(store: Store) -> None:
        for at in range(200):
            await write_stale(store, Keys(), {"depth:SPY": ROW} if at % 2 else {}, at, 120)

    async def scenario() -> None:
        store, other = Store(redis_url, 0.5), Store(redis_url, 0.5)
        writing = asyncio.ensure_future(work(store))
        looks = 0
        while not writing.done():
            found: Any = await other.call(other.client.hgetall(KEY))
            looks += 1
            assert b"_checked_ts" in found and found.keys() <= {b"_checked_ts", b"depth:SPY"}
        await writing
        assert looks > 5
        await store.close()
        await other.close()

    asyncio.run(scenario())


def test_a_key_of_another_type_is_replaced(redis_url: str, client: redis.Redis) -> None:
    client.set(KEY, "text")
    write(redis_url, {"depth:SPY": ROW})
    assert hash_of(client).keys() == {"depth:SPY", "_checked_ts"}


def test_the_prefix_is_before_the_key(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, {}, 9, "tv:")
    assert hash_of(client, f"tv:{KEY}") == {"_checked_ts": "9"}
    assert client.keys("*") == [f"tv:{KEY}"]


def test_orders_wait_in_their_order_and_not_for_ever(redis_url: str, client: redis.Redis) -> None:
    order(redis_url, command="resubscribe", symbol="SPY", by="watchdog", ts=1)
    order(redis_url, command="reconnect", by="watchdog", ts=2)
    assert waiting(client) == [
        {"command": "resubscribe", "symbol": "SPY", "by": "watchdog", "ts": 1},
        {"command": "reconnect", "by": "watchdog", "ts": 2},
    ]
    assert 58 <= int(str(client.ttl(CONTROL))) <= 60


def test_of_too_many_orders_the_newest_wait(redis_url: str, client: redis.Redis) -> None:
    async def work(store: Store) -> None:
        for at in range(130):
            await send_order(store, Keys(), "ibkr_depth", {"command": "reconnect", "ts": at})

    on(redis_url, work)
    assert [one["ts"] for one in waiting(client)] == list(range(30, 130))


def test_a_worker_obeys_what_was_sent(redis_url: str, client: redis.Redis) -> None:
    obeyed: list[str] = []
    told: list[tuple[str, str, str]] = []

    async def renew(symbol: str) -> str:
        obeyed.append(symbol)
        return ""

    async def work(store: Store) -> None:
        inbox = ControlInbox(
            store, Keys(), "ibkr_depth", {"resubscribe": renew},
            lambda kind, symbol, text: told.append((kind, symbol, text)),
        )  # fmt: skip
        sent = {"command": "resubscribe", "symbol": "SPY", "by": "watchdog"}
        await send_order(store, Keys(), "ibkr_depth", sent)
        running = asyncio.ensure_future(inbox.run())
        await until(lambda: told, 5.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    on(redis_url, work)
    assert obeyed == ["SPY"]
    assert told == [("control", "SPY", "resubscribe SPY, asked by watchdog: done")]
    assert client.exists(CONTROL) == 0


def test_a_redis_that_is_away_is_told() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    with pytest.raises(StoreUnavailable):
        write(url, {})
    with pytest.raises(StoreUnavailable):
        order(url, command="reconnect")


def test_an_order_over_a_key_of_another_type_is_refused(
    redis_url: str, client: redis.Redis
) -> None:
    client.set(CONTROL, "text")
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        order(redis_url, command="reconnect")
