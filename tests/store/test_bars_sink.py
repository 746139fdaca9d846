"""Bars and candles through a sink of their own into a real Redis, and read back from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from shared.market.bar import Bar, Candle
from shared.store.bars import read_bars, read_covered
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.sink import SinkBounds
from tests.store.feeding import until
from tests.store.relay import Fate, relay_to
from tests.store.tape_feeding import (
    SYMBOLS,
    T0,
    WORKER,
    BarsFeeding,
    Countdown,
    forget_ring,
    kill_while,
    market_keys,
    numbers,
    put_for,
    reconnected,
    running,
    settle,
)
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer

SPY_BAR = Bar(T0, 585.9, 586.02, 585.88, 585.94, 1200.0, 585.951, 17)
SPY_CANDLE = Candle(T0, 585.9, 586.1, 585.5, 585.94, 14400.0, None, 204, 12, False, True)
RUBBISH = {b"x": T0 + 5, b'{"t":1}': T0 + 10, b"[]": T0 + 15, b"\xff\xfe": T0 + 20, b"": T0 + 25}


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[MarketKeys]:
    with market_keys(redis_server.url) as found:
        yield found


def bars(keys: MarketKeys, symbol: str) -> list[tuple[int, float]]:
    """Start and close."""
    return [(row["t"], row["close"]) for row in keys.bars(symbol)]


def candles(keys: MarketKeys, symbol: str) -> list[tuple[int, float]]:
    return [(row["t"], row["close"]) for row in keys.candles(symbol)]


def check_all_written(keys: MarketKeys, feed: BarsFeeding) -> None:
    """Every bar and every candle of each symbol once, with the values it was given."""
    count = len(keys.bars("SPY"))
    minutes = count // 12
    assert feed.given == 3 * (count + minutes)
    assert feed.sink.losses.drain() == []
    for symbol in SYMBOLS:
        assert bars(keys, symbol) == [(T0 + 5 * n, n) for n in range(count)]
        assert candles(keys, symbol) == [(T0 + 60 * n, 12 * n + 11) for n in range(minutes)]
        assert numbers(keys)[f"bars:{symbol}"] == str(count + minutes)


def test_thousands_of_bars_and_their_candles_stand_in_order(redis_url: str) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(BarsFeeding(redis_url)) as feed:
            feed.put(1200)
            await settle(feed)
            assert feed.sink.metrics()["writes"] == 3900
            check_all_written(keys, feed)
            assert len(keys.candles("QQQ")) == 100

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_a_corrected_bar_stands_in_place_of_the_old_one(redis_url: str) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(BarsFeeding(redis_url)) as feed:
            for close in (1.0, 2.0, 3.0):
                feed.bar("SPY", T0, close)
                feed.bar("SPY", T0 + 5, close)
                feed.candle("SPY", T0, close)
                await settle(feed)
            feed.bar("SPY", T0, 4.0)
            feed.bar("SPY", T0, 5.0)
            await settle(feed)
        assert bars(keys, "SPY") == [(T0, 5.0), (T0 + 5, 3.0)]
        assert candles(keys, "SPY") == [(T0, 3.0)]

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_a_second_process_goes_on_with_the_next_number(redis_url: str) -> None:
    async def run(close: float) -> None:
        async with running(BarsFeeding(redis_url)) as feed:
            feed.bar("SPY", T0, close)
            feed.bar("SPY", T0 + 5, close)
            await settle(feed)

    with market_keys(redis_url) as keys:
        asyncio.run(run(1.0))
        asyncio.run(run(2.0))
        assert numbers(keys)["bars:SPY"] == "4"
        assert bars(keys, "SPY") == [(T0, 2.0), (T0 + 5, 2.0)]


def test_a_script_flush_while_bars_come_costs_nothing(redis_url: str) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(BarsFeeding(redis_url)) as feed:
            putting = asyncio.ensure_future(put_for(feed, 0.4))
            while not putting.done():
                await asyncio.to_thread(keys.redis.script_flush)
                await asyncio.sleep(0.02)
            await putting
            await settle(feed)
            check_all_written(keys, feed)

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_none_is_doubled_or_missing_over_two_kills_of_redis(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            putting = asyncio.ensure_future(put_for(feed, 0.8))
            for _ in range(2):
                await asyncio.sleep(0.15)
                await asyncio.to_thread(redis_server.kill)
                await until(lambda: not feed.sink.available, 2)
                await asyncio.to_thread(redis_server.start)
            await putting
            await settle(feed)
            check_all_written(keys, feed)

    asyncio.run(scenario())


def test_none_is_doubled_or_missing_over_many_cuts_of_the_connection(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            await kill_while(asyncio.ensure_future(put_for(feed, 20)), keys, cuts=12)
            await settle(feed)
            check_all_written(keys, feed)

    asyncio.run(scenario())


def test_a_cut_anywhere_in_a_flush_leaves_the_newest_version_of_each_bar(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            countdown = Countdown(relay)
            async with running(BarsFeeding(relay.url)) as feed:
                for version in range(1, 9):
                    # A flush is one call per symbol and what is covered.
                    fate = Fate.CUT_BEFORE if version % 2 else Fate.CUT_AFTER
                    countdown.arm(fate, (version + 1) // 2)
                    for symbol in SYMBOLS:
                        feed.bar(symbol, T0, version - 0.5)
                        feed.bar(symbol, T0, version)
                    feed.writer.cover({"SPY": version})
                    await settle(feed)
                    assert {s: bars(keys, s) for s in SYMBOLS} == dict.fromkeys(
                        SYMBOLS, [(T0, version)]
                    )
                    assert keys.hash("coord:covered:ibkr_trades") == {"SPY": str(version)}
            assert relay.cuts == 8

    asyncio.run(scenario())


def test_in_an_outage_the_oldest_beyond_the_bound_are_lost_without_numbers(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url, SinkBounds(10, 10_000_000, 5))) as feed:
            for n in range(4):
                feed.bar("SPY", T0 + 5 * n, n)
            await settle(feed)
            redis_server.stop()
            for n in range(4, 30):
                feed.bar("SPY", T0 + 5 * n, n)
            await until(lambda: not feed.sink.available, 2)
            redis_server.start()
            await settle(feed)
            [gap] = feed.sink.losses.drain()
            assert (gap.feed, gap.symbol, gap.reason) == ("bars", "SPY", "queue full")
            assert (gap.from_seq, gap.to_seq, gap.count) == (None, None, 16)
            assert (gap.from_ts, gap.to_ts) == ((T0 + 20) * 1000, (T0 + 95) * 1000)
            assert bars(keys, "SPY") == [(T0 + 5 * n, n) for n in [*range(4), *range(20, 30)]]

    asyncio.run(scenario())


def test_a_redis_that_comes_back_empty_gets_the_ring_and_the_rest_is_a_loss(
    redis_server: RedisServer, keys: MarketKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_server.url)) as feed:
            feed.put(8, ["SPY"])
            await settle(feed)
            await forget_ring(feed, monkeypatch)
            feed.put(6, ["SPY"])
            await settle(feed)
            keys.redis.flushall()
            await reconnected(feed, keys)
            losses = {gap.symbol: gap for gap in feed.sink.losses.drain()}
            assert {(g.reason, g.from_seq, g.to_seq) for g in losses.values()} == {
                ("redis restart", None, None)
            }
            assert {symbol: gap.count for symbol, gap in losses.items()} == {"SPY": 8, "TSLA": 1}
            assert losses["SPY"].from_ts == T0 * 1000
            assert bars(keys, "SPY") == [(T0 + 5 * n, n) for n in range(8, 15)]
            assert candles(keys, "SPY") == [(T0, 11)]

    asyncio.run(scenario())


# Read back


Found = tuple[tuple[list[Bar], list[Candle]], dict[str, int]]


def read(url: str, since_s: int) -> Found:
    async def reading() -> Found:
        store = Store(url, 2.0)
        try:
            found = await read_bars(store, Keys(), "SPY", since_s)
            return found, await read_covered(store, Keys(), WORKER)
        finally:
            await store.close()

    return asyncio.run(reading())


def test_what_was_written_is_read_back(redis_url: str) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_url)) as feed:
            feed.writer.bar("SPY", SPY_BAR, 0.0)
            feed.writer.candle("SPY", SPY_CANDLE, 0.0)
            feed.writer.cover({"SPY": 1_790_000_045_000, "QQQ": 5})

    asyncio.run(scenario())
    covered = {"SPY": 1_790_000_045_000, "QQQ": 5}
    assert read(redis_url, T0) == (([SPY_BAR], [SPY_CANDLE]), covered)
    assert read(redis_url, T0 + 1) == (([], []), covered)


def test_of_a_redis_without_bars_nothing_is_read(redis_url: str) -> None:
    assert read(redis_url, 0) == (([], []), {})


def test_members_that_cannot_be_read_are_left_out(redis_url: str) -> None:
    async def scenario() -> None:
        async with running(BarsFeeding(redis_url)) as feed:
            feed.writer.bar("SPY", SPY_BAR, 0.0)
            feed.writer.candle("SPY", SPY_CANDLE, 0.0)
            await until(lambda: feed.sink.metrics()["writes"] == 2, 5)

    asyncio.run(scenario())
    with market_keys(redis_url) as keys:
        for key in ("market:SPY:bars:5s", "market:SPY:bars:1min"):
            keys.redis.zadd(key, dict(RUBBISH))
        keys.redis.hset("coord:covered:ibkr_trades", mapping={"SPY": "7", "QQQ": "-7", "X": "x"})
    assert read(redis_url, 0) == (([SPY_BAR], [SPY_CANDLE]), {"SPY": 7})
