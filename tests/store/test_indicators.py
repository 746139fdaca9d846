from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
import redis

from shared.errors import StoreRefused, StoreUnavailable
from shared.market.indicator import IndicatorReading
from shared.store.connection import Store
from shared.store.indicators import IndicatorStore
from shared.store.keys import Keys
from tests.store.test_sentiment import commands_of, heard
from tests.support.redis_server import RedisServer

TS_MS, NOW_MS = 1_746_468_600_000, 1_746_470_000_000
KEY, CHANNEL = "technicals:SPY:MACD", "events:technicals:SPY:MACD"
VALUES = {"MACD": 0.7655, "MACD_Signal": 1.2124, "MACD_Hist": -0.447}
READING = IndicatorReading(
    symbol="SPY",
    indicator="MACD",
    interval="5min",
    params={"fastperiod": 12, "series_type": "close"},
    ts_ms=TS_MS,
    time_zone="America/New_York",
    fetched_ms=NOW_MS,
    values=VALUES,
    history=[(TS_MS, VALUES), (TS_MS - 300_000, {"MACD": 1.0})],
    delayed=True,
    bad_values=3,
)


def write(url: str, reading: IndicatorReading = READING, prefix: str = "") -> None:
    async def scenario() -> None:
        store = Store(url, 1.0)
        try:
            await IndicatorStore(store, Keys(prefix), "live", 900).write(reading)
        finally:
            await store.close()

    asyncio.run(scenario())


def stored(client: redis.Redis, key: str = KEY) -> Any:
    raw: Any = client.get(key)
    return json.loads(raw, parse_constant=pytest.fail)


def test_the_document_has_the_fields_of_the_contract(redis_url: str, client: redis.Redis) -> None:
    write(redis_url)
    assert stored(client) == {
        "symbol": "SPY",
        "indicator": "MACD",
        "interval": "5min",
        "params": {"fastperiod": 12, "series_type": "close"},
        "ts": TS_MS,
        "time_zone": "America/New_York",
        "fetched_ts": NOW_MS,
        "source": "live",
        "values": VALUES,
        "history": [[TS_MS, VALUES], [TS_MS - 300_000, {"MACD": 1.0}]],
        "delayed": True,
    }


def test_the_document_expires(redis_url: str, client: redis.Redis) -> None:
    write(redis_url)
    assert 895 <= int(str(client.ttl(KEY))) <= 900
    assert client.type(KEY) == "string"


def test_a_later_document_replaces_the_earlier_whatever_it_was(
    redis_url: str, client: redis.Redis
) -> None:
    client.rpush(KEY, "not ours")
    write(redis_url)
    write(redis_url, replace(READING, values={"MACD": 2.0}))
    assert stored(client)["values"] == {"MACD": 2.0}


def test_the_event_comes_when_the_document_can_be_read(redis_url: str, client: redis.Redis) -> None:
    with heard(client, CHANNEL) as event:
        write(redis_url)
        found = event()
        assert stored(client)["ts"] == TS_MS
        assert found == {
            "key": KEY,
            "ts": TS_MS,
            "fetched_ts": NOW_MS,
            "symbol": "SPY",
            "indicator": "MACD",
            "values": VALUES,
        }


def test_document_and_event_are_one_transaction(redis_url: str, client: redis.Redis) -> None:
    seen = commands_of(client, lambda: write(redis_url))
    assert seen[-4:] == ["MULTI", "SET", "PUBLISH", "EXEC"]


def test_key_and_channel_stand_under_the_prefix(redis_url: str, client: redis.Redis) -> None:
    with heard(client, f"desk:{CHANNEL}") as event:
        write(redis_url, prefix="desk:")
        found = event()
    assert found["key"] == f"desk:{KEY}"
    assert client.keys() == [f"desk:{KEY}"]


def test_a_redis_that_is_away_is_told(redis_server: RedisServer) -> None:
    redis_server.stop()
    with pytest.raises(StoreUnavailable):
        write(redis_server.url)
    redis_server.start()


def test_a_redis_that_refuses_is_told(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.acl_setuser("default", enabled=True, keys=["other:*"], reset_keys=True)
    with pytest.raises(StoreRefused):
        write(redis_server.url)
