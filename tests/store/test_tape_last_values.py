"""Volume and quotes of symbols without a reported print, over a Redis that forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.store.tape_feeding import (
    TapeFeeding,
    kill_connections,
    market_keys,
    running,
    settle,
)
from tests.support.depth_keys import now_ms
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[MarketKeys]:
    with market_keys(redis_server.url) as found:
        yield found


async def forgotten(feed: TapeFeeding, keys: MarketKeys) -> None:
    """Redis comes back empty, and one more print of SPY alone is through."""
    keys.redis.flushall()
    await reached_again(feed, keys)


async def reached_again(feed: TapeFeeding, keys: MarketKeys) -> None:
    """The connection was cut, and one more print of SPY alone is through."""
    kill_connections(keys)
    feed.put(1, ["SPY"])
    await settle(feed)


def volume(feed: TapeFeeding) -> None:
    feed.writer.volume("QQQ", 500.0, now_ms())


def quote(feed: TapeFeeding) -> None:
    feed.writer.quotes.set("QQQ", {"bid": 480.25}, now_ms())
    feed.writer.wake()


def test_a_redis_that_comes_back_empty_gets_the_volume_of_symbols_without_a_reported_print(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(1, ["SPY"])
            feed.put(1, ["TSLA"], unreported=True)
            received_ms = now_ms()
            for symbol, total in (("QQQ", 500.0), ("TSLA", 700.0)):
                feed.writer.volume(symbol, total, received_ms)
            await settle(feed)
            before = [keys.ticker(symbol) for symbol in ("QQQ", "TSLA")]
            await forgotten(feed, keys)
            assert [keys.ticker(symbol) for symbol in ("QQQ", "TSLA")] == before
            assert before == [
                {"volume": total, "last_received_ts": f"{received_ms}", "ts": f"{received_ms}"}
                for total in ("500.0", "700.0")
            ]

    asyncio.run(scenario())


def test_a_redis_that_comes_back_empty_gets_the_quotes_of_symbols_without_a_print(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(1, ["SPY"])
            received_ms = now_ms()
            feed.writer.quotes.set("QQQ", {"bid": 480.25}, received_ms)
            feed.writer.wake()
            await settle(feed)
            before = keys.ticker("QQQ")
            await forgotten(feed, keys)
            assert keys.ticker("QQQ") == before
            assert before == {
                **{"bid": "480.25", "quote_ts": f"{received_ms}", "ts": f"{received_ms}"},
                **{"quote_received_ts": f"{received_ms}", "quote_source": "tob"},
            }

    asyncio.run(scenario())


def test_a_redis_that_comes_back_empty_gets_the_last_price_of_a_symbol_that_is_quiet(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(1, ["SPY", "QQQ"])
            await settle(feed)
            before = (keys.last("QQQ"), keys.ticker("QQQ"))
            await forgotten(feed, keys)
            assert (keys.last("QQQ"), keys.ticker("QQQ")) == before
            assert before[0]["price"] == 100.02

    asyncio.run(scenario())


@pytest.mark.parametrize("said", [volume, quote], ids=["volume", "quote"])
def test_values_are_said_again_after_a_reconnect_though_no_print_was_ever_sent(
    redis_server: RedisServer, keys: MarketKeys, said: Callable[[TapeFeeding], None]
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            said(feed)
            await settle(feed)
            before = keys.ticker("QQQ")
            await forgotten(feed, keys)
            assert before and keys.ticker("QQQ") == before

    asyncio.run(scenario())


@pytest.mark.parametrize("said", [volume, quote], ids=["volume", "quote"])
def test_values_are_said_again_after_a_reconnect_though_redis_has_every_print(
    redis_server: RedisServer, keys: MarketKeys, said: Callable[[TapeFeeding], None]
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(3)
            said(feed)
            await settle(feed)
            before = keys.ticker("QQQ")
            keys.redis.delete("market:QQQ:ticker")
            await reached_again(feed, keys)
            assert before and keys.ticker("QQQ") == before
            assert feed.sink.metrics()["resent"] == 0

    asyncio.run(scenario())


def test_the_last_price_is_said_again_after_a_reconnect_though_redis_has_every_print(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(1, ["QQQ"])
            await settle(feed)
            keys.redis.delete("market:QQQ:last", "market:QQQ:ticker")
            await reached_again(feed, keys)
            assert (keys.last("QQQ")["price"], keys.ticker("QQQ")["last"]) == (100.01, "100.01")

    asyncio.run(scenario())


def test_a_redis_that_comes_back_empty_gets_no_quote_that_was_withdrawn(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(1, ["SPY"])
            for values in ({"bid": 480.25}, None):
                feed.writer.quotes.set("QQQ", values, now_ms())
                feed.writer.wake()
                await settle(feed)
            await forgotten(feed, keys)
            assert keys.ticker("QQQ") == {}

    asyncio.run(scenario())


def test_a_print_fetched_back_after_an_outage_is_in_the_list_and_moves_no_last_price(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(2, ["SPY"])
            feed.fetched("SPY")
            await settle(feed)
            assert [row["feed"] for row in keys.trades("SPY")] == ["tbt", "tbt", "history"]
            assert (keys.last("SPY")["price"], keys.ticker("SPY")["last"]) == (100.02, "100.02")

    asyncio.run(scenario())
