"""Who holds a depth slot, read from a rotation ledger written by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from shared.errors import StoreUnavailable
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.slots_held import SlotsHeld
from tests.support.ports import free_port

KEY = "monitoring:depth:rotation"
SPY, BATS, QQQ = ("SPY", "ARCA"), ("SPY", "BATS"), ("QQQ", "NASDAQ")


def following(url: str, work: Callable[[SlotsHeld], Awaitable[None]], prefix: str = "") -> None:
    async def scenario() -> None:
        store = Store(url, 0.5)
        try:
            await work(SlotsHeld(store, Keys(prefix)))
        finally:
            await store.close()

    asyncio.run(scenario())


def turn(
    client: redis.Redis, ts: object, event: str, pair: tuple[str, str] = SPY, key: str = KEY
) -> None:
    fields: Any = {
        "ts": ts, "slot": 0, "symbol": pair[0], "venue": pair[1], "event": event, "req_id": 7,
        "detail": "",
    }  # fmt: skip
    client.xadd(key, fields)


def since(url: str, pair: tuple[str, str] = SPY, started_ms: int = 0) -> int | None:
    found: list[int | None] = []

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        found.append(slots.since_ms(pair, started_ms))

    following(url, work)
    return found[0]


def test_an_empty_ledger_names_nobody(redis_url: str) -> None:
    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        assert (slots.pairs(0), slots.since_ms(SPY, 0)) == ([], None)

    following(redis_url, work)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (("subscribe",), 1_000),
        (("subscribe", "live"), 1_000),
        (("subscribe", "live", "cancel"), None),
        (("subscribe", "refused"), None),
        (("subscribe", "refused", "cooldown"), None),
        (("subscribe", "live", "cancel", "subscribe"), 4_000),
        (("subscribe", "cancel", "subscribe", "live"), 3_000),
        (("cancel", "subscribe", "cooldown"), 2_000),
        (("subscribe", "invented"), 1_000),
    ],
)
def test_a_slot_is_held_from_the_request_to_its_end(
    redis_url: str, client: redis.Redis, events: tuple[str, ...], expected: int | None
) -> None:
    for at, event in enumerate(events, start=1):
        turn(client, at * 1_000, event)
    assert since(redis_url) == expected


def test_a_slot_of_an_earlier_process_is_gone(redis_url: str, client: redis.Redis) -> None:
    turn(client, 5_000, "subscribe")
    assert since(redis_url, started_ms=5_000) == 5_000
    assert since(redis_url, started_ms=5_001) is None


def test_pairs_are_those_that_the_running_process_has_named(
    redis_url: str, client: redis.Redis
) -> None:
    turn(client, 1_000, "subscribe", BATS)
    turn(client, 1_500, "cancel", BATS)
    turn(client, 2_000, "subscribe", SPY)
    turn(client, 3_000, "refused", QQQ)

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        assert slots.pairs(0) == [BATS, SPY, QQQ]
        assert slots.pairs(2_000) == [SPY, QQQ]
        assert slots.pairs(9_000) == []

    following(redis_url, work)


def test_two_venues_of_a_symbol_are_two_slots(redis_url: str, client: redis.Redis) -> None:
    turn(client, 1_000, "subscribe", SPY)
    turn(client, 2_000, "subscribe", BATS)
    turn(client, 3_000, "cancel", SPY)
    assert since(redis_url, SPY) is None
    assert since(redis_url, BATS) == 2_000


def test_what_is_added_is_followed_and_nothing_is_read_twice(
    redis_url: str, client: redis.Redis
) -> None:
    turn(client, 1_000, "subscribe", SPY)

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        turn(client, 2_000, "subscribe", QQQ)
        await slots.follow()
        assert (slots.since_ms(SPY, 0), slots.since_ms(QQQ, 0)) == (1_000, 2_000)
        turn(client, 3_000, "cancel", SPY)
        await slots.follow()
        await slots.follow()
        assert (slots.since_ms(SPY, 0), slots.since_ms(QQQ, 0)) == (None, 2_000)

    following(redis_url, work)


def test_a_ledger_that_was_flushed_is_followed_anew(redis_url: str, client: redis.Redis) -> None:
    turn(client, 1_000, "subscribe", SPY)

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        client.flushdb()
        await slots.follow()
        # Nobody has said that it was given back.
        assert slots.since_ms(SPY, 0) == 1_000
        turn(client, 2_000, "cancel", SPY)
        await slots.follow()
        assert slots.since_ms(SPY, 0) is None

    following(redis_url, work)


def test_more_than_fits_into_one_look_is_caught_up_with(
    redis_url: str, client: redis.Redis
) -> None:
    turn(client, 1, "subscribe", QQQ)

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        with client.pipeline() as pipe:
            for at in range(2, 1_802):
                turn(pipe, at, "subscribe", SPY)
            pipe.execute()
        await slots.follow()
        await slots.follow()
        assert slots.since_ms(SPY, 0) == 1_801

    following(redis_url, work)


def test_a_long_ledger_is_read_from_its_end(redis_url: str, client: redis.Redis) -> None:
    with client.pipeline() as pipe:
        turn(pipe, 1, "subscribe", QQQ)
        for at in range(2, 602):
            turn(pipe, at, "subscribe" if at % 2 else "cancel", SPY)
        pipe.execute()
    assert since(redis_url, SPY) == 601
    # Longer ago than a rotation lasts.
    assert since(redis_url, QQQ) is None


@pytest.mark.parametrize("ts", ["", "soon", "-5", "1e3", "٣٤", "12.5", b"\xff\xfe"])
def test_an_entry_without_a_time_says_nothing(
    redis_url: str, client: redis.Redis, ts: object
) -> None:
    turn(client, 1_000, "subscribe")
    turn(client, ts, "subscribe")
    turn(client, ts, "cancel")
    assert since(redis_url) == 1_000


def test_entries_of_others_do_not_disturb(redis_url: str, client: redis.Redis) -> None:
    turn(client, 1_000, "subscribe")
    client.xadd(KEY, {"anything": "else"})
    client.xadd(KEY, {b"\xff": b"\xfe", "symbol": "SPY", "ts": "2000", "event": "cancel"})
    client.xadd(KEY, {"symbol": "SPY", "venue": "", "ts": "3000", "event": "cancel"})
    client.xadd(KEY, {"symbol": "SPY", "venue": "ARCA", "ts": "4000"})
    client.xadd(KEY, {"symbol": "SPY", "venue": "ARCA", "event": "cancel"})
    assert since(redis_url) == 1_000


def test_the_prefix_is_before_the_key(redis_url: str, client: redis.Redis) -> None:
    turn(client, 1_000, "subscribe", key=f"tv:{KEY}")

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        assert slots.since_ms(SPY, 0) == 1_000

    following(redis_url, work, "tv:")


def test_a_key_that_is_no_stream_tells_nothing(redis_url: str, client: redis.Redis) -> None:
    client.set(KEY, "text")

    async def work(slots: SlotsHeld) -> None:
        await slots.follow()
        assert (slots.pairs(0), slots.since_ms(SPY, 0)) == ([], None)

    following(redis_url, work)


def test_a_redis_that_is_away_is_told() -> None:
    async def work(slots: SlotsHeld) -> None:
        with pytest.raises(StoreUnavailable):
            await slots.follow()

    following(f"redis://127.0.0.1:{free_port()}/0", work)
