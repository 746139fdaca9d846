"""The sink with its own connection on a Redis that works."""

from __future__ import annotations

import asyncio
import time

import redis

from shared.market.depth import Pair
from shared.store.sink import SinkBounds
from tests.store.feeding import Feeding, feeding, lost_numbers, until
from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer
from tests.unit.store.updates import ASKS, BIDS


def test_everything_is_written_once_and_in_order(redis_url: str) -> None:
    async def scenario() -> None:
        async with feeding(redis_url) as feed:
            feed.put(1_000)
            await feed.put_for(0.3)
            await feed.settle()
            said = feed.sink.metrics()
            with DepthKeys(redis_url) as keys:
                for symbol in ("SPY", "QQQ"):
                    assert keys.seqs(symbol) == list(range(1, feed.given // 2 + 1))
            assert (said["writes"], said["dropped"], said["refused"]) == (feed.given, 0, 0)
            assert (said["resent"], sum(said["latency_counts"])) == (0, feed.given)
            assert said["flushes"] + said["conflated"] < feed.given < 2 * said["conflated"]

    asyncio.run(scenario())


def test_one_update_of_an_idle_sink_leaves_every_key(redis_url: str) -> None:
    async def scenario(keys: DepthKeys) -> None:
        async with feeding(redis_url) as feed:
            feed.put(1, ["SPY"])
            feed.writer.quoting({"SPY": ["ARCA"]})
            await feed.settle()
        assert sorted(keys.redis.keys("*SPY*")) == [
            *("coord:depth:live:SPY", "market:SPY:ARCA:book", "market:SPY:book"),
            *("market:SPY:ticker", "raw:ibkr:depth:hb:SPY", "raw:ibkr:depth:last:SPY"),
            "raw:ibkr:depth:stream:SPY",
        ]
        [(_, fields)] = keys.stream("raw:ibkr:depth:stream:SPY")
        assert (fields["bids"], fields["asks"]) == (BIDS.decode(), ASKS.decode())
        assert keys.hash("market:SPY:ticker")["spread_bps"] == "1.9998"

    with DepthKeys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_a_flush_never_carries_more_updates_than_allowed(redis_url: str) -> None:
    async def scenario() -> None:
        async with feeding(redis_url, SinkBounds(50_000, 134_217_728, 10)) as feed:
            feed.put(100, ["SPY"])
            await feed.settle()
            assert feed.sink.metrics()["flushes"] == 10

    asyncio.run(scenario())


def test_stopping_writes_what_is_queued_first(redis_url: str) -> None:
    async def scenario() -> None:
        async with feeding(redis_url) as feed:
            feed.put(2_000)

    asyncio.run(scenario())
    with DepthKeys(redis_url) as keys:
        assert keys.seqs("SPY") == list(range(1, 2_001))


def test_numbers_go_on_where_the_last_process_ended(redis_url: str) -> None:
    async def run(count: int) -> None:
        async with feeding(redis_url) as feed:
            feed.put(count)
            await feed.settle()

    asyncio.run(run(5))
    asyncio.run(run(3))
    with DepthKeys(redis_url) as keys:
        assert keys.seqs("SPY") == [1, 2, 3, 4, 5, 6, 7, 8]


def test_numbers_go_on_from_the_last_hash_where_the_stream_was_deleted(redis_url: str) -> None:
    async def run() -> None:
        async with feeding(redis_url) as feed:
            feed.put(2)
            await feed.settle()

    asyncio.run(run())
    with DepthKeys(redis_url) as keys:
        keys.redis.delete("raw:ibkr:depth:stream:SPY")
        asyncio.run(run())
        assert keys.seqs("SPY") == [3, 4]


def test_ids_go_on_growing_where_the_clock_has_stepped_back(redis_url: str) -> None:
    ahead = time.time_ns() // 1_000_000 + 3_600_000

    async def run() -> None:
        async with feeding(redis_url) as feed:
            feed.put(2)
            await feed.settle()

    with DepthKeys(redis_url) as keys:
        keys.redis.xadd("raw:ibkr:depth:stream:SPY", {"seq": 7}, f"{ahead}-7")
        asyncio.run(run())
        ids = [entry_id for entry_id, _ in keys.stream("raw:ibkr:depth:stream:SPY")]
        assert ids == [f"{ahead}-7", f"{ahead}-8", f"{ahead}-9"]


def test_parking_is_written_without_any_further_update(redis_url: str) -> None:
    async def scenario(keys: DepthKeys) -> None:
        async with feeding(redis_url) as feed:
            feed.put(1)
            await feed.settle()
            feed.writer.park(Pair("SPY", "ARCA"))
            await feed.settle()
        assert keys.venue_book("SPY", "ARCA")["state"] == "parked"
        assert keys.hash("market:SPY:ticker") == {}
        assert keys.venue_book("QQQ", "ARCA")["state"] == "live"

    with DepthKeys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_a_quote_older_than_the_stored_one_is_dropped_and_counted(redis_url: str) -> None:
    async def scenario(keys: DepthKeys) -> None:
        async with feeding(redis_url) as feed:
            soon = time.time_ns() // 1_000_000 + 1_500
            keys.redis.hset("coord:quote:ts", mapping={"SPY": soon, "QQQ": soon + 60_000})
            for symbol in ("SPY", "QQQ"):
                keys.redis.hset(f"market:{symbol}:ticker", "bid", "1.0")
            feed.claim()
            feed.put(1)
            await feed.settle()
            said = feed.sink.metrics()
            assert (said["late_quotes"], said["future_quotes"]) == (1, 1)
            assert keys.hash("market:SPY:ticker")["bid"] == "1.0"
            assert keys.hash("market:QQQ:ticker")["bid"] == "100.0"

    with DepthKeys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_a_script_flush_between_two_updates_costs_nothing(redis_url: str) -> None:
    async def scenario(client: redis.Redis) -> None:
        async with feeding(redis_url) as feed:
            feed.claim()
            feed.put(10)
            await feed.settle()
            client.hset("market:SPY:ticker", "bid", "1.0")
            client.script_flush()
            feed.put(1)
            await feed.settle()
            assert client.hget("market:SPY:ticker", "bid") == b"100.0"
            assert feed.sink.metrics()["dropped"] == 0

    with redis.Redis.from_url(redis_url) as client, DepthKeys(redis_url) as keys:
        asyncio.run(scenario(client))
        assert keys.seqs("SPY") == list(range(1, 12))


def test_a_script_flush_while_updates_stream_in_costs_nothing(redis_url: str) -> None:
    async def scenario(client: redis.Redis) -> int:
        async with feeding(redis_url) as feed:
            putting = asyncio.ensure_future(feed.put_for(0.6))
            while not putting.done():
                await asyncio.to_thread(client.script_flush)
                await asyncio.sleep(0.02)
            await putting
            await feed.settle()
            assert feed.losses() == []
            return feed.given // 2

    with redis.Redis.from_url(redis_url) as client, DepthKeys(redis_url) as keys:
        given = asyncio.run(scenario(client))
        assert keys.seqs("SPY") == keys.seqs("QQQ") == list(range(1, given + 1))
        assert keys.hash("raw:ibkr:depth:last:SPY")["seq"] == str(given)


def test_what_cannot_be_written_before_the_stop_is_counted_in_flight_or_not(
    redis_server: RedisServer,
) -> None:
    async def scenario() -> None:
        feed = Feeding(redis_server.url)
        await feed.sink.open(feed.stop)
        writing = asyncio.ensure_future(feed.sink.run())
        redis_server.pause()
        feed.put(500)
        # One flush is in flight and one prepared behind it.
        await until(lambda: feed.sink.metrics()["queue_depth"] == 600, 2)
        feed.sink.stop()
        assert feed.sink.abandon() == 1_000
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        said, losses = feed.sink.metrics(), feed.losses()
        assert (said["writes"], said["dropped"], said["queue_bytes"]) == (0, 1_000, 0)
        for symbol in ("SPY", "QQQ"):
            assert lost_numbers(losses, symbol) == list(range(1, 501))

    asyncio.run(scenario())
