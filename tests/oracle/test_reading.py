"""What the reader refuses to see, on a real Redis filled by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson
import pytest
import redis

from tests.oracle.reader import KeyReader

SECRET: Final = "KEY0IN1A2TEST"
SIDE: Final = [[100.0, 5, "ARCA"], *[[None, 0, None]] * 9]
BOOK: Final = {"symbol": "SPY", "ts": 1, "received_ts": 1, "bids": SIDE, "asks": SIDE}
VENUE_BOOK: Final = {**BOOK, "state": "live"}
KEY: Final = "market:SPY:ARCA:book"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as found:
        yield found


def seen(redis_url: str) -> set[str]:
    reader = KeyReader(lambda: redis_url, SECRET)
    reader.read_once()
    return set(reader.findings.by_invariant)


def test_a_good_value_with_its_expiry_is_fine(client: redis.Redis, redis_url: str) -> None:
    client.set(KEY, orjson.dumps(VENUE_BOOK), ex=60)
    assert seen(redis_url) == set()


@pytest.mark.parametrize(
    "value",
    [
        orjson.dumps(VENUE_BOOK)[:-20],
        orjson.dumps({**VENUE_BOOK, "bids": SIDE[:9]}),
        orjson.dumps({**VENUE_BOOK, "bids": [SIDE[1], SIDE[0], *SIDE[2:]]}),
        orjson.dumps({**VENUE_BOOK, "asks": [[101.0, 1, "A"], *SIDE[:9]]}),
        orjson.dumps({**VENUE_BOOK, "state": "half"}),
        orjson.dumps(VENUE_BOOK).replace(b"100.0", b"NaN", 1),
    ],
    ids=["half", "nine rows", "empty first", "unsorted", "unknown state", "NaN"],
)
def test_a_bad_book_is_seen(client: redis.Redis, redis_url: str, value: bytes) -> None:
    client.set(KEY, value, ex=60)
    assert seen(redis_url) == {"no bad value readable"}


def test_a_value_of_another_type_is_seen(client: redis.Redis, redis_url: str) -> None:
    client.rpush(KEY, "x")
    client.expire(KEY, 60)
    assert seen(redis_url) == {"no bad value readable"}


@pytest.mark.parametrize("left_s", [None, 100_000])
def test_a_missing_or_too_long_expiry_is_seen(
    client: redis.Redis, redis_url: str, left_s: int | None
) -> None:
    client.set(KEY, orjson.dumps(VENUE_BOOK), ex=left_s)
    assert seen(redis_url) == {"expiries"}


def test_a_lasting_key_must_not_expire(client: redis.Redis, redis_url: str) -> None:
    client.set("coord:source", "sim", ex=60)
    assert seen(redis_url) == {"expiries"}


def test_an_unknown_key_is_seen(client: redis.Redis, redis_url: str) -> None:
    client.set("market:SPY:secret", "1", ex=60)
    assert seen(redis_url) == {"known keys only"}


def test_the_vendors_key_is_seen_wherever_it_stands(client: redis.Redis, redis_url: str) -> None:
    told: Any = {"status": "error", "error": f"your API key is {SECRET}"}
    client.hset("monitoring:options:SPY", mapping=told)
    client.expire("monitoring:options:SPY", 60)
    assert seen(redis_url) == {"no key of the vendor"}


def test_parts_of_different_chains_are_seen(client: redis.Redis, redis_url: str) -> None:
    document = {"symbol": "SPY", "as_of": "", "fetched_ts": 1, "source": "sim", "expirations": []}
    contract = "SPY261218C00600000"
    chain = {**document, "metrics": {}, "by_contract": {contract: {}}}
    client.set("options:SPY:chain", orjson.dumps(chain), ex=60)
    client.set("options:SPY:calls", orjson.dumps([{"contractID": contract}]), ex=60)
    client.set("options:SPY:puts", b"[]", ex=60)
    assert seen(redis_url) == set()
    client.set("options:SPY:puts", orjson.dumps([{"contractID": "SPY261218P00600000"}]), ex=60)
    assert seen(redis_url) == {"chains whole"}


def test_a_trade_told_anew_replaces_the_lost_one(client: redis.Redis, redis_url: str) -> None:
    trade = {"ts": 1, "received_ts": 2, "size": 5, "venue": None, "feed": "tbt"}
    reader = KeyReader(lambda: redis_url, SECRET)
    for first, prices in ((1, (10.0, 11.0, 12.0)), (2, (21.0,))):
        client.delete("market:SPY:trades")
        for seq, price in enumerate(prices, first):
            client.lpush("market:SPY:trades", orjson.dumps({**trade, "price": price, "seq": seq}))
        client.expire("market:SPY:trades", 60)
        reader.read_once()
    assert [(t.seq, t.price_e4) for t in reader.trades("SPY")] == [(1, 100_000), (2, 210_000)]
