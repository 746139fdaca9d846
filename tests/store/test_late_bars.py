"""Bars are numbered as they are written: what is lost of late ones is a gap that runs forwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from shared.store.sink import SinkBounds
from tests.store.feeding import until
from tests.store.tape_feeding import (
    T0,
    BarsFeeding,
    forget_ring,
    market_keys,
    reconnected,
    running,
    settle,
)
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[MarketKeys]:
    with market_keys(redis_server.url) as found:
        yield found


def put(feed: BarsFeeding, *numbers: int) -> None:
    """SPY's bars of these places since T0, written in this order."""
    for number in numbers:
        feed.bar("SPY", T0 + 5 * number, number)


def test_a_gap_of_late_bars_that_fell_out_of_the_queue_runs_forwards(
    redis_server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url, SinkBounds(10, 10_000_000, 5))) as feed:
            put(feed, 0)
            await settle(feed)
            redis_server.stop()
            put(feed, *range(20, 26), *range(1, 5), *range(30, 40))
            await until(lambda: not feed.sink.available, 2)
            redis_server.start()
            await settle(feed)
            [gap] = feed.sink.losses.drain()
            assert (gap.symbol, gap.reason, gap.count) == ("SPY", "queue full", 10)
            assert (gap.from_ts, gap.to_ts) == ((T0 + 5) * 1000, (T0 + 125) * 1000)

    asyncio.run(scenario())


def test_a_gap_of_late_bars_that_redis_forgot_runs_forwards(
    redis_server: RedisServer, keys: MarketKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            put(feed, *range(20, 26), *range(1, 5))
            await settle(feed)
            await forget_ring(feed, monkeypatch)
            keys.redis.flushall()
            await reconnected(feed, keys)
            [gap] = [gap for gap in feed.sink.losses.drain() if gap.symbol == "SPY"]
            assert (gap.reason, gap.count) == ("redis restart", 10)
            assert (gap.from_ts, gap.to_ts) == ((T0 + 5) * 1000, (T0 + 125) * 1000)

    asyncio.run(scenario())


def test_a_gap_of_late_bars_behind_which_redis_stands_covers_them(
    redis_server: RedisServer, keys: MarketKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            put(feed, *range(20, 26), *range(1, 5))
            await settle(feed)
            await forget_ring(feed, monkeypatch)
            # Redis is back without the last two writes, the bars of T0 + 15 and T0 + 20.
            keys.redis.zremrangebyscore("market:SPY:bars:5s", T0 + 15, T0 + 20)
            keys.redis.hset("coord:seq:ibkr_trades", "bars:SPY", 8)
            await reconnected(feed, keys)
            [gap] = [gap for gap in feed.sink.losses.drain() if gap.symbol == "SPY"]
            assert (gap.reason, gap.count) == ("redis restart", 2)
            assert (gap.from_ts, gap.to_ts) == ((T0 + 5) * 1000, (T0 + 125) * 1000)

    asyncio.run(scenario())


def test_a_gap_of_bars_before_a_late_one_that_is_sent_again_covers_them(
    redis_server: RedisServer, keys: MarketKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            put(feed, *range(20, 26))
            await settle(feed)
            await forget_ring(feed, monkeypatch)
            put(feed, 1)
            await settle(feed)
            keys.redis.flushall()
            await reconnected(feed, keys)
            [gap] = [gap for gap in feed.sink.losses.drain() if gap.symbol == "SPY"]
            assert (gap.reason, gap.count) == ("redis restart", 6)
            assert (gap.from_ts, gap.to_ts) == ((T0 + 5) * 1000, (T0 + 125) * 1000)
            assert T0 + 5 in [row["t"] for row in keys.bars("SPY")]

    asyncio.run(scenario())


def test_candles_of_another_type_cost_bars_and_candles_and_are_entered_once(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            put(feed, 0)
            await settle(feed)
            keys.redis.set("market:SPY:bars:1min", "no set")
            feed.bar("SPY", T0 + 5, 1)
            feed.candle("SPY", T0, 1)
            await settle(feed)
            [gap] = feed.sink.losses.drain()
            assert (gap.symbol, gap.count) == ("SPY", 2)
            assert gap.reason.startswith("redis refused: WRONGTYPE market:SPY:bars:1min")
            assert [row["t"] for row in keys.bars("SPY")] == [T0]
            assert 86_390 <= int(str(keys.redis.ttl("market:SPY:bars:5s"))) <= 86_400

    asyncio.run(scenario())
