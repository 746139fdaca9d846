from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import redis

from shared.errors import LeaseHeld, SourceMismatch
from shared.store import source
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.lease import Lease

# One key of each row of the contract.
OURS = (
    *("raw:ibkr:depth:stream:SPY", "raw:ibkr:depth:last:SPY", "raw:ibkr:depth:hb:SPY"),
    *("market:SPY:ARCA:book", "market:SPY:book", "market:SPY:ticker", "market:SPY:last"),
    *("market:SPY:trades", "market:SPY:bars:5s", "market:SPY:bars:1min", "market:session"),
    *("options:SPY:calls", "options:SPY:puts", "options:SPY:chain"),
    *("options:SPY:SPY261218C00600000:greeks", "monitoring:options:SPY", "sentiment:AAPL"),
    *("monitoring:sentiment:AAPL", "technicals:SPY:RSI", "heartbeat:ibkr_depth"),
    *("heartbeat:ibkr_ingestion", "ibkr:connected", "monitoring:ibkr:metrics"),
    *("monitoring:data:stale", "monitoring:gaps", "monitoring:depth:coverage"),
    *("monitoring:depth:rotation", "monitoring:incidents", "coord:source"),
    *("coord:ratelimit:alpha_vantage:3f9a1c2b", "coord:breaker:av_options"),
    *("coord:depth:live:SPY", "coord:depth:fallback", "coord:control:ibkr_depth"),
)
FOREIGN = ("rawdata", "marketing:SPY", "celery", "raw:other:SPY")


def with_store(url: str, scenario: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = Store(url, 2.0)
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(run())


def names(url: str) -> set[str]:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return set(client.scan_iter())


def test_the_first_worker_marks_redis_with_its_source(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        assert await source.current(store, Keys()) is None
        await source.claim(store, Keys(), "sim")
        assert await source.current(store, Keys()) == "sim"
        assert await store.call(store.client.ttl("coord:source")) == -1

    with_store(redis_url, scenario)


def test_a_worker_of_the_same_source_may_write_too(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await source.claim(store, Keys(), "sim")
        await source.claim(store, Keys(), "sim")
        assert await source.current(store, Keys()) == "sim"

    with_store(redis_url, scenario)


def test_a_worker_of_another_source_is_told_what_is_there_and_what_to_do(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await source.claim(store, Keys(), "sim")
        with pytest.raises(SourceMismatch) as caught:
            await source.claim(store, Keys(), "live")
        assert str(caught.value) == (
            "this redis holds sim data, was asked to write live: "
            "use another redis, or `tickvisor source --reset` to delete all of it"
        )
        assert await source.current(store, Keys()) == "sim"

    with_store(redis_url, scenario)


def test_another_prefix_is_another_product(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await source.claim(store, Keys(), "sim")
        await source.claim(store, Keys("live:"), "live")
        assert await source.current(store, Keys()) == "sim"
        assert await source.current(store, Keys("live:")) == "live"

    with_store(redis_url, scenario)


def test_a_reset_deletes_every_key_of_the_product_and_nothing_else(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        for name in (*OURS, *FOREIGN):
            await store.call(store.client.set(name, "1"))
        assert await source.reset(store, Keys()) == len(OURS)
        assert names(redis_url) == set(FOREIGN)

    with_store(redis_url, scenario)


def test_a_reset_deletes_more_keys_than_one_batch(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        many = {f"options:SPY:C{number}:greeks": "1" for number in range(2_500)}
        await store.call(store.client.mset(many))
        assert await source.reset(store, Keys()) == 2_500
        assert names(redis_url) == set()

    with_store(redis_url, scenario)


def test_a_reset_under_a_prefix_leaves_the_others_alone(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        for name in ("t.1:market:SPY:book", "market:SPY:book", "tx1:market:SPY:book"):
            await store.call(store.client.set(name, "1"))
        assert await source.reset(store, Keys("t.1:")) == 1
        assert names(redis_url) == {"market:SPY:book", "tx1:market:SPY:book"}

    with_store(redis_url, scenario)


def test_a_reset_is_refused_while_a_worker_lives(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await Lease(store, Keys(), "ibkr_depth").acquire()
        await source.claim(store, Keys(), "sim")
        with pytest.raises(LeaseHeld, match="coord:lease:ibkr_depth is held; stop it first"):
            await source.reset(store, Keys())
        assert names(redis_url) == {"coord:lease:ibkr_depth", "coord:source"}

    with_store(redis_url, scenario)


def test_after_a_reset_another_source_may_claim(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await source.claim(store, Keys(), "sim")
        await source.reset(store, Keys())
        await source.claim(store, Keys(), "live")
        assert await source.current(store, Keys()) == "live"

    with_store(redis_url, scenario)
