from __future__ import annotations

import asyncio

import redis

from shared.market.depth import Pair, Refusal
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.rotation_log import read_fallback, read_interrupted

ROTATION, FALLBACK = "monitoring:depth:rotation", "coord:depth:fallback"


def turn(client: redis.Redis, event: str, symbol: str, detail: str = "") -> None:
    texts = f"ts 1 symbol {symbol} venue ARCA event {event}".split()
    client.xadd(ROTATION, {**dict(zip(texts[::2], texts[1::2], strict=True)), "detail": detail})


def entry(client: redis.Redis, symbol: str, ts: int, venue: str, seq: int) -> None:
    client.xadd(
        f"raw:ibkr:depth:stream:{symbol}", {"ts": ts, "seq": seq, "venue": venue}, f"{ts}-{seq}"
    )


def interrupted(url: str) -> list[tuple[Pair, int]]:
    async def read() -> list[tuple[Pair, int]]:
        store = Store(url, 2.0)
        found = await read_interrupted(store, Keys(), ["SPY", "QQQ", "IWM", "BRK.B"])
        await store.close()
        return found

    return asyncio.run(read())


def fallback(url: str) -> list[Refusal]:
    async def read() -> list[Refusal]:
        store = Store(url, 2.0)
        found = await read_fallback(store, Keys(), ["SPY", "QQQ", "IWM", "BRK.B"])
        await store.close()
        return found

    return asyncio.run(read())


def test_an_empty_redis_tells_of_no_interruption(redis_url: str) -> None:
    assert (interrupted(redis_url), fallback(redis_url)) == ([], [])


def test_pairs_live_at_the_end_come_with_the_time_of_their_last_entry(
    redis_url: str, client: redis.Redis
) -> None:
    for symbol in ("SPY", "QQQ", "IWM"):
        turn(client, "live", symbol)
        entry(client, symbol, 1700, "ARCA", 1)
    entry(client, "SPY", 1800, "ARCA", 2)
    turn(client, "cancel", "QQQ", "rotation")
    turn(client, "cancel", "IWM", "stop")
    assert interrupted(redis_url) == [(Pair("SPY", "ARCA"), 1800), (Pair("IWM", "ARCA"), 1700)]


def test_the_outage_of_a_venue_begins_with_its_own_last_entry(
    redis_url: str, client: redis.Redis
) -> None:
    """The other venue went on for a while: to begin with its last entry would hide the time."""
    turn(client, "live", "SPY")
    for seq, (ts, venue) in enumerate(((1700, "ARCA"), (1710, "BATS"), (1720, "BATS")), 1):
        entry(client, "SPY", ts, venue, seq)
    assert interrupted(redis_url) == [(Pair("SPY", "ARCA"), 1700)]


def test_a_pair_without_a_stream_was_not_interrupted(redis_url: str, client: redis.Redis) -> None:
    turn(client, "live", "SPY")
    assert interrupted(redis_url) == []


def test_refusals_are_read_and_unreadable_rows_left_out(
    redis_url: str, client: redis.Redis
) -> None:
    row = '{"code":354,"text":"not subscribed","ts":5,"retry_ts":9}'
    client.hset(FALLBACK, mapping={"BRK.B:NYSE": row, "QQQ:ARCA": "no json", "IWM:ARCA": "{}"})
    assert fallback(redis_url) == [Refusal(Pair("BRK.B", "NYSE"), 354, "not subscribed", 5, 9)]
