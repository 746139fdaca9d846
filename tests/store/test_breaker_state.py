"""Circuit states go to Redis in order, over its outages too, and are there after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
import redis

from shared.errors import StoreUnavailable
from shared.store.breaker_state import BreakerLog, read_breakers
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.monitoring import Ledger
from tests.store.feeding import until
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

BREAKERS, INCIDENTS = "coord:breaker:av_options", "monitoring:incidents"


class Kept(NamedTuple):
    field: str
    value: str
    text: str


@asynccontextmanager
async def ledger_on(url: str, prefix: str = "") -> AsyncIterator[Ledger]:
    """A ledger that writes until the block ends, and everything before it does."""
    store = Store(url, 2.0)
    ledger = Ledger(store, Keys(prefix), "av_options")
    writing = asyncio.ensure_future(ledger.run())
    try:
        yield ledger
        await until(lambda: not ledger.pending, 5.0)
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await store.close()


def keep(url: str, *changes: Kept, prefix: str = "") -> None:
    async def scenario() -> None:
        async with ledger_on(url, prefix) as ledger:
            BreakerLog(ledger, Keys(prefix), "av_options").keep(changes)

    asyncio.run(scenario())


def read(url: str, worker: str = "av_options", prefix: str = "") -> dict[str, str]:
    async def scenario() -> dict[str, str]:
        store = Store(url, 2.0)
        try:
            return await read_breakers(store, Keys(prefix), worker)
        finally:
            await store.close()

    return asyncio.run(scenario())


def incidents(client: redis.Redis) -> list[dict[str, str]]:
    found: Any = client.xrange(INCIDENTS)
    return [fields for _, fields in found]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("shared.store.monitoring._RETRY_S", 0.02)
    yield


def test_where_nothing_was_kept_there_is_nothing(redis_url: str) -> None:
    assert read(redis_url) == {}


def test_what_was_kept_is_read_again(redis_url: str) -> None:
    keep(redis_url, Kept("SPY:options", '{"state":"open"}', ""), Kept("*:RSI", "{}", ""))
    assert read(redis_url) == {"SPY:options": '{"state":"open"}', "*:RSI": "{}"}


def test_the_newest_value_of_a_field_counts(redis_url: str) -> None:
    keep(redis_url, Kept("SPY:options", "1", ""), Kept("SPY:options", "2", ""))
    assert read(redis_url) == {"SPY:options": "2"}


def test_an_empty_value_removes_its_field_alone(redis_url: str) -> None:
    keep(redis_url, Kept("SPY:options", "1", ""), Kept("QQQ:options", "1", ""))
    keep(redis_url, Kept("SPY:options", "", ""))
    assert read(redis_url) == {"QQQ:options": "1"}


def test_a_worker_reads_its_own_circuits_alone(redis_url: str) -> None:
    keep(redis_url, Kept("SPY:options", "1", ""))
    assert read(redis_url, worker="av_sentiment") == {}


def test_circuits_under_another_prefix_are_not_read(redis_url: str) -> None:
    keep(redis_url, Kept("SPY:options", "1", ""), prefix="t:")
    assert [read(redis_url), read(redis_url, prefix="t:")] == [{}, {"SPY:options": "1"}]


def test_the_hash_is_the_one_of_the_contract(redis_url: str, client: redis.Redis) -> None:
    keep(redis_url, Kept("SPY:options", "1", ""))
    assert client.hgetall(BREAKERS) == {"SPY:options": "1"}


def test_a_text_is_an_incident_of_its_symbol(redis_url: str, client: redis.Redis) -> None:
    keep(redis_url, Kept("SPY:options", "1", "SPY options: suspended"))
    [incident] = incidents(client)
    del incident["ts"]
    assert incident == {
        **{"worker": "av_options", "kind": "breaker", "symbol": "SPY"},
        "text": "SPY options: suspended",
    }


def test_a_whole_data_type_is_an_incident_of_no_symbol(redis_url: str, client: redis.Redis) -> None:
    keep(redis_url, Kept("*:options", "1", "options: suspended"))
    assert [found["symbol"] for found in incidents(client)] == [""]


def test_a_change_without_a_text_is_no_incident(redis_url: str, client: redis.Redis) -> None:
    keep(redis_url, Kept("SPY:options", "1", ""), Kept("SPY:options", "", ""))
    assert incidents(client) == []


def test_bytes_that_are_no_text_are_read_as_such_and_lose_no_other_field(
    redis_url: str, client: redis.Redis
) -> None:
    client.hset(BREAKERS, "SPY:options", b"\xff")
    client.hset(BREAKERS, "QQQ:options", "1")
    assert read(redis_url) == {"SPY:options": "\ufffd", "QQQ:options": "1"}


def test_circuits_of_another_type_are_none_and_an_error_in_the_log(
    redis_url: str, client: redis.Redis, warnings_logged: list[str]
) -> None:
    client.set(BREAKERS, "no hash")
    assert read(redis_url) == {}
    [text] = warnings_logged
    assert text.startswith("coord:breaker:av_options cannot be read: ")
    assert "WRONGTYPE" in text


def test_a_redis_that_is_away_is_not_taken_for_one_without_circuits() -> None:
    with pytest.raises(StoreUnavailable):
        read(f"redis://127.0.0.1:{free_port()}/0")


def test_changes_met_by_an_outage_are_written_in_order_when_redis_is_back(
    redis_server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with ledger_on(redis_server.url) as ledger:
            log = BreakerLog(ledger, Keys(), "av_options")
            log.keep([Kept("SPY:options", "1", "first"), Kept("QQQ:options", "1", "")])
            await until(lambda: not ledger.pending, 5.0)
            await asyncio.to_thread(redis_server.stop)
            log.keep([Kept("SPY:options", "2", "second"), Kept("QQQ:options", "", "third")])
            log.keep([Kept("SPY:options", "3", "fourth")])
            # Of SPY the newest state alone waits.
            assert ledger.pending == 5
            await asyncio.to_thread(redis_server.start)

    asyncio.run(scenario())
    assert read(redis_server.url) == {"SPY:options": "3"}
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        assert [found["text"] for found in incidents(client)] == [
            *("first", "second", "third", "fourth")
        ]
