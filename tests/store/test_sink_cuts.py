"""A flush that fails between any two of its commands, on a link that the test holds."""

from __future__ import annotations

import asyncio

import pytest

from shared.store.sink import SinkBounds
from tests.store.feeding import Feeding, feeding, lost_numbers
from tests.store.relay import Fate, Relay, relay_to
from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer

# Two owned symbols with three updates each: 6 XADD, then 6 last values per symbol.
FLUSH = 18
# SETNAME, PING, two SCRIPT LOAD, two positions of two commands each.
GREETING = 8


class Countdown:
    """Cuts the link at the n-th command of a flush, then at the n-th of the next connection."""

    def __init__(self, relay: Relay) -> None:
        relay.judge = self.judge
        self.fate = Fate.CARRY
        self.places: list[int] = []
        self._waits_for_flush = True

    def arm(self, fate: Fate, *places: int) -> None:
        self.fate, self.places, self._waits_for_flush = fate, list(places), True

    async def judge(self, command: list[bytes]) -> Fate:
        if not self.places or (self._waits_for_flush and command[0] != b"XADD"):
            return Fate.CARRY
        self._waits_for_flush = False
        self.places[0] -= 1
        if self.places[0]:
            return Fate.CARRY
        del self.places[0]
        return self.fate


def check_nothing_is_missing(keys: DepthKeys, feed: Feeding) -> None:
    count = feed.given // 2
    assert feed.losses() == []
    for symbol in ("SPY", "QQQ"):
        assert keys.seqs(symbol) == list(range(1, count + 1))
        assert keys.hash(f"raw:ibkr:depth:last:{symbol}")["seq"] == str(count)
        newest = keys.entries(symbol)[-1]
        assert keys.received_ms(symbol) == newest.ts
        assert keys.venue_book(symbol, "ARCA")["seq"] == count
        assert keys.json(f"market:{symbol}:book")["ts"] == newest.ts
        ticker = keys.hash(f"market:{symbol}:ticker")
        assert (ticker["quote_source"], ticker["quote_received_ts"]) == ("depth", str(newest.ts))
        assert int(ticker["quote_ts"]) >= newest.ts


