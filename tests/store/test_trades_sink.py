"""Prints through a sink of their own into a real Redis that works, dies, fills up and forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from shared.store.sink import SinkBounds
from tests.store.feeding import until
from tests.store.relay import Fate, relay_to
from tests.store.tape_feeding import (
    SYMBOLS,
    Countdown,
    TapeFeeding,
    forget_ring,
    kill_while,
    lost_numbers,
    market_keys,
    numbers,
    put_for,
    reconnected,
    running,
    settle,
)
from tests.support.market_keys import MarketKeys
from tests.support.redis_server import RedisServer

# Two symbols: an append each, then last price and ticker of each.
FLUSH = 6


@pytest.fixture
def keys(redis_server: RedisServer) -> Iterator[MarketKeys]:
    with market_keys(redis_server.url) as found:
        yield found


@pytest.fixture
def all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists long enough to show every print of a test."""
    monkeypatch.setattr("shared.store.trades.KEPT_TRADES", 1_000_000)


def seqs(keys: MarketKeys, symbol: str) -> list[int]:
    return [row["seq"] for row in keys.trades(symbol)]


def check_all_written(
    keys: MarketKeys, feed: TapeFeeding, symbols: Sequence[str] = SYMBOLS
) -> None:
    """None lost, doubled or out of order, and the last values are those of the newest print."""
    count = feed.given // len(symbols)
    assert feed.sink.losses.drain() == []
    for symbol in symbols:
        assert seqs(keys, symbol) == list(range(1, count + 1))
        assert numbers(keys)[f"trades:{symbol}"] == str(count)
        newest = keys.trades(symbol)[-1]
        assert keys.last(symbol)["price"] == newest["price"]
        assert keys.ticker(symbol)["last"] == str(newest["price"])


def test_the_newest_thousand_of_thousands_of_prints_stand_in_order(redis_url: str) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(TapeFeeding(redis_url)) as feed:
            for _ in range(30):
                feed.put(100)
                await asyncio.sleep(0)
            await settle(feed)
            assert feed.sink.metrics()["writes"] == 9000
            for symbol in SYMBOLS:
                assert seqs(keys, symbol) == list(range(2001, 3001))
        assert numbers(keys) == dict.fromkeys(("trades:SPY", "trades:QQQ", "trades:TSLA"), "3000")

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_every_one_of_thousands_of_prints_is_written_once_and_in_order(
    redis_url: str, all_kept: None
) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(TapeFeeding(redis_url)) as feed:
            feed.put(1000)
            await put_for(feed, 0.3)
            await settle(feed)
            check_all_written(keys, feed)
            prices = [row["price"] for row in keys.trades("SPY")]
            assert prices == sorted(set(prices))

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_stopping_writes_what_is_queued_first(redis_url: str, all_kept: None) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_url)) as feed:
            feed.put(2000, ["SPY"])

    asyncio.run(scenario())
    with market_keys(redis_url) as keys:
        assert seqs(keys, "SPY") == list(range(1, 2001))


def test_an_unreported_print_is_in_the_list_and_moves_no_last_price(redis_url: str) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(TapeFeeding(redis_url)) as feed:
            feed.put(1, ["SPY"])
            feed.put(1, ["SPY"], unreported=True)
            await settle(feed)
        assert [row["unreported"] for row in keys.trades("SPY")] == [False, True]
        assert keys.last("SPY")["price"] == 100.01
        assert keys.ticker("SPY")["last"] == "100.01"

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_numbers_go_on_where_the_last_process_ended(redis_url: str) -> None:
    async def run() -> dict[str, int]:
        async with running(TapeFeeding(redis_url)) as feed:
            feed.put(5, ["SPY"])
            await settle(feed)
            return feed.writer.last_traded()

    assert asyncio.run(run()) == {"SPY": 0, "QQQ": 0, "TSLA": 0}
    with market_keys(redis_url) as keys:
        received_ms = keys.newest_trade("SPY")["received_ts"]
        assert asyncio.run(run()) == {"SPY": received_ms, "QQQ": 0, "TSLA": 0}
        assert seqs(keys, "SPY") == list(range(1, 11))


def test_numbers_go_on_from_the_hash_where_the_list_has_expired(redis_url: str) -> None:
    async def run() -> dict[str, int]:
        async with running(TapeFeeding(redis_url)) as feed:
            feed.put(2, ["SPY"])
            await settle(feed)
            return feed.writer.last_traded()

    asyncio.run(run())
    with market_keys(redis_url) as keys:
        keys.redis.delete("market:SPY:trades")
        assert asyncio.run(run())["SPY"] == 0
        assert seqs(keys, "SPY") == [3, 4]


