"""Depth as the watchdog reads it: rows, slots, fallbacks and the rotation window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from shared.market.observation import DepthSeen, Observation
from shared.store.watch_reader import WatchReader
from tests.store.test_watch_reader import NOW_MS, SESSION, put, reading, settings_at

TWO_VENUES: Final = {"SPY": ["ARCA", "BATS"], "QQQ": ["ISLAND"]}
SIX: Final = {name: ["ARCA"] for name in ("SPY", "IWM", "AAPL", "MSFT", "TSLA", "NVDA")}
# A turn is a dwell and a cool-down.
TURNS: Final = {"rotation_s": 10.0, "slot_cooldown_s": 2.0, "max_concurrent_depth": 3}
ARCA, BATS, NASDAQ = ("SPY", "ARCA"), ("SPY", "BATS"), ("QQQ", "NASDAQ")


class Looking:
    """One reader that looks as often as it is asked to."""

    def __init__(self, reader: WatchReader) -> None:
        self._reader = reader

    async def __call__(self) -> Observation:
        return await self._reader.read(NOW_MS, SESSION)


def seen_once(home: Path, url: str, universe: dict[str, list[str]], **changes: Any) -> Observation:
    found: list[Observation] = []

    async def work(reader: WatchReader) -> None:
        found.append(await reader.read(NOW_MS, SESSION))

    reading(settings_at(home, url, universe, **changes), work)
    return found[0]


def turn(client: redis.Redis, ts: int, event: str, pair: tuple[str, str]) -> None:
    fields: Any = {"ts": ts, "symbol": pair[0], "venue": pair[1], "event": event, "slot": 0}
    client.xadd("monitoring:depth:rotation", fields)


def beat(client: redis.Redis, started_ms: int) -> None:
    put(client, "heartbeat:ibkr_depth", ts=NOW_MS, state="running", started_ts=started_ms)


Place = tuple[Path, str, redis.Redis]


@pytest.fixture
def place(tmp_path: Path, redis_url: str, client: redis.Redis) -> Place:
    return tmp_path, redis_url, client


def test_each_venue_has_its_own_row_and_slot(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    put(client, "market:SPY:ARCA:book", received_ts=11, ts=99, seq=4, state="live")
    put(client, "market:SPY:BATS:book", received_ts=12)
    beat(client, 100)
    turn(client, 150, "subscribe", ARCA)
    turn(client, 160, "subscribe", BATS)
    turn(client, 170, "cancel", BATS)
    assert seen_once(tmp_path, redis_url, TWO_VENUES).depth == {
        ARCA: DepthSeen(11, 150),
        BATS: DepthSeen(12, None),
        NASDAQ: DepthSeen(None, None),
    }


def test_slots_of_a_worker_that_was_restarted_are_gone(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    turn(client, 150, "subscribe", ARCA)
    turn(client, 250, "subscribe", NASDAQ)
    beat(client, 200)
    depth = seen_once(tmp_path, redis_url, TWO_VENUES).depth
    assert (depth[ARCA].slot_since_ms, depth[NASDAQ].slot_since_ms) == (None, 250)


def test_a_heartbeat_that_expired_is_remembered(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    turn(client, 150, "subscribe", ARCA)
    beat(client, 200)

    async def work(reader: WatchReader) -> None:
        look = Looking(reader)
        assert (await look()).depth[ARCA].slot_since_ms is None
        client.delete("heartbeat:ibkr_depth")
        assert (await look()).depth[ARCA].slot_since_ms is None

    reading(settings_at(tmp_path, redis_url, TWO_VENUES), work)


def test_a_book_that_expired_is_remembered_and_a_newer_one_counts(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    put(client, "market:SPY:ARCA:book", received_ts=11)

    async def work(reader: WatchReader) -> None:
        look = Looking(reader)
        assert (await look()).depth[ARCA].row_ms == 11
        client.delete("market:SPY:ARCA:book")
        assert (await look()).depth[ARCA].row_ms == 11
        put(client, "market:SPY:ARCA:book", received_ts=20)
        assert (await look()).depth[ARCA].row_ms == 20
        # The clock was set back: an old time must not hide that nothing comes.
        put(client, "market:SPY:ARCA:book", received_ts=15)
        assert (await look()).depth[ARCA].row_ms == 15

    reading(settings_at(tmp_path, redis_url, TWO_VENUES), work)


def test_fallback_pairs_are_refused(tmp_path: Path, redis_url: str, client: redis.Redis) -> None:
    row = json.dumps({"code": 354, "text": "not subscribed", "ts": 1, "retry_ts": 2})
    other: Any = {"SPY:BATS": row, "QQQ:NASDAQ": "broken", "TSLA:ARCA": row, "nothing": row}
    client.hset("coord:depth:fallback", mapping=other)
    depth = seen_once(tmp_path, redis_url, TWO_VENUES).depth
    assert {pair: one.refused for pair, one in depth.items()} == {
        ARCA: "",
        BATS: row,
        NASDAQ: "broken",
    }


def test_venues_that_the_worker_has_found_are_watched(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    beat(client, 100)
    turn(client, 150, "subscribe", ("IWM", "ARCA"))
    put(client, "market:IWM:ARCA:book", received_ts=160)

    async def work(reader: WatchReader) -> None:
        look = Looking(reader)
        assert (await look()).depth.keys() == {ARCA, ("IWM", "ARCA")}
        # Its own process has not asked for it any more.
        beat(client, 200)
        await look()
        assert (await look()).depth.keys() == {ARCA}

    reading(settings_at(tmp_path, redis_url, {"SPY": ["ARCA"], "IWM": []}), work)


def test_what_the_settings_have_left_out_is_not_watched(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    """The ledger tells of a symbol and a venue of earlier settings."""
    turn(client, 50, "subscribe", ("GME", "NYSE"))
    turn(client, 60, "subscribe", ("SPY", "IEX"))
    turn(client, 150, "subscribe", ("GME", "NYSE"))
    turn(client, 160, "subscribe", ("TSLA", "NASDAQ"))
    beat(client, 100)
    symbols = {"standard": ["TSLA"]}

    async def work(reader: WatchReader) -> None:
        look = Looking(reader)
        await look()
        assert (await look()).depth.keys() == {ARCA, BATS, NASDAQ}

    universe = {**TWO_VENUES, "TSLA": ["ISLAND"]}
    reading(settings_at(tmp_path, redis_url, universe, symbols=symbols), work)


@pytest.mark.parametrize(
    ("universe", "pinned", "figures", "turns"),
    [
        # ceil((subscriptions - pinned) / max(1, slots - pinned))
        (SIX, (), {"slots": 3}, 2),
        (SIX, (), {"slots": 4}, 2),
        (SIX, (), {"slots": 6}, 1),
        (SIX, (), {"slots": 1}, 6),
        (SIX, ("SPY",), {"slots": 3}, 3),
        (SIX, ("SPY", "IWM"), {"slots": 3}, 4),
        # Fewer slots than pinned after a shrink.
        (SIX, ("SPY", "IWM"), {"slots": 1}, 4),
        # Without figures: the slots of the settings.
        (SIX, (), {}, 2),
        (SIX, (), {"slots": 0}, 2),
        (SIX, (), {"slots": "broken"}, 2),
        (TWO_VENUES, (), {"slots": 2}, 2),
        # Both venues of a pinned symbol keep their slots.
        (TWO_VENUES, ("SPY",), {"slots": 3}, 1),
        ({"SPY": ["ARCA"]}, ("SPY",), {"slots": 3}, 0),
    ],
)
def test_the_rotation_window_is_that_of_the_contract(
    place: Place, universe: dict[str, list[str]], pinned: tuple[str, ...],
    figures: dict[str, Any], turns: int,
) -> None:  # fmt: skip
    home, url, client = place
    client.hset("monitoring:ibkr:metrics", "ibkr_depth", json.dumps(figures))
    seen = seen_once(home, url, universe, ibkr=TURNS, pinned=pinned)
    assert seen.rotation_window_s == turns * 12.0


def test_a_mute_feed_is_judged_by_the_books_that_can_be_live(
    tmp_path: Path, redis_url: str
) -> None:
    async def work(reader: WatchReader) -> None:
        assert (reader.watched()["depth"], reader.watched()["trades"]) == (3, 6)

    reading(settings_at(tmp_path, redis_url, SIX, ibkr=TURNS), work)


def test_refused_pairs_take_no_turn(tmp_path: Path, redis_url: str, client: redis.Redis) -> None:
    client.hset("monitoring:ibkr:metrics", "ibkr_depth", '{"slots": 2}')
    for name in ("SPY", "IWM", "AAPL"):
        client.hset("coord:depth:fallback", f"{name}:ARCA", "{}")
    seen = seen_once(tmp_path, redis_url, SIX, ibkr=TURNS, pinned=("SPY",))
    # Three are left for two slots, and the pinned one needs none.
    assert seen.rotation_window_s == 2 * 12.0
