"""What the watchdog reads, from keys written by hand after the contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from shared.errors import StoreUnavailable
from shared.market.observation import Beat, Observation, PollSeen
from shared.market.session import Session
from shared.settings import Settings, load_settings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.watch_reader import WatchReader
from tests.support.ports import free_port
from tests.support.worker_process import REPOSITORY, write_settings, write_universe

NOW_MS: Final = 1_795_789_800_000
SESSION: Final = Session("XNYS", "2026-11-27", "regular", 1, 2, None, False, True)
Read = Callable[..., Observation]


def settings_at(home: Path, url: str, universe: dict[str, list[str]], **changes: Any) -> Settings:
    pinned = changes.pop("pinned", ())
    write_universe(home, universe, pinned)
    vendor = {"sentiment_skip": ["SPY"], "indicators": ["RSI", "ATR"]}
    write_settings(home, {"alpha_vantage": vendor, **changes})
    env = {
        "TICKVISOR_HOME": str(home),
        "TICKVISOR_CONFIG": str(home / "ingestion.yaml"),
        "SYMBOL_CONFIG_PATH": str(home / "ibkr_symbols.yaml"),
        "REDIS_URL": url,
        "TICKVISOR_SOURCE": "sim",
    }
    return load_settings(env, REPOSITORY)


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return settings_at(tmp_path, redis_url, {"SPY": ["ARCA"], "QQQ": ["ISLAND"]})


def reading(settings: Settings, work: Callable[[WatchReader], Any], prefix: str = "") -> None:
    """`work` gets a reader and is awaited."""

    async def scenario() -> None:
        store = Store(settings.redis.url, 0.5)
        try:
            await work(WatchReader(store, Keys(prefix), settings))
        finally:
            await store.close()

    asyncio.run(scenario())


@pytest.fixture
def read(settings: Settings) -> Read:
    """One look of a new reader."""

    def look(prefix: str = "") -> Observation:
        found: list[Observation] = []

        async def work(reader: WatchReader) -> None:
            found.append(await reader.read(NOW_MS, SESSION))

        reading(settings, work, prefix)
        return found[0]

    return look


def put(client: redis.Redis, key: str, **document: Any) -> None:
    client.set(key, json.dumps(document))


def hset(client: redis.Redis, key: str, **fields: Any) -> None:
    # redis-py's mapping is of every type a name may have.
    mapping: Any = fields
    client.hset(key, mapping=mapping)


def test_of_an_empty_redis_nothing_is_known(read: Read) -> None:
    seen = read()
    assert (seen.now_ms, seen.session, seen.beats) == (NOW_MS, SESSION, {})
    zeros = {"SPY": 0, "QQQ": 0}
    assert (seen.quotes, seen.trades, seen.reported, seen.bars) == (zeros,) * 4
    assert {pair: (one.row_ms, one.slot_since_ms) for pair, one in seen.depth.items()} == {
        ("SPY", "ARCA"): (None, None),
        ("QQQ", "NASDAQ"): (None, None),
    }
    unknown = PollSeen(0, "ok", "")
    assert seen.polls == {
        "options": {"SPY": unknown, "QQQ": unknown},
        "sentiment": {"QQQ": unknown},
        "technicals": {"SPY": unknown, "QQQ": unknown},
    }


def test_every_surface_is_counted(settings: Settings) -> None:
    async def work(reader: WatchReader) -> None:
        assert reader.watched() == {
            "depth": 2, "quotes": 2, "trades": 2, "bars": 2, "options": 2, "sentiment": 1,
            "technicals": 2,
        }  # fmt: skip

    reading(settings, work)


def test_without_indicators_and_for_indexes_nothing_is_expected(
    tmp_path: Path, redis_url: str
) -> None:
    vendor: dict[str, list[str]] = {"indicators": [], "sentiment_skip": []}
    universe = {"SPY": ["ARCA"], "SPX": ["CBOE"]}
    settings = settings_at(tmp_path, redis_url, universe, alpha_vantage=vendor)

    async def work(reader: WatchReader) -> None:
        watched = reader.watched()
        assert (watched["depth"], watched["quotes"], watched["technicals"]) == (2, 1, 0)
        seen = await reader.read(NOW_MS, SESSION)
        assert seen.quotes.keys() == seen.polls["options"].keys() == {"SPY"}
        assert seen.polls["technicals"] == {}
        assert ("SPX", "CBOE") in seen.depth

    reading(settings, work)


def test_heartbeats_are_read_field_by_field(read: Read, client: redis.Redis) -> None:
    put(
        client, "heartbeat:ibkr_trades", worker="ibkr_trades", ts=5, pid=7, host="h", started_ts=3,
        version="1", source="sim", state="degraded", connected=True, detail="no line for SPY",
    )  # fmt: skip
    put(client, "heartbeat:watchdog", ts=9, state="running")
    assert read().beats == {
        "ibkr_trades": Beat(5, "degraded", True, "no line for SPY", 3),
        "watchdog": Beat(9, "running", False, "", 0),
    }


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "7", '{"ts": "5", "state": "running"}', '{"state": "running"}',
     '{"ts": 5}', b'{"ts": 5, "state": "\xff"}', '{"ts": 5.5, "state": "running"}',
     "[" * 20_000],
)  # fmt: skip
def test_what_is_no_heartbeat_counts_as_none(
    read: Read, client: redis.Redis, text: str | bytes
) -> None:
    client.set("heartbeat:ibkr_depth", text)
    assert read().beats == {}


def test_market_data_is_read_field_by_field(read: Read, client: redis.Redis) -> None:
    hset(client, "market:SPY:ticker", bid=1.5, quote_ts=20, quote_received_ts=10, ts=99)
    hset(client, "market:QQQ:ticker", quote_ts=30, quote_received_ts=40, last=5, last_ts=99)
    for at in (1, 2, 3):
        client.lpush("market:SPY:trades", json.dumps({"received_ts": at, "ts": 99, "seq": at}))
    put(client, "market:SPY:last", price=1.0, ts=99, received_ts=2)
    client.zadd("market:SPY:bars:5s", {'{"t": 100}': 100, '{"t": 105}': 105, '{"t": 95}': 95})
    seen = read()
    assert seen.quotes == {"SPY": 20, "QQQ": 40}
    assert seen.trades == {"SPY": 3, "QQQ": 0}
    assert seen.reported == {"SPY": 2, "QQQ": 0}
    # The end of the bar that began at 105 s.
    assert seen.bars == {"SPY": 110_000, "QQQ": 0}


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"received_ts": "x"}', b'"\xff"'])
def test_market_data_that_cannot_be_read_counts_as_none(
    read: Read, client: redis.Redis, text: str | bytes
) -> None:
    hset(client, "market:SPY:ticker", quote_ts=text, quote_received_ts="7")
    client.lpush("market:SPY:trades", text)
    client.set("market:SPY:last", text)
    client.set("market:SPY:ARCA:book", text)
    seen = read()
    assert (seen.quotes["SPY"], seen.trades["SPY"], seen.reported["SPY"]) == (7, 0, 0)
    assert seen.depth["SPY", "ARCA"].row_ms is None


def test_monitors_are_read_field_by_field(read: Read, client: redis.Redis) -> None:
    hset(client, "monitoring:options:SPY", status="suspended", fetched_ts=11, error="http 503")
    hset(client, "monitoring:options:QQQ", status="empty", fetched_ts=12, error="no rows")
    hset(client, "monitoring:sentiment:QQQ", status="not_entitled", fetched_ts="soon")
    # Not asked for: its news are skipped.
    hset(client, "monitoring:sentiment:SPY", status="error", fetched_ts=1)
    polls = read().polls
    assert polls["options"] == {
        "SPY": PollSeen(11, "suspended", "http 503"),
        "QQQ": PollSeen(12, "empty", "no rows"),
    }
    assert polls["sentiment"] == {"QQQ": PollSeen(0, "not_entitled", "")}


def test_indicators_are_as_old_as_the_oldest_of_a_symbol(read: Read, client: redis.Redis) -> None:
    put(client, "technicals:SPY:RSI", symbol="SPY", fetched_ts=30, values={"RSI": 5.5})
    put(client, "technicals:SPY:ATR", fetched_ts=20)
    put(client, "technicals:QQQ:RSI", fetched_ts=40)
    assert read().polls["technicals"] == {"SPY": PollSeen(20), "QQQ": PollSeen(0)}


@pytest.mark.parametrize("field", ["SPY:ATR", "*:ATR"])
def test_a_suspended_indicator_says_why(read: Read, client: redis.Redis, field: str) -> None:
    put(client, "technicals:SPY:RSI", fetched_ts=30)
    put(client, "technicals:SPY:ATR", fetched_ts=20)
    circuit = json.dumps({"state": "open", "reason": "http 503", "trips": 2, "until_ts": 9})
    hset(client, "coord:breaker:av_sentiment", **{field: circuit})
    assert read().polls["technicals"]["SPY"] == PollSeen(20, "suspended", "ATR, http 503")


@pytest.mark.parametrize(
    ("circuit", "expected"),
    [
        ('{"state": "closed", "reason": "http 503", "failures": 1}', PollSeen(20)),
        ("nonsense", PollSeen(20)),
        ('{"state": "half_open"}', PollSeen(20, "suspended", "ATR, suspended")),
    ],
)
def test_a_circuit_that_is_closed_or_broken_explains_nothing(
    read: Read, client: redis.Redis, circuit: str, expected: PollSeen
) -> None:
    put(client, "technicals:SPY:RSI", fetched_ts=30)
    put(client, "technicals:SPY:ATR", fetched_ts=20)
    hset(client, "coord:breaker:av_sentiment", **{"SPY:ATR": circuit, "QQQ:ATR": "x", "a": "b"})
    assert read().polls["technicals"]["SPY"] == expected


def test_indicators_are_looked_at_every_fifth_time(settings: Settings, client: redis.Redis) -> None:
    async def work(reader: WatchReader) -> None:
        seen: list[int | None] = []
        for at in range(1, 12):
            put(client, "technicals:SPY:RSI", fetched_ts=at)
            put(client, "technicals:SPY:ATR", fetched_ts=at)
            found = await reader.read(NOW_MS, SESSION)
            seen.append(found.polls["technicals"]["SPY"].fetched_ms)
        assert seen == [1, 1, 1, 1, 1, 6, 6, 6, 6, 6, 11]

    reading(settings, work)


def test_the_prefix_is_before_every_key(read: Read, client: redis.Redis) -> None:
    put(client, "tv:heartbeat:ibkr_depth", ts=5, state="running")
    put(client, "tv:market:SPY:ARCA:book", received_ts=6)
    put(client, "market:QQQ:NASDAQ:book", received_ts=7)
    seen = read("tv:")
    assert seen.beats["ibkr_depth"].ts_ms == 5
    assert seen.depth["SPY", "ARCA"].row_ms == 6
    assert seen.depth["QQQ", "NASDAQ"].row_ms is None


def test_a_key_of_another_type_is_absent_and_hides_no_other(
    read: Read, client: redis.Redis
) -> None:
    client.set("market:SPY:ticker", "text")
    client.hset("market:QQQ:ticker", mapping={"quote_ts": "7"})
    assert read().quotes == {"SPY": 0, "QQQ": 7}


def test_a_redis_that_is_away_is_told(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    settings = settings_at(tmp_path, url, {"SPY": ["ARCA"]})

    async def work(reader: WatchReader) -> None:
        with pytest.raises(StoreUnavailable):
            await reader.read(NOW_MS, SESSION)

    reading(settings, work)