def test_a_script_flush_while_prints_stream_in_costs_nothing(
    redis_url: str, all_kept: None
) -> None:
    async def scenario(keys: MarketKeys) -> None:
        async with running(TapeFeeding(redis_url)) as feed:
            putting = asyncio.ensure_future(put_for(feed, 0.5))
            while not putting.done():
                await asyncio.to_thread(keys.redis.script_flush)
                await asyncio.sleep(0.02)
            await putting
            await settle(feed)
            check_all_written(keys, feed)

    with market_keys(redis_url) as keys:
        asyncio.run(scenario(keys))


def test_none_is_doubled_or_missing_over_two_kills_of_redis(
    redis_server: RedisServer, keys: MarketKeys, all_kept: None
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
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
    redis_server: RedisServer, keys: MarketKeys, all_kept: None
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            await kill_while(asyncio.ensure_future(put_for(feed, 20, 10)), keys, cuts=12)
            await settle(feed)
            check_all_written(keys, feed)

    asyncio.run(scenario())


def test_a_cut_anywhere_in_a_flush_leaves_every_print_once_and_all_last_values(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            countdown = Countdown(relay)
            async with running(TapeFeeding(relay.url)) as feed:
                for place in range(1, FLUSH + 1):
                    for fate in (Fate.CUT_BEFORE, Fate.CUT_AFTER):
                        countdown.arm(fate, place)
                        feed.put(3, ["SPY", "QQQ"])
                        await settle(feed)
                        check_all_written(keys, feed, ["SPY", "QQQ"])
            assert relay.cuts == 2 * FLUSH

    asyncio.run(scenario())


def test_in_an_outage_the_oldest_beyond_the_bound_are_lost_and_entered_exactly(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url, SinkBounds(100, 10_000_000, 20))) as feed:
            feed.put(7, ["SPY", "QQQ"])
            await settle(feed)
            redis_server.stop()
            for _ in range(10):
                feed.put(15, ["SPY", "QQQ"])
                await asyncio.sleep(0.02)
            redis_server.start()
            await settle(feed)
            losses = feed.sink.losses.drain()
            said = {(gap.feed, gap.venue, gap.reason) for gap in losses}
            assert said == {("trades", "ARCA", "queue full")}
            for symbol in ("SPY", "QQQ"):
                # Of 150 the newest 50 are kept: half of the bound is the other symbol's.
                assert lost_numbers(losses, symbol) == list(range(8, 108))
                assert seqs(keys, symbol) == [*range(1, 8), *range(108, 158)]
            assert feed.sink.metrics()["dropped"] == 200

    asyncio.run(scenario())


def test_a_redis_that_comes_back_empty_gets_the_ring_and_the_rest_is_a_loss(
    redis_server: RedisServer, keys: MarketKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(20, ["SPY", "QQQ"])
            await settle(feed)
            received = [keys.newest_trade("SPY")["received_ts"]]
            await forget_ring(feed, monkeypatch)
            feed.put(10, ["SPY"])
            await settle(feed)
            received.append(keys.trades("SPY")[20]["received_ts"])
            keys.redis.flushall()
            await reconnected(feed, keys)
            losses = feed.sink.losses.drain()
            [spy] = [gap for gap in losses if gap.symbol == "SPY"]
            assert (spy.reason, spy.from_seq, spy.to_seq, spy.count) == ("redis restart", 1, 20, 20)
            assert (spy.from_ts, spy.to_ts) == tuple(received)
            assert seqs(keys, "SPY") == list(range(21, 32))
            assert (lost_numbers(losses, "QQQ"), seqs(keys, "QQQ")) == ([*range(1, 21)], [21])
            assert (lost_numbers(losses, "TSLA"), seqs(keys, "TSLA")) == ([1], [2])
            assert feed.sink.metrics()["resent"] == 10

    asyncio.run(scenario())


def test_out_of_memory_is_an_outage_and_nothing_is_lost(
    redis_server: RedisServer, keys: MarketKeys, all_kept: None
) -> None:
    async def scenario() -> None:
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(10)
            await settle(feed)
            keys.redis.config_set("maxmemory", 1)
            await put_for(feed, 0.3)
            assert not feed.sink.available
            assert seqs(keys, "SPY") == list(range(1, 11))
            keys.redis.config_set("maxmemory", 0)
            await settle(feed)
            check_all_written(keys, feed)

    asyncio.run(scenario())


def test_a_list_of_another_type_costs_its_own_symbol_alone(
    redis_server: RedisServer, keys: MarketKeys
) -> None:
    async def scenario() -> None:
        keys.redis.set("market:SPY:trades", "no list")
        async with running(TapeFeeding(redis_server.url)) as feed:
            feed.put(10)
            await settle(feed)
            await reconnected(feed, keys)
            losses = feed.sink.losses.drain()
            assert lost_numbers(losses, "SPY") == list(range(1, 12))
            assert {gap.reason.split()[2] for gap in losses} == {"WRONGTYPE"}
            keys.redis.delete("market:SPY:trades")
            await reconnected(feed, keys)
            assert (seqs(keys, "SPY"), seqs(keys, "QQQ")) == ([12], [*range(1, 13)])

    asyncio.run(scenario())
