"""What a chain leaves in Redis, and how little of it a later one writes again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import redis

from shared.market.option import Chain, empty_chain
from shared.normalize.av_options import ChainRequest
from shared.store.keys import Keys
from shared.store.option_draft import Written
from shared.store.options import OptionsStore
from shared.store.resp import RespConnection
from tests.store.test_sentiment import heard
from tests.support.option_bodies import (
    DAY,
    GREEKS,
    NOW_MS,
    REALTIME,
    Row,
    option_body,
    option_row,
    option_rows,
    without,
)
from tests.unit.normalize.test_av_options import read

LATER_MS = NOW_MS + 10_000
DOCUMENTS = ("options:IBM:calls", "options:IBM:puts", "options:IBM:chain")
CHANNEL = "events:options:IBM"
FLOOR = {"implied_volatility": "0.01976", "delta": "1.00000", "gamma": "0.00000", "vega": "0.00000"}
Work = Callable[[OptionsStore], Awaitable[Any]]


def chain_of(rows: list[Row], now_ms: int = NOW_MS, symbol: str = "IBM") -> Chain:
    return read(option_body(rows), ChainRequest(symbol, symbol, REALTIME), now_ms)


@asynccontextmanager
async def opened(
    url: str, prefix: str = "", clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[OptionsStore]:
    """180 s for the documents and 90 s for the greeks."""
    connection = RespConnection(url, 2.0, "test")
    store = OptionsStore(connection, Keys(prefix), "sim", (180, 90), clock)
    try:
        yield store
    finally:
        store.close()


def on(url: str, work: Work, prefix: str = "", clock: Callable[[], float] = time.monotonic) -> Any:
    async def scenario() -> Any:
        async with opened(url, prefix, clock) as store:
            return await work(store)

    return asyncio.run(scenario())


def write(url: str, *chains: Chain, prefix: str = "") -> list[Written]:
    """One after the other by one process; their digests are 1, 2, ..."""

    async def work(store: OptionsStore) -> list[Written]:
        return [await store.write(one, number) for number, one in enumerate(chains, 1)]

    found: list[Written] = on(url, work, prefix)
    return found


def stored(client: redis.Redis, key: str) -> Any:
    text: Any = client.get(key)
    return None if text is None else json.loads(text, parse_constant=pytest.fail)


def names(client: redis.Redis, pattern: str = "*") -> list[str]:
    keys: Any = client.keys(pattern)
    return sorted(keys)


def greeks_of(client: redis.Redis, symbol: str = "IBM") -> dict[str, Row]:
    """By strike and right, as `C00150000`."""
    keys = names(client, f"options:{symbol}:*:greeks")
    return {key.split(":")[2][-9:]: stored(client, key) for key in keys}


def since(client: redis.Redis) -> dict[str, int]:
    return {name: one["ts"] for name, one in greeks_of(client).items()}


def counts(done: Written) -> tuple[int, int, int]:
    return done.changed, done.renewed, done.removed


# Keys


def test_a_chain_leaves_three_documents_and_greeks_of_each_contract(
    redis_url: str, client: redis.Redis
) -> None:
    write(redis_url, chain_of([option_row(), option_row(150.0, "put")]))
    keys = names(client)
    assert keys == [
        "options:IBM:IBM171215C00150000:greeks",
        "options:IBM:IBM171215P00150000:greeks",
        *sorted(DOCUMENTS),
    ]
    assert {client.type(key) for key in keys} == {"string"}


def test_documents_and_greeks_expire_each_in_their_time(
    redis_url: str, client: redis.Redis
) -> None:
    write(redis_url, chain_of(option_rows(600)))
    for key in DOCUMENTS:
        assert 178_000 < int(str(client.pttl(key))) <= 180_000
    for key in names(client, "options:IBM:*:greeks"):
        assert 88_000 < int(str(client.pttl(key))) <= 90_000


def test_the_chain_has_the_fields_of_the_contract(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, chain_of([option_row(), option_row(150.0, "put", "2018-01-19", volume="10")]))
    document = stored(client, "options:IBM:chain")
    contracts = document.pop("by_contract")
    assert document == {
        "symbol": "IBM",
        "as_of": DAY,
        "fetched_ts": NOW_MS,
        "source": "sim",
        "expirations": [
            {
                "expiration": "2017-12-15", "dte": 30, "calls": 1, "puts": 0,
                "volume": 5, "open_interest": 50,
            },
            {
                "expiration": "2018-01-19", "dte": 65, "calls": 0, "puts": 1,
                "volume": 10, "open_interest": 50,
            },
        ],
        "metrics": {
            "contracts": 2, "calls": 1, "puts": 1, "two_sided": 2, "with_greeks": 2,
            "missing_greeks": 0, "junk_greeks": 0, "volume": 15, "open_interest": 100,
            "put_call_volume_ratio": 2.0, "put_call_open_interest_ratio": 1.0,
        },
    }  # fmt: skip
    assert contracts["IBM180119P00150000"] == {
        "contractID": "IBM180119P00150000", "symbol": "IBM", "expiration": "2018-01-19",
        "strike": 150.0, "type": "put", "last": 2.1, "mark": 2.05, "bid": 2.0, "bid_size": 10,
        "ask": 2.1, "ask_size": 20, "volume": 10, "open_interest": 50, "date": DAY,
        "implied_volatility": 0.2, "delta": 0.5, "gamma": 0.01, "theta": -0.02, "vega": 0.1,
        "rho": -0.0,
    }  # fmt: skip
    assert list(contracts) == ["IBM171215C00150000", "IBM180119P00150000"]


def test_greeks_have_the_fields_of_the_contract(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, chain_of([option_row(theta=None)]))
    assert greeks_of(client) == {
        "C00150000": {
            "implied_volatility": 0.2, "delta": 0.5, "gamma": 0.01, "theta": None, "vega": 0.1,
            "rho": -0.0, "mark": 2.05, "ts": NOW_MS,
        }
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 249, 250, 251, 500, 501, 3_000])
def test_every_value_is_as_orjson_writes_it(
    redis_url: str, client: redis.Redis, count: int
) -> None:
    rows = option_rows(count)
    write(redis_url, chain_of(rows))
    keys = names(client)
    values: Any = client.mget(keys)
    assert all(text.encode() == orjson.dumps(orjson.loads(text)) for text in values)
    assert len(keys) == count + 3
    for name, right in (("calls", "call"), ("puts", "put")):
        assert stored(client, f"options:IBM:{name}") == [r for r in rows if r["type"] == right]


def test_keys_and_channel_stand_under_the_prefix(redis_url: str, client: redis.Redis) -> None:
    with heard(client, f"desk:{CHANNEL}") as event:
        write(redis_url, chain_of([option_row()]), prefix="desk:")
        found = event()
    assert found["key"] == "desk:options:IBM:chain"
    assert names(client) == [
        "desk:options:IBM:IBM171215C00150000:greeks",
        *(f"desk:{key}" for key in sorted(DOCUMENTS)),
    ]


def test_a_foreign_value_under_a_key_is_written_over(redis_url: str, client: redis.Redis) -> None:
    for key in (*DOCUMENTS, "options:IBM:IBM171215C00150000:greeks"):
        client.rpush(key, "not ours")
    write(redis_url, chain_of([option_row()]))
    assert {client.type(key) for key in names(client)} == {"string"}


# What changes


def test_only_greeks_that_changed_are_written_again(redis_url: str, client: redis.Redis) -> None:
    rows = [option_row(150.0), option_row(155.0), option_row(160.0)]
    changed = [rows[0], rows[1] | {"mark": "3.00"}, rows[2] | {"bid": "1.00", "volume": "9"}]
    done = write(redis_url, chain_of(rows), chain_of(changed, LATER_MS))
    assert [counts(one) for one in done] == [(3, 0, 0), (1, 2, 0)]
    assert since(client) == {"C00150000": NOW_MS, "C00155000": LATER_MS, "C00160000": NOW_MS}
    assert greeks_of(client)["C00155000"]["mark"] == 3.0
    assert stored(client, "options:IBM:chain")["fetched_ts"] == LATER_MS


@pytest.mark.parametrize(
    "row",
    [
        None,
        option_row(155.0, **FLOOR),
        without(option_row(155.0), *GREEKS),
        option_row(155.0) | dict.fromkeys(GREEKS),
        option_row(155.0) | dict.fromkeys(GREEKS, "-"),
    ],
)
def test_greeks_that_vanish_lose_their_key(
    redis_url: str, client: redis.Redis, row: Row | None
) -> None:
    before = [option_row(150.0), option_row(155.0)]
    after = [option_row(150.0), *([row] if row else [])]
    done = write(redis_url, chain_of(before), chain_of(after, LATER_MS))
    assert counts(done[1]) == (0, 1, 1)
    assert since(client) == {"C00150000": NOW_MS}
    assert len(stored(client, "options:IBM:chain")["by_contract"]) == len(after)


def test_greeks_come_back_as_new(redis_url: str, client: redis.Redis) -> None:
    two = [option_row(150.0), option_row(155.0)]
    done = write(redis_url, chain_of(two), chain_of(two[:1]), chain_of(two, LATER_MS))
    assert counts(done[2]) == (1, 1, 0)
    assert since(client) == {"C00150000": NOW_MS, "C00155000": LATER_MS}


@pytest.mark.parametrize("count", [1, 251])
def test_an_empty_chain_removes_all_and_says_so(
    redis_url: str, client: redis.Redis, count: int
) -> None:
    other = chain_of(option_rows(3, "SPY"), symbol="SPY")
    with heard(client, CHANNEL) as event:
        done = write(redis_url, chain_of(option_rows(count)), other, empty_chain("IBM", LATER_MS))
        assert event()["status"] == "ok"
        told = event()
    keys = names(client)
    assert len(keys) == 6 and all(key.startswith("options:SPY:") for key in keys)
    assert counts(done[2]) == (0, 0, count)
    assert told == {
        "key": "options:IBM:chain",
        "ts": LATER_MS,
        "status": "empty",
        "as_of": "",
        "contracts": 0,
        "calls": 0,
        "puts": 0,
        "greeks_changed": 0,
        "greeks_removed": count,
    }


def test_an_empty_chain_on_an_empty_redis_is_told_all_the_same(
    redis_url: str, client: redis.Redis
) -> None:
    with heard(client, CHANNEL) as event:
        write(redis_url, empty_chain("IBM", NOW_MS), empty_chain("IBM", LATER_MS))
        assert [event()["ts"], event()["ts"]] == [NOW_MS, LATER_MS]
    assert names(client) == []
