from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.losses import GapEntry
from shared.store.monitoring import Ledger
from tests.store.feeding import until
from tests.store.relay import Fate, Relay, relay_to
from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer

GAPS, INCIDENTS = "monitoring:gaps", "monitoring:incidents"
ROTATION, FALLBACK = "monitoring:depth:rotation", "coord:depth:fallback"


@asynccontextmanager
async def ledger_on(url: str) -> AsyncIterator[Ledger]:
    """A ledger that writes until the block ends."""
    store = Store(url, 2.0)
    ledger = Ledger(store, Keys(), "ibkr_depth")
    writing = asyncio.ensure_future(ledger.run())
    try:
        yield ledger
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await store.close()


def gap(seq: int, symbol: str = "SPY", count: int | None = 1) -> GapEntry:
    return GapEntry("depth", symbol, "ARCA", seq, seq, 1000 + seq, 2000 + seq, "test", count)


async def written(ledger: Ledger, timeout_s: float = 5.0) -> None:
    await until(lambda: not ledger.pending, timeout_s)


def texts(keys: DepthKeys) -> list[str]:
    return [fields["text"] for _, fields in keys.stream(INCIDENTS)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("shared.store.monitoring._RETRY_S", 0.02)
    yield


def test_each_line_has_the_fields_of_the_contract(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with ledger_on(redis_server.url) as ledger:
            ledger.gap(GapEntry("depth", "SPY", "ARCA", None, None, 5, 9, "restart", None))
            ledger.incident("connected", "", "client id 777")
            ledger.rotation({"slot": "1", "symbol": "SPY"})
            ledger.set_field(FALLBACK, "SPY:ARCA", '{"code":354}')
            await written(ledger)

    asyncio.run(scenario())
    assert [fields for _, fields in keys.stream(GAPS)] == [
        {
            **{"feed": "depth", "symbol": "SPY", "venue": "ARCA", "from_seq": "", "to_seq": ""},
            **{"from_ts": "5", "to_ts": "9", "reason": "restart", "count": ""},
        }
    ]
    [(_, incident)] = keys.stream(INCIDENTS)
    assert list(incident) == ["ts", "worker", "kind", "symbol", "text"]
    assert (incident["worker"], incident["kind"]) == ("ibkr_depth", "connected")
    [(_, turn)] = keys.stream(ROTATION)
    assert list(turn) == ["ts", "slot", "symbol"]
    assert keys.fallback() == {"SPY:ARCA": {"code": 354}}


def test_an_empty_value_removes_a_field_in_order(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with ledger_on(redis_server.url) as ledger:
            ledger.set_field(FALLBACK, "SPY:ARCA", '{"code":354}')
            ledger.set_field(FALLBACK, "QQQ:ARCA", '{"code":354}')
            ledger.set_field(FALLBACK, "SPY:ARCA", "")
            await written(ledger)

    asyncio.run(scenario())
    assert list(keys.fallback()) == ["QQQ:ARCA"]


def test_lines_keep_their_order_over_a_restart_and_none_is_lost(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with ledger_on(redis_server.url) as ledger:
            for number in range(60):
                ledger.incident("test", "", f"line {number}")
                if number == 20:
                    await asyncio.to_thread(redis_server.kill)
                if number == 40:
                    await asyncio.to_thread(redis_server.start)
                await asyncio.sleep(0.005)
            await written(ledger)
            assert ledger.dropped == 0

    asyncio.run(scenario())
    assert texts(keys) == [f"line {number}" for number in range(60)]


class CutEveryFourth:
    """Every fourth line reaches Redis, but its reply does not come back."""

    def __init__(self, relay: Relay) -> None:
        relay.judge = self.judge
        self._count = 0

    async def judge(self, command: list[bytes]) -> Fate:
        if command[0] not in (b"EVALSHA", b"EVAL"):
            return Fate.CARRY
        self._count += 1
        return Fate.CARRY if self._count % 4 else Fate.CUT_AFTER


def test_a_line_whose_reply_was_lost_is_not_doubled(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay, ledger_on(relay.url) as ledger:
            CutEveryFourth(relay)
            for number in range(20):
                ledger.gap(gap(number))
            await written(ledger)
            assert relay.cuts > 4

    asyncio.run(scenario())
    assert [found.from_seq for found in keys.gaps()] == list(range(20))


def test_a_line_in_flight_when_the_worker_ends_is_not_doubled_by_the_last_flush(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario(relay: Relay) -> None:
        reached = asyncio.Event()

        async def note_it(command: list[bytes]) -> Fate:
            if command[0] == b"EVAL":
                reached.set()
            return Fate.CARRY

        relay.judge = note_it
        store = Store(relay.url, 2.0)
        ledger = Ledger(store, Keys(), "ibkr_depth")
        writing = asyncio.ensure_future(ledger.run())
        ledger.gap(gap(1))
        await asyncio.wait_for(reached.wait(), 5)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await until(lambda: keys.gaps(), 5)
        assert ledger.pending == 1
        assert await ledger.flush(2.0)
        await store.close()

    async def run() -> None:
        async with relay_to(redis_server.port) as relay:
            await scenario(relay)

    asyncio.run(run())
    assert [found.from_seq for found in keys.gaps()] == [1]


def test_a_ledger_of_another_type_loses_its_own_lines_alone(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        keys.redis.set(GAPS, "text")
        async with ledger_on(redis_server.url) as ledger:
            ledger.gap(gap(1))
            ledger.incident("test", "", "after")
            await written(ledger)
            assert ledger.dropped == 1

    asyncio.run(scenario())
    assert texts(keys) == ["after"]


def test_lines_met_by_a_full_memory_are_written_when_there_is_room(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with ledger_on(redis_server.url) as ledger:
            keys.redis.config_set("maxmemory", 1)
            ledger.gap(gap(1))
            ledger.set_field(FALLBACK, "SPY:ARCA", '{"code":354}')
            await asyncio.sleep(0.1)
            assert (ledger.pending, ledger.dropped) == (2, 0)
            keys.redis.config_set("maxmemory", 0)
            await written(ledger)

    asyncio.run(scenario())
    assert [found.from_seq for found in keys.gaps()] == [1]
    assert list(keys.fallback()) == ["SPY:ARCA"]


def test_flushing_gives_up_after_its_time_and_keeps_the_lines(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 2.0)
        ledger = Ledger(store, Keys(), "ibkr_depth")
        redis_server.stop()
        ledger.gap(gap(1))
        assert not await ledger.flush(0.1)
        redis_server.start()
        assert await ledger.flush(2.0)
        await store.close()

    asyncio.run(scenario())
    with DepthKeys(redis_server.url) as keys:
        assert [found.from_seq for found in keys.gaps()] == [1]


@pytest.fixture
def three_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than three lines wait."""
    monkeypatch.setattr("shared.store.ledger_lines.MOST_LINES", 3)


async def kept(url: str, *lines: GapEntry | str) -> tuple[int, list[dict[str, Any]]]:
    """Add lines while nothing is written, then write: (dropped, gaps)."""
    store = Store(url, 2.0)
    ledger = Ledger(store, Keys(), "ibkr_depth")
    for line in lines:
        if isinstance(line, str):
            ledger.incident("test", "", line)
        else:
            ledger.gap(line)
    assert await ledger.flush(2.0)
    raw: Any = await store.client.xrange(GAPS)
    await store.close()
    return ledger.dropped, [{k.decode(): v.decode() for k, v in f.items()} for _, f in raw]


def test_beyond_the_bound_the_oldest_line_that_is_no_gap_goes_first(
    redis_server: RedisServer, keys: DepthKeys, three_lines: None
) -> None:
    dropped, gaps = asyncio.run(kept(redis_server.url, gap(1), "a", "b", "c", gap(2)))
    assert dropped == 2
    assert [fields["from_seq"] for fields in gaps] == ["1", "2"]
    assert texts(keys) == ["c"]


def test_with_gaps_alone_the_oldest_two_become_one_that_covers_both(
    redis_server: RedisServer, three_lines: None
) -> None:
    lines = [gap(seq, count=seq) for seq in range(1, 7)]
    dropped, gaps = asyncio.run(kept(redis_server.url, *lines))
    assert dropped == 0
    assert [(fields["reason"], fields["count"]) for fields in gaps] == [
        ("several: test", "10"),
        ("test", "5"),
        ("test", "6"),
    ]
    assert gaps[0] == {
        **{"feed": "depth", "symbol": "SPY", "venue": "", "from_seq": "", "to_seq": ""},
        **{"from_ts": "1001", "to_ts": "2004", "reason": "several: test", "count": "10"},
    }


def test_joined_gaps_of_several_symbols_or_unknown_counts_name_none(
    redis_server: RedisServer, three_lines: None
) -> None:
    lines = [gap(1), gap(2, "QQQ", None), gap(3), gap(4)]
    _, gaps = asyncio.run(kept(redis_server.url, *lines))
    assert (gaps[0]["symbol"], gaps[0]["count"], len(gaps)) == ("", "", 3)
