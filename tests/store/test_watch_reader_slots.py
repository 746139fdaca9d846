"""Slots held since before the part of the rotation ledger that a watchdog reads when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import redis

from shared.control.freshness import Freshness, Stale
from shared.freshness_budgets import freshness_policy
from shared.market.observation import Observation
from shared.settings import Settings
from shared.store.watch_reader import WatchReader
from tests.store.test_watch_reader import NOW_MS, SESSION, put, reading, settings_at
from tests.store.test_watch_reader_depth import TURNS, turn

UNIVERSE: Final = {name: ["ARCA"] for name in ("SPY", "IWM", "AAPL", "MSFT", "TSLA", "NVDA")}
SPY, IWM = ("SPY", "ARCA"), ("IWM", "ARCA")
STARTED_MS: Final = NOW_MS - 7_200_000
# More of them than are read at the start.
TURNS_SINCE: Final = 600


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return settings_at(tmp_path, redis_url, UNIVERSE, ibkr=TURNS, pinned=("SPY",))


def forget(client: redis.Redis) -> None:
    """SPY's turn began long ago; only IWM came and went since."""
    with client.pipeline() as pipe:
        turn(pipe, STARTED_MS + 1_000, "subscribe", SPY)
        for number in range(TURNS_SINCE):
            at_ms = STARTED_MS + 2_000 + number * 10
            turn(pipe, at_ms, "cancel" if number % 2 else "subscribe", IWM)
        pipe.execute()


def book(client: redis.Redis, at_ms: int, state: str = "live", key: str = "SPY:ARCA") -> None:
    put(client, f"market:{key}:book", received_ts=at_ms, state=state)


def beat(client: redis.Redis, now_ms: int, started_ms: int = STARTED_MS) -> None:
    put(
        client, "heartbeat:ibkr_depth", ts=now_ms, state="running", connected=True,
        started_ts=started_ms,
    )  # fmt: skip


async def judged(
    reader: WatchReader, freshness: Freshness, client: redis.Redis, now_ms: int
) -> dict[str, Stale]:
    beat(client, now_ms)
    return freshness.judge(await reader.read(now_ms, SESSION))


def test_a_pinned_book_that_falls_silent_is_stale_as_soon_as_any_other(
    settings: Settings, client: redis.Redis
) -> None:
    """And not after a rotation window more, which a pinned symbol never waits for."""
    forget(client)
    found: list[tuple[int, Stale]] = []

    async def work(reader: WatchReader) -> None:
        freshness = Freshness(freshness_policy(settings), ("ibkr_depth",), NOW_MS)
        for second in range(40):
            book(client, NOW_MS + second * 1_000)
            stale = await judged(reader, freshness, client, NOW_MS + second * 1_000)
            assert "depth:SPY" not in stale
        for silent_s in range(1, 60):
            stale = await judged(reader, freshness, client, NOW_MS + (39 + silent_s) * 1_000)
            if "depth:SPY" in stale:
                found.append((silent_s, stale["depth:SPY"]))
                return

    reading(settings, work)
    [(silent_s, stale)] = found
    assert (silent_s, stale.age_s, stale.budget_s, stale.mute) == (16, 16.0, 15.0, True)


def looks(settings: Settings, *between: Any) -> list[Observation]:
    """One look more than what is done in between."""
    found: list[Observation] = []

    async def work(reader: WatchReader) -> None:
        for change in (None, *between):
            if change is not None:
                change()
            found.append(await reader.read(NOW_MS, SESSION))

    reading(settings, work)
    return found


def since(seen: Observation, pair: tuple[str, str] = SPY) -> int | None:
    return seen.depth[pair].slot_since_ms


@pytest.mark.parametrize(
    ("state", "expected"), [("live", NOW_MS - 10), ("reset", NOW_MS - 10), ("parked", None)]
)
def test_an_open_book_holds_a_slot(
    settings: Settings, client: redis.Redis, state: str, expected: int | None
) -> None:
    forget(client)
    beat(client, NOW_MS)
    book(client, NOW_MS - 10, state)
    [seen] = looks(settings)
    assert since(seen) == expected


def test_rows_that_come_do_not_move_its_beginning(settings: Settings, client: redis.Redis) -> None:
    beat(client, NOW_MS)
    book(client, NOW_MS - 10)
    first, second = looks(settings, lambda: book(client, NOW_MS - 5))
    assert (since(first), since(second)) == (NOW_MS - 10, NOW_MS - 10)
    assert second.depth[SPY].row_ms == NOW_MS - 5


def test_what_the_ledger_says_goes_before_what_a_book_says(
    settings: Settings, client: redis.Redis
) -> None:
    beat(client, NOW_MS)
    for pair in (SPY, IWM):
        turn(client, NOW_MS - 50, "subscribe", pair)
        book(client, NOW_MS - 10, key=":".join(pair))
    turn(client, NOW_MS - 5, "cancel", IWM)
    first, second = looks(settings, lambda: turn(client, NOW_MS - 1, "cancel", SPY))
    assert (since(first), since(first, IWM)) == (NOW_MS - 50, None)
    assert (since(second), since(second, IWM)) == (None, None)


def test_the_end_of_a_slot_that_only_its_book_told_is_seen_in_the_ledger(
    settings: Settings, client: redis.Redis
) -> None:
    beat(client, NOW_MS)
    book(client, NOW_MS - 10)
    first, second = looks(settings, lambda: turn(client, NOW_MS - 1, "cancel", SPY))
    assert (since(first), since(second)) == (NOW_MS - 10, None)


def test_an_open_book_of_a_process_that_was_killed_holds_nothing(
    settings: Settings, client: redis.Redis
) -> None:
    book(client, NOW_MS - 10)
    beat(client, NOW_MS, started_ms=NOW_MS - 5)
    [seen] = looks(settings)
    assert since(seen) is None


def last_row(client: redis.Redis, venue: str, at_ms: object) -> None:
    fields: Any = {"venue": venue, "ts": at_ms, "seq": 7}
    client.hset("raw:ibkr:depth:last:SPY", mapping=fields)


def test_a_venue_that_the_worker_found_long_ago_is_watched(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    """The settings do not name it, nor does what was read of the ledger."""
    settings = settings_at(tmp_path, redis_url, {"SPY": [], "IWM": ["ARCA"]}, pinned=("SPY",))
    forget(client)
    beat(client, NOW_MS)
    last_row(client, "ARCA", NOW_MS - 10)
    book(client, NOW_MS - 10)
    _, seen = looks(settings, lambda: None)
    assert (seen.depth[SPY].row_ms, since(seen)) == (NOW_MS - 10, NOW_MS - 10)


@pytest.mark.parametrize(
    ("venue", "at_ms"),
    [("ARCA", STARTED_MS - 1), ("", NOW_MS), ("ARCA", "soon"), ("ARCA", ""), (b"\xff", "")],
)
def test_a_row_of_another_process_or_of_nothing_names_no_venue(
    tmp_path: Path, redis_url: str, client: redis.Redis, venue: str, at_ms: object
) -> None:
    settings = settings_at(tmp_path, redis_url, {"SPY": [], "IWM": ["ARCA"]})
    beat(client, NOW_MS)
    last_row(client, venue, at_ms)
    assert [set(seen.depth) for seen in looks(settings, lambda: None)] == [{IWM}, {IWM}]
