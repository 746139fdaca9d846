"""Keys of ours that somebody else wrote over: no reader ends by them, and none leaves its keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from shared.control.circuit import Breakers, CircuitPolicy
from shared.errors import LeaseHeld, SourceMismatch, StoreRefused
from shared.market.session import Session
from shared.settings import load_settings, repository_root
from shared.store import source
from shared.store.bars import BarsWriter, read_bars, read_covered
from shared.store.breaker_state import read_breakers
from shared.store.connection import Store
from shared.store.depth import DepthTtls, DepthWriter
from shared.store.keys import Keys
from shared.store.lease import Lease
from shared.store.market_session import read_session_state
from shared.store.monitoring import lost_numbers
from shared.store.positions import load_scripts, read_positions
from shared.store.reader import read_trades
from shared.store.resp import RespConnection
from shared.store.rotation_log import read_fallback, read_interrupted
from shared.store.token_bucket import TokenBucket
from shared.store.token_policy import BucketPolicy
from shared.store.trades import TradesWriter
from shared.store.watch_reader import WatchReader
from tests.hostile.fuzzing import foreign, fuzz
from tests.store.lua_calls import call

KEYS: Final = Keys()
NOW_MS: Final = 1_800_000_000_000
HUGE: Final = b"9" * 5_000
VALUES: Final = [
    b"", b"{}", b"[]", b"[" * 5_000, b'"x"', b"null", b"\xff\xfe", b"nan", b"-1", HUGE,
    b"9007199254740993", b"18446744073709551616", b"1e999", b'{"ts":"x"}',
    b'{"ts":1e999,"state":3}', b'{"received_ts":' + HUGE + b"}", b'{"received_ts":-1}',
    b'{"state":"open","reason":"\\u001b[31m","until_ts":' + b"9" * 400 + b"}",
    b'{"code":1,"text":"","ts":1,"retry_ts":' + b"9" * 400 + b"}",
    b'{"t":99999999999,"open":1,"high":1,"low":1,"close":1,"volume":1,"wap":1,"count":1}',
    b'{"token":"\xff"}', b"live", b"live",
]  # fmt: skip
NAMES: Final = [
    b"SPY", b"SPY:ARCA", b"trades:SPY", b"SPY:options", b"*:RSI", b"\xff", b"", b"symbol", b"venue",
    b"event", b"ts", b"seq", b"to_seq", b"feed", b"state", b"quote_ts", b"fetched_ts", b"empty_us",
    b"last_us", b"epoch", b"run", b"granted", b"refused", b"window_us", b"cooldown_us",
    b"cooldown_len_us", b"ibkr_depth", b"waited",
]  # fmt: skip
OF_LEDGERS: Final = [b"SPY", b"ARCA", b"live", b"subscribe", b"depth", b"trades", b"A:B*"]


def read_keys() -> list[str]:
    """What workers read back, of SPY; not what two processes agree by."""
    return [
        KEYS.depth_stream("SPY"), KEYS.numbers("ibkr_trades"), KEYS.numbers("ibkr_depth"),
        KEYS.trades("SPY"), KEYS.bars_5s("SPY"), KEYS.bars_1min("SPY"), KEYS.gaps(),
        KEYS.covered("ibkr_trades"), KEYS.rotation(), KEYS.depth_fallback(), KEYS.market_session(),
        KEYS.breakers("av_options"), KEYS.breakers("av_sentiment"), KEYS.ticker("SPY"),
        KEYS.heartbeat("ibkr_depth"), KEYS.metrics("ibkr"), KEYS.venue_book("SPY", "ARCA"),
        KEYS.last("SPY"), KEYS.options_monitor("SPY"), KEYS.technicals("SPY", "RSI"),
    ]  # fmt: skip


def put_string(pipe: Any, key: str, values: list[bytes]) -> None:
    pipe.set(key, values[0])


def put_hash(pipe: Any, key: str, values: list[bytes]) -> None:
    pipe.hset(key, mapping=dict(zip(NAMES, values * len(NAMES), strict=False)))


def put_list(pipe: Any, key: str, values: list[bytes]) -> None:
    pipe.rpush(key, *values)


def put_sorted(pipe: Any, key: str, values: list[bytes]) -> None:
    scores = (1.0, float("inf"), 99_999_999_999.0)
    pipe.zadd(key, {value: scores[n % 3] for n, value in enumerate(values)})


def put_stream(pipe: Any, key: str, values: list[bytes]) -> None:
    fields: Any = dict(zip(NAMES, values * len(NAMES), strict=False))
    pipe.xadd(key, fields, id="1-1")
    pipe.xadd(key, {b"event": b"live", b"symbol": b"SPY", b"venue": b"ARCA", b"ts": values[0]})


Put = Callable[[Any, str, list[bytes]], None]
PUTS: Final = [put_string, put_hash, put_list, put_sorted, put_stream]
values = st.lists(
    st.sampled_from(VALUES) | st.sampled_from(OF_LEDGERS) | st.binary(max_size=12),
    min_size=1,
    max_size=4,
)


@fuzz(60)
@given(
    st.lists(st.tuples(st.sampled_from(read_keys()), st.sampled_from(PUTS), values), max_size=30)
)
def test_whatever_stands_in_our_keys_every_reader_comes_back(
    redis_server_url: str, contents: list[tuple[str, Put, list[bytes]]]
) -> None:
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
        pipe = client.pipeline(transaction=False)
        for key, put, what in contents:
            pipe.delete(key)
            put(pipe, key, what)
        pipe.execute()
        asyncio.run(read_everything(redis_server_url))
        assert foreign(key.decode() for key in client.scan_iter()) == []


async def read_everything(url: str) -> None:
    store = Store(url, 2.0)
    try:
        for read in (read_of_depth, read_of_trades, read_of_vendor, read_of_watchdog):
            await read(store)
        await read_numbers(url)
    finally:
        await store.close()


async def read_of_depth(store: Store) -> None:
    refused = await read_fallback(store, KEYS, ["SPY"])
    live = await read_interrupted(store, KEYS, ["SPY"])
    assert {one.pair.symbol for one in refused} | {pair.symbol for pair, _ in live} <= {"SPY"}
    lost = await lost_numbers(store, KEYS, "depth")
    assert all(0 < number < 2**53 for number in lost.values())


async def read_of_trades(store: Store) -> None:
    found: Any = await read_bars(store, KEYS, "SPY", 0)
    assert all(0 <= one.t < 10**10 for rows in found for one in rows)
    covered = await read_covered(store, KEYS, "ibkr_trades")
    assert all(0 < ms < 10**13 for ms in covered.values())
    assert isinstance(await read_trades(store, KEYS, "SPY"), list)


async def read_of_vendor(store: Store) -> None:
    breakers = Breakers(CircuitPolicy(3, 30, 600, 3_600))
    breakers.restore(await read_breakers(store, KEYS, "av_options"), NOW_MS)
    assert isinstance(breakers.allows("SPY", "options", NOW_MS), bool)
    with_type = (StoreRefused,)
    try:
        assert isinstance(await read_session_state(store, KEYS), str)
    except with_type as error:
        assert str(error).startswith("WRONGTYPE")


async def read_of_watchdog(store: Store) -> None:
    settings = load_settings({"TICKVISOR_SOURCE": "sim"}, repository_root())
    reader = WatchReader(store, KEYS, settings)
    session = Session("XNYS", "2026-01-01", "regular", None, None, None, False, True)
    for _ in range(2):
        seen = await reader.read(NOW_MS, session)
        assert seen.now_ms == NOW_MS


async def read_numbers(url: str) -> None:
    """Where sequences stand, by the connection that writes them."""
    connection = RespConnection(url, 2.0, "test")
    try:
        await connection.connect()
        for writer in (
            DepthWriter(KEYS, ["SPY"], 1_000, DepthTtls()),
            TradesWriter("ibkr_trades", KEYS, ["SPY"], (60, 60)),
            BarsWriter("ibkr_trades", KEYS, ["SPY"], (60, 60)),
        ):
            await load_scripts(connection, writer.scripts)
            found: Any = writer
            positions, _ = await read_positions(connection, found)
            assert all(0 <= one.highest_seq < 2**53 for one in positions.values())
    finally:
        connection.close()


def run(url: str, work: Callable[[Store], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        store = Store(url, 2.0)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(body())


@pytest.mark.parametrize("junk", [HUGE, b"nan", b"inf", b"-1", b"1e300", b"x", b"", b"0x7"])
def test_a_budget_that_somebody_wrote_over_goes_on(redis_url: str, junk: bytes) -> None:
    key = KEYS.rate_limit("00000000")
    names = [name for name in NAMES if name.endswith(b"us") or name in (b"granted", b"waited")]

    async def take(store: Store) -> dict[str, Any]:
        bucket = TokenBucket(store, KEYS, "00000000", BucketPolicy(600, 10, 10))
        for name in names:
            await store.call(store.client.hset(key, name, junk))
            await asyncio.wait_for(bucket.acquire(), 8)
        return await bucket.stats()

    assert run(redis_url, take)["granted"] > 0


@pytest.mark.parametrize("junk", ["nan", "inf", "-inf", "x"])
def test_a_cooldown_is_set_whatever_stood_there(redis_url: str, junk: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.hset("b", mapping={"cooldown_us": junk, "cooldown_len_us": junk})
        assert call(client, "token_cooldown", ["b"], 30_000_000, "minute", 60_000) == 30_000_000


@pytest.mark.parametrize("junk", [HUGE, b"nan", b"inf", b"1e300", b"9007199254740993", b"x"])
def test_trades_are_not_taken_for_stored_by_a_number_that_is_none(
    redis_url: str, junk: bytes
) -> None:
    trades, numbers = KEYS.trades("SPY"), KEYS.numbers("ibkr_trades")

    async def append(store: Store) -> Any:
        await store.call(store.client.hset(numbers, "trades:SPY", junk))
        args: list[str | bytes | int] = ["trades:SPY", 7, 100, 60, b"{}"]
        return await store.run("trades_append", [trades, numbers], args)

    assert run(redis_url, append) == 1


@pytest.mark.parametrize("held", [b"\xff", b"[" * 5_000, b"null", b'{"token":"\xff"}', HUGE])
def test_a_lease_that_cannot_be_read_is_held_by_somebody(redis_url: str, held: bytes) -> None:
    async def acquire(store: Store) -> None:
        await store.call(store.client.set(KEYS.lease("ibkr_depth"), held))
        await Lease(store, KEYS, "ibkr_depth").acquire()

    with pytest.raises(LeaseHeld, match="ibkr_depth: unreadable lease"):
        run(redis_url, acquire)


@pytest.mark.parametrize("held", [b"\xff", b"a\nb\x1b[31m", HUGE])
def test_a_source_that_is_none_is_another_source(redis_url: str, held: bytes) -> None:
    async def claim(store: Store) -> None:
        await store.call(store.client.set(KEYS.source(), held))
        await source.claim(store, KEYS, "sim")

    with pytest.raises(SourceMismatch) as caught:
        run(redis_url, claim)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_one_key_of_another_type_does_not_blind_the_watchdog(redis_url: str) -> None:
    beat = b'{"ts":1800000000000,"state":"running","connected":true}'
    with redis.Redis.from_url(redis_url) as client:
        for key in read_keys():
            put_list(client, key, [b"x"])
        client.delete(KEYS.heartbeat("ibkr_trades"))
        client.set(KEYS.heartbeat("ibkr_trades"), beat)

    async def look(store: Store) -> Any:
        settings = load_settings({}, repository_root())
        session = Session("XNYS", "2026-01-01", "regular", None, None, None, False, True)
        return await WatchReader(store, KEYS, settings).read(NOW_MS, session)

    assert list(run(redis_url, look).beats) == ["ibkr_trades"]