def test_a_cut_anywhere_in_a_flush_leaves_every_entry_once_and_all_last_values(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            countdown = Countdown(relay)
            async with feeding(relay.url) as feed:
                for place in range(1, FLUSH + 1):
                    for fate in (Fate.CUT_BEFORE, Fate.CUT_AFTER):
                        countdown.arm(fate, place)
                        feed.claim()
                        feed.put(3)
                        await feed.settle()
                        check_nothing_is_missing(keys, feed)
            assert relay.cuts == 2 * FLUSH

    asyncio.run(scenario())


def test_a_second_cut_anywhere_in_the_new_connections_start_changes_nothing(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            countdown = Countdown(relay)
            async with feeding(relay.url) as feed:
                for place in range(1, GREETING + 1):
                    countdown.arm(Fate.CUT_AFTER, 4, place)
                    feed.claim()
                    feed.put(3)
                    await feed.settle()
                    check_nothing_is_missing(keys, feed)
            assert relay.cuts == 2 * GREETING

    asyncio.run(scenario())


def test_a_cut_between_two_flushes_in_a_row_keeps_their_order(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            countdown = Countdown(relay)
            async with feeding(relay.url) as feed:
                for place in (1, 150, 200, 205, 213):
                    countdown.arm(Fate.CUT_AFTER, place)
                    feed.claim()
                    # Four flushes: the one behind the cut is already prepared.
                    feed.put(400)
                    await feed.settle()
                    check_nothing_is_missing(keys, feed)
            assert relay.cuts == 5

    asyncio.run(scenario())


@pytest.mark.parametrize("place", [1, 2, 3])
def test_entries_that_were_never_sent_stay_lost_though_redis_took_the_later_ones(
    redis_server: RedisServer, keys: DepthKeys, place: int
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            countdown = Countdown(relay)
            async with feeding(relay.url, SinkBounds(3, 10_000_000, 200)) as feed:
                countdown.arm(Fate.CUT_AFTER, place)
                feed.put(5, ["SPY"])
                await feed.settle()
                [gap] = feed.losses()
                assert (gap.from_seq, gap.to_seq, gap.reason) == (1, 2, "queue full")
                assert keys.seqs("SPY") == [3, 4, 5]
                assert feed.sink.metrics()["writes"] == 3
            assert relay.cuts == 1

    asyncio.run(scenario())


class Overfilling:
    """Four more come before the link is cut behind three entries, and one with the next link."""

    def __init__(self, relay: Relay, feed: Feeding) -> None:
        relay.judge = self.judge
        self._relay, self._feed = relay, feed

    async def judge(self, command: list[bytes]) -> Fate:
        if command[0] == b"HSET" and not self._relay.cuts:
            self._feed.put(4, ["SPY"])
            return Fate.CUT_AFTER
        if command[0] == b"CLIENT":
            self._feed.put(1, ["SPY"])
        return Fate.CARRY


def test_entries_dropped_behind_a_cut_are_lost_unless_redis_took_them(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        bounds = SinkBounds(3, 10_000_000, 200)
        async with relay_to(redis_server.port) as relay, feeding(relay.url, bounds) as feed:
            Overfilling(relay, feed)
            feed.put(3, ["SPY"])
            await feed.settle()
            assert lost_numbers(feed.losses(), "SPY") == [4, 5]
            assert keys.seqs("SPY") == [1, 2, 3, 6, 7, 8]
            said = feed.sink.metrics()
            assert (said["writes"], said["dropped"], relay.cuts) == (6, 2, 1)

    asyncio.run(scenario())


class Refusing:
    """Redis is out of memory for some commands of a flush and no others."""

    def __init__(self, relay: Relay, keys: DepthKeys, refused: set[int]) -> None:
        relay.judge = self.judge
        self._keys = keys
        self._refused = refused
        self._count = 0

    async def judge(self, command: list[bytes]) -> Fate:
        if command[0] == b"XADD":
            self._count += 1
        refused = command[0] == b"XADD" and self._count in self._refused
        self._keys.redis.config_set("maxmemory", 1 if refused else 0)
        return Fate.CARRY


def test_an_entry_refused_for_memory_before_one_that_went_through_is_a_gap(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay, feeding(relay.url) as feed:
            Refusing(relay, keys, {2, 3})
            feed.put(5, ["SPY"])
            await feed.settle()
            [gap] = feed.losses()
            assert (gap.symbol, gap.from_seq, gap.to_seq, gap.count) == ("SPY", 2, 3, 2)
            assert gap.reason.startswith("redis refused: OOM")
            assert keys.seqs("SPY") == [1, 4, 5]
            assert feed.sink.metrics()["writes"] == 3

    asyncio.run(scenario())


def test_entries_refused_for_memory_at_the_end_of_a_flush_are_written_by_the_next(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay, feeding(relay.url) as feed:
            Refusing(relay, keys, {4, 5})
            feed.put(5, ["SPY"])
            await feed.settle()
            assert feed.losses() == []
            assert keys.seqs("SPY") == [1, 2, 3, 4, 5]

    asyncio.run(scenario())


def test_a_connection_killed_many_times_amid_flushes_loses_and_doubles_nothing(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with feeding(redis_server.url) as feed:
            putting = asyncio.ensure_future(feed.put_for(1.5, 10))
            kills = 0
            while not putting.done():
                killed = keys.redis.execute_command("CLIENT", "KILL", "TYPE", "normal")  # type: ignore[no-untyped-call]
                kills += int(killed)
                await asyncio.sleep(0.03)
            await putting
            await feed.settle()
            assert kills > 10
            assert lost_numbers(feed.losses(), "SPY") == []
            assert keys.seqs("SPY") == keys.seqs("QQQ") == list(range(1, feed.given // 2 + 1))

    asyncio.run(scenario())
