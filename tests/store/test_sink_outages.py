"""Redis goes away, fills up, or comes back with less than it had."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.market.depth import Pair
from shared.store.sink import SinkBounds
from tests.store.feeding import Feeding, feeding, lost_numbers, until
from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer
from tests.unit.store.updates import UPDATE_BYTES

SPY_STREAM = "raw:ibkr:depth:stream:SPY"


def check_all_written(keys: DepthKeys, feed: Feeding) -> None:
    assert feed.losses() == []
    for symbol in ("SPY", "QQQ"):
        assert keys.seqs(symbol) == list(range(1, feed.given // 2 + 1))


def kill_connection(keys: DepthKeys) -> None:
    """Makes the sink connect and compare again."""
    keys.redis.execute_command("CLIENT", "KILL", "TYPE", "normal")  # type: ignore[no-untyped-call]


async def reconnected(feed: Feeding, keys: DepthKeys) -> None:
    """The sink has compared with what Redis has now: one more update is through."""
    kill_connection(keys)
    feed.put(1)
    await feed.settle()


@pytest.mark.parametrize("end", [RedisServer.stop, RedisServer.kill], ids=["stopped", "killed"])
def test_nothing_is_lost_over_a_restart_while_updates_come(
    redis_server: RedisServer, keys: DepthKeys, end: Callable[[RedisServer], None]
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            putting = asyncio.ensure_future(feed.put_for(1.2))
            for _ in range(2):
                await asyncio.sleep(0.15)
                await asyncio.to_thread(end, redis_server)
                await until(lambda: not feed.sink.available, 2)
                await asyncio.to_thread(redis_server.start)
            await putting
            await feed.settle()
            check_all_written(keys, feed)

    asyncio.run(scenario())


def test_a_frozen_redis_is_waited_for(redis_server: RedisServer, keys: DepthKeys) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(1)
            await feed.settle()
            redis_server.pause()
            await feed.put_for(0.5)
            redis_server.resume()
            await feed.settle()
            check_all_written(keys, feed)
            assert feed.sink.metrics()["max_lag_ms"] > 300

    asyncio.run(scenario())


def test_an_outage_is_told_once_when_it_starts(
    redis_server: RedisServer, warnings_logged: list[str]
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            redis_server.stop()
            feed.put(1, ["SPY"])
            await asyncio.sleep(0.4)
            redis_server.start()
            await feed.settle()

    asyncio.run(scenario())
    [text] = warnings_logged
    assert text.startswith("redis_write_failed: XADD SPY: redis")


def test_in_an_outage_the_oldest_beyond_the_bound_are_lost_and_entered_exactly(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url, SinkBounds(100, 10_000_000, 20)) as feed:
            feed.put(7)
            await feed.settle()
            redis_server.stop()
            for _ in range(10):
                feed.put(15)
                await asyncio.sleep(0.02)
            redis_server.start()
            await feed.settle()
            losses = feed.losses()
            assert {gap.reason for gap in losses} == {"queue full"}
            for symbol in ("SPY", "QQQ"):
                # Of 150 the newest 50 are kept: half of the bound is the other symbol's.
                assert lost_numbers(losses, symbol) == list(range(8, 108))
                assert keys.seqs(symbol) == [*range(1, 8), *range(108, 158)]
            assert feed.sink.metrics()["dropped"] == 200

    asyncio.run(scenario())


def test_the_bound_of_bytes_holds_too(redis_server: RedisServer, keys: DepthKeys) -> None:
    async def scenario() -> None:
        bounds = SinkBounds(10_000, 10 * UPDATE_BYTES, 200)
        async with feeding(redis_server.url, bounds) as feed:
            redis_server.stop()
            feed.put(15, ["SPY"])
            await asyncio.sleep(0.05)
            redis_server.start()
            await feed.settle()
            [gap] = feed.losses()
            assert (gap.from_seq, gap.to_seq, gap.count) == (1, 5, 5)
            assert keys.seqs("SPY") == list(range(6, 16))

    asyncio.run(scenario())


def test_out_of_memory_is_one_outage_and_nothing_is_lost(
    redis_server: RedisServer, keys: DepthKeys, warnings_logged: list[str]
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(10)
            await feed.settle()
            keys.redis.config_set("maxmemory", 1)
            await feed.put_for(0.6)
            assert not feed.sink.available
            assert keys.seqs("SPY") == list(range(1, 11))
            keys.redis.config_set("maxmemory", 0)
            await feed.settle()
            check_all_written(keys, feed)

    asyncio.run(scenario())
    [text] = warnings_logged
    assert text.startswith("redis_write_failed: XADD SPY: OOM")


def test_a_stream_of_another_type_costs_its_own_symbol_alone(
    redis_server: RedisServer, keys: DepthKeys, warnings_logged: list[str]
) -> None:
    async def scenario() -> None:
        keys.redis.set(SPY_STREAM, "not a stream")
        async with feeding(redis_server.url) as feed:
            for _ in range(3):
                feed.put(10)
                await feed.settle()
            await reconnected(feed, keys)
            said, losses = feed.sink.metrics(), feed.losses()
            assert lost_numbers(losses, "SPY") == list(range(1, 32))
            assert lost_numbers(losses, "QQQ") == []
            assert keys.seqs("QQQ") == list(range(1, 32))
            assert (said["writes"], said["dropped"], said["refused"]) == (31, 31, 31)
            assert losses[0].reason.startswith("redis refused: WRONGTYPE")
            keys.redis.delete(SPY_STREAM)
            await reconnected(feed, keys)
            assert keys.seqs("SPY") == [32]

    asyncio.run(scenario())
    refused = [text for text in warnings_logged if "WRONGTYPE" in text]
    assert len(refused) == 1


def test_entries_that_an_older_file_lacks_are_sent_again(
    redis_server: RedisServer, keys: DepthKeys, aof: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(20)
            await feed.settle()
            shutil.copytree(aof, tmp_path / "older")
            feed.put(30)
            await feed.settle()
            redis_server.kill()
            shutil.rmtree(aof)
            shutil.copytree(tmp_path / "older", aof)
            feed.put(5)
            redis_server.start()
            await feed.settle()
            check_all_written(keys, feed)
            assert (feed.given, feed.sink.metrics()["resent"]) == (110, 60)
            assert keys.hash("raw:ibkr:depth:last:SPY")["seq"] == "55"

    asyncio.run(scenario())


def test_a_deleted_stream_is_sent_again_from_the_ring(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(20)
            await feed.settle()
            keys.redis.delete(SPY_STREAM)
            await reconnected(feed, keys)
            check_all_written(keys, feed)
            assert feed.sink.metrics()["resent"] == 20

    asyncio.run(scenario())


def test_what_the_ring_no_longer_has_is_entered_as_a_gap_with_its_times(
    redis_server: RedisServer, keys: DepthKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(20, ["SPY"])
            await feed.settle()
            times = [entry.ts for entry in keys.entries("SPY")]
            monkeypatch.setattr("shared.store.backlog.RING_S", -1.0)
            feed.put(1, ["QQQ"])
            await feed.settle()
            monkeypatch.setattr("shared.store.backlog.RING_S", 5.0)
            keys.redis.delete(SPY_STREAM)
            await reconnected(feed, keys)
            [gap] = feed.losses()
            assert (gap.symbol, gap.reason, gap.numbers()) == (
                "SPY",
                "redis restart",
                set(range(1, 21)),
            )
            assert (gap.from_ts, gap.to_ts, gap.count) == (times[0], times[-1], 20)
            assert keys.seqs("SPY") == [21]
            assert feed.sink.metrics()["writes"] == 3

    asyncio.run(scenario())


def test_a_redis_that_comes_back_empty_gets_last_values_of_quiet_symbols_too(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(3)
            await feed.settle()
            feed.writer.park(Pair("QQQ", "ARCA"))
            await feed.settle()
            keys.redis.flushall()
            kill_connection(keys)
            feed.put(1, ["SPY"])
            await feed.settle()
            assert (keys.seqs("SPY"), keys.seqs("QQQ")) == ([1, 2, 3, 4], [1, 2, 3])
            assert keys.hash("raw:ibkr:depth:last:QQQ")["seq"] == "3"
            assert keys.venue_book("SPY", "ARCA")["state"] == "live"
            assert keys.venue_book("QQQ", "ARCA")["state"] == "parked"
            assert keys.json("market:QQQ:book") is None
            assert keys.hash("market:QQQ:ticker") == {}

    asyncio.run(scenario())


def test_entries_that_a_trimmed_stream_refuses_are_lost_once(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            feed.put(20)
            await feed.settle()
            keys.redis.xtrim(SPY_STREAM, maxlen=0, approximate=False)
            await reconnected(feed, keys)
            await reconnected(feed, keys)
            losses = feed.losses()
            assert lost_numbers(losses, "SPY") == list(range(1, 21))
            assert "equal or smaller" in losses[0].reason
            assert keys.seqs("SPY") == [21, 22]
            assert keys.seqs("QQQ") == list(range(1, 23))

    asyncio.run(scenario())
