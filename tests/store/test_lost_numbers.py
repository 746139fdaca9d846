"""Numbers that a run gave and lost are known from the gaps, and the next run goes on behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest
import redis
from loguru import logger

from shared.errors import StoreUnavailable
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.losses import GapEntry
from shared.store.monitoring import Ledger, lost_numbers
from tests.store.feeding import Feeding, feeding, until
from tests.store.tape_feeding import TapeFeeding, market_keys, running, settle
from tests.support.market_keys import MarketKeys
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

GAPS = "monitoring:gaps"


def gap(to_seq: int | None, symbol: str = "SPY", feed: str = "depth") -> GapEntry:
    """The last two numbers up to this one, or a time of which no number is known."""
    from_seq = None if to_seq is None else to_seq - 1
    return GapEntry(feed, symbol, "ARCA", from_seq, to_seq, 1000, 2000, "test", 2)


async def enter(url: str, entries: Iterable[GapEntry], prefix: str = "") -> None:
    """As a worker does when it ends."""
    store = Store(url, 2.0)
    ledger = Ledger(store, Keys(prefix), "worker")
    for entry in entries:
        ledger.gap(entry)
    assert await ledger.flush(5.0)
    await store.close()


async def read(url: str, feed: str, prefix: str = "") -> dict[str, int]:
    store = Store(url, 2.0)
    try:
        return await lost_numbers(store, Keys(prefix), feed)
    finally:
        await store.close()


def found(url: str, *entries: GapEntry, feed: str = "depth") -> dict[str, int]:
    async def scenario() -> dict[str, int]:
        await enter(url, entries)
        return await read(url, feed)

    return asyncio.run(scenario())


def test_where_nothing_was_lost_there_are_no_numbers(redis_url: str) -> None:
    assert found(redis_url) == {}


def test_the_newest_number_of_each_symbol_is_told(redis_url: str) -> None:
    assert found(redis_url, gap(7), gap(30, "QQQ"), gap(12)) == {"SPY": 12, "QQQ": 30}


def test_the_highest_number_counts_though_it_was_entered_first(redis_url: str) -> None:
    assert found(redis_url, gap(12), gap(7)) == {"SPY": 12}


def test_gaps_of_other_feeds_are_left_out(redis_url: str) -> None:
    assert found(redis_url, gap(7), gap(50, feed="trades"), gap(60, feed="bars")) == {"SPY": 7}


def test_gaps_without_numbers_are_left_out(redis_url: str) -> None:
    assert found(redis_url, gap(7), gap(None), gap(None, "QQQ")) == {"SPY": 7}


def test_lines_that_others_wrote_are_left_out(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(GAPS, {"feed": "depth", "symbol": "QQQ", "to_seq": "-5"})
        client.xadd(GAPS, {"feed": "depth", "symbol": "QQQ", "to_seq": "many"})
        client.xadd(GAPS, {"feed": "depth", "symbol": "QQQ"})
        client.xadd(GAPS, {"hello": "world"})
    assert found(redis_url, gap(7)) == {"SPY": 7}


def test_two_thousand_newer_lines_of_others_do_not_hide_a_number(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client, client.pipeline(transaction=False) as pipe:
        pipe.xadd(GAPS, {"feed": "depth", "symbol": "SPY", "to_seq": "7"})
        for _ in range(1_999):
            pipe.xadd(GAPS, {"feed": "bars", "symbol": "SPY", "to_seq": ""})
        pipe.execute()
    assert found(redis_url) == {"SPY": 7}


def test_gaps_under_another_prefix_are_not_read(redis_url: str) -> None:
    async def scenario() -> list[dict[str, int]]:
        await enter(redis_url, [gap(7)], "t:")
        return [await read(redis_url, "depth"), await read(redis_url, "depth", "t:")]

    assert asyncio.run(scenario()) == [{}, {"SPY": 7}]


@pytest.fixture
def errors_logged() -> Iterator[list[str]]:
    texts: list[str] = []
    number = logger.add(lambda message: texts.append(message.record["message"]), level="ERROR")
    yield texts
    logger.remove(number)


def test_gaps_of_another_type_tell_no_numbers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(GAPS, "no stream")
    assert asyncio.run(read(redis_url, "depth")) == {}


def test_gaps_of_another_type_are_logged_as_an_error(
    redis_url: str, errors_logged: list[str]
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(GAPS, "no stream")
    asyncio.run(read(redis_url, "depth"))
    [text] = errors_logged
    assert text.startswith("monitoring:gaps cannot be read: ")
    assert "WRONGTYPE" in text


def test_gaps_that_can_be_read_log_no_error(redis_url: str, errors_logged: list[str]) -> None:
    assert found(redis_url, gap(7)) == {"SPY": 7}
    assert errors_logged == []


def test_a_redis_that_is_away_is_not_taken_for_one_without_gaps() -> None:
    with pytest.raises(StoreUnavailable):
        asyncio.run(read(f"redis://127.0.0.1:{free_port()}/0", "depth"))


# Over a restart of the worker


async def cut_short(feed: Feeding | TapeFeeding, redis_server: RedisServer, lost: int) -> None:
    """Redis goes away, `lost` more of SPY are given, and the worker gives up; then it is back."""
    writing = asyncio.ensure_future(feed.sink.run())
    feed.put(5, ["SPY"])
    await until(lambda: feed.sink.metrics()["writes"] == 5, 5)
    await asyncio.to_thread(redis_server.stop)
    feed.put(lost, ["SPY"])
    await until(lambda: not feed.sink.available, 5)
    feed.sink.stop()
    assert feed.sink.abandon() == lost
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await asyncio.to_thread(redis_server.start)
    await enter(redis_server.url, feed.sink.losses.drain())


@pytest.mark.parametrize(("lost", "first"), [(1, 7), (3, 9)])
def test_numbers_of_depth_lost_at_the_end_of_a_run_are_not_given_again(
    redis_server: RedisServer, lost: int, first: int
) -> None:
    async def scenario() -> None:
        ended = Feeding(redis_server.url)
        await ended.sink.open(ended.stop)
        await cut_short(ended, redis_server, lost)
        async with feeding(redis_server.url) as feed:
            feed.writer.skip(await read(redis_server.url, "depth"))
            feed.put(2)
            await feed.settle()

    asyncio.run(scenario())
    with market_keys(redis_server.url) as keys:
        assert keys.seqs("SPY") == [1, 2, 3, 4, 5, first, first + 1]
        assert keys.seqs("QQQ") == [1, 2]


@pytest.mark.parametrize(("lost", "first"), [(1, 7), (3, 9)])
def test_numbers_of_trades_lost_at_the_end_of_a_run_are_not_given_again(
    redis_server: RedisServer, lost: int, first: int
) -> None:
    async def scenario() -> None:
        ended = TapeFeeding(redis_server.url)
        await ended.sink.open(asyncio.Event())
        await cut_short(ended, redis_server, lost)
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.writer.skip(await read(redis_server.url, "trades"))
            feed.put(2, ["SPY", "QQQ"])
            await settle(feed)

    asyncio.run(scenario())
    with market_keys(redis_server.url) as keys:
        assert numbers_of(keys, "SPY") == [1, 2, 3, 4, 5, first, first + 1]
        assert numbers_of(keys, "QQQ") == [1, 2]


def numbers_of(keys: MarketKeys, symbol: str) -> list[int]:
    return [row["seq"] for row in keys.trades(symbol)]
