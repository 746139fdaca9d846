"""Last values of depth that Redis lost while it kept every entry: said again after a reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.store.feeding import Feeding, feeding
from tests.store.tape_feeding import kill_connections, market_keys
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer


async def reached_again(feed: Feeding, keys: MarketKeys) -> None:
    """The connection was cut, and one more row of SPY alone is through."""
    kill_connections(keys)
    feed.put(1, ["SPY"])
    await feed.settle()


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ("raw:ibkr:depth:last:QQQ", MarketKeys.hash),
        ("raw:ibkr:depth:hb:QQQ", MarketKeys.text),
        ("market:QQQ:ARCA:book", MarketKeys.text),
        ("market:QQQ:book", MarketKeys.text),
    ],
)
def test_each_last_value_is_said_again_though_no_entry_was_lost(
    redis_server: RedisServer, key: str, read: Callable[[MarketKeys, str], Any]
) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(3)
            await feed.settle()
            before = read(keys, key)
            keys.redis.delete(key)
            await reached_again(feed, keys)
            assert before and read(keys, key) == before
            assert feed.sink.metrics()["resent"] == 0

    with market_keys(redis_server.url) as found:
        asyncio.run(scenario(found))


def test_the_quote_of_a_quiet_symbol_is_said_again_though_no_entry_was_lost(
    redis_server: RedisServer,
) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with feeding(redis_server.url) as feed:
            feed.claim()
            feed.put(3)
            await feed.settle()
            before = keys.ticker("QQQ")
            keys.redis.delete("market:QQQ:ticker")
            await reached_again(feed, keys)
            assert before and keys.ticker("QQQ") == before

    with market_keys(redis_server.url) as found:
        asyncio.run(scenario(found))
