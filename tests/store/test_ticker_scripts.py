"""The ticker's scripts, called with literal arguments: who may quote, and which times count."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from shared.store.ticker import QUOTE_FIELDS
from tests.store.lua_calls import call, read

NOW = 1_000_000
TICKER, OWNER, TIMES = "market:SPY:ticker", "coord:depth:live:SPY", "coord:quote:ts"
KEYS = [TICKER, OWNER, TIMES]
LAST = ("last", "last_size", "last_venue", "last_ts", "last_received_ts", "volume")


# ticker_quote


def quote(
    client: redis.Redis, ts: int, bid: str = "100.0", source: str = "tob", received: int = 0
) -> Any:
    """A quote as of `ts`, received then too unless given; as depth, with its sign set."""
    if source == "depth":
        client.set(OWNER, '["ARCA"]')
    fields = ("bid", bid, "ask", "", "mid", "")
    times = (ts, received or ts, NOW)
    return call(client, "ticker_quote", KEYS, source, "SPY", *times, 60, 2000, *fields)


@pytest.mark.parametrize("source", ["depth", "tob"])
def test_a_quote_is_written_with_its_times_source_and_expiry(
    client: redis.Redis, source: str
) -> None:
    assert quote(client, NOW - 5, source=source) == 1
    assert read(client, TICKER) == {
        "bid": "100.0",
        "quote_ts": "999995",
        "quote_received_ts": "999995",
        "quote_source": source,
        "ts": "999995",
    }
    assert 58 <= int(str(client.ttl(TICKER))) <= 60


def test_an_empty_value_removes_a_field_and_foreign_fields_stay(client: redis.Redis) -> None:
    client.hset(TICKER, mapping={"ask": "101.0", "last": "100.5", "volume": "7"})
    quote(client, NOW)
    found = read(client, TICKER)
    assert "ask" not in found
    assert (found["last"], found["volume"]) == ("100.5", "7")


def test_a_late_quote_changes_nothing(client: redis.Redis) -> None:
    quote(client, NOW, "100.0")
    before = read(client, TICKER)
    assert quote(client, NOW - 1, "99.0") == 0
    assert read(client, TICKER) == before


def test_a_quote_of_the_same_time_is_written(client: redis.Redis) -> None:
    quote(client, NOW, "100.0")
    assert quote(client, NOW, "99.0") == 1
    assert read(client, TICKER)["bid"] == "99.0"


def test_a_quote_older_than_one_that_was_released_is_late_too(client: redis.Redis) -> None:
    quote(client, NOW, source="depth")
    client.delete(OWNER)
    assert release(client) == 1
    assert quote(client, NOW - 1) == 0
    assert client.exists(TICKER) == 0
    assert quote(client, NOW) == 1


def test_the_times_of_two_symbols_do_not_meet(client: redis.Redis) -> None:
    client.hset(TIMES, "QQQ", NOW + 1)
    assert quote(client, NOW) == 1
    assert read(client, TIMES) == {"QQQ": "1000001", "SPY": "1000000"}


@pytest.mark.parametrize(("stored", "result", "bid"), [(2000, 0, "1.0"), (2001, 2, "100.0")])
def test_a_stored_time_more_than_two_seconds_ahead_is_overwritten(
    client: redis.Redis, stored: int, result: int, bid: str
) -> None:
    client.hset(TIMES, "SPY", NOW + stored)
    client.hset(TICKER, "bid", "1.0")
    assert quote(client, NOW) == result
    assert read(client, TICKER)["bid"] == bid


def test_top_of_book_may_not_write_what_depth_owns(client: redis.Redis) -> None:
    quote(client, NOW, source="depth")
    assert quote(client, NOW + 1, "99.0", source="tob") == -1
    assert read(client, TICKER)["bid"] == "100.0"


def test_depth_may_not_write_without_its_sign(client: redis.Redis) -> None:
    quote(client, NOW, source="depth")
    client.delete(OWNER)
    assert quote(client, NOW + 1, "98.0", source="tob") == 1
    times = (NOW + 2, NOW + 2, NOW)
    late = call(client, "ticker_quote", KEYS, "depth", "SPY", *times, 60, 2000, "bid", "97.0")
    assert late == -1
    assert (read(client, TICKER)["bid"], read(client, TICKER)["quote_source"]) == ("98.0", "tob")


@pytest.mark.parametrize(
    ("age_ms", "stays"), [(60_000, True), (60_001, False), (-2000, True), (-2001, False)]
)
def test_a_last_price_that_nobody_renewed_goes_with_the_next_quote(
    client: redis.Redis, age_ms: int, stays: bool
) -> None:
    client.hset(TICKER, mapping={**dict.fromkeys(LAST, "1"), "last_received_ts": NOW - age_ms})
    quote(client, NOW)
    assert {name for name in LAST if name in read(client, TICKER)} == (
        set(LAST) if stays else set()
    )


def test_a_quote_that_waited_takes_no_newer_last_price_for_one_from_the_future(
    client: redis.Redis,
) -> None:
    client.hset(TICKER, mapping={**dict.fromkeys(LAST, "1"), "last_received_ts": NOW, "ts": NOW})
    assert quote(client, NOW - 30_000) == 1
    assert (read(client, TICKER)["last"], read(client, TICKER)["ts"]) == ("1", "1000000")


@pytest.mark.parametrize(("later_ms", "result"), [(9_999, 3), (10_000, 1)])
def test_a_quote_that_is_offered_again_is_written_every_ten_seconds(
    client: redis.Redis, later_ms: int, result: int
) -> None:
    quote(client, NOW - 20_000)
    assert quote(client, NOW - 20_000 + later_ms, received=NOW - 20_000) == result
    found = read(client, TICKER)
    assert found["quote_received_ts"] == str(NOW - 20_000)
    assert found["quote_ts"] == str(NOW - 20_000 + (later_ms if result == 1 else 0))


def test_a_quote_offered_again_behind_depth_holds_now_and_keeps_its_receive_time(
    client: redis.Redis,
) -> None:
    quote(client, NOW - 500, "100.0", source="depth")
    client.delete(OWNER)
    assert release(client) == 1
    assert quote(client, NOW, "99.0", received=NOW - 7_000) == 1
    found = read(client, TICKER)
    assert (found["bid"], found["quote_ts"]) == ("99.0", str(NOW))
    assert found["quote_received_ts"] == str(NOW - 7_000)


# ticker_last


def last(client: redis.Redis, *pairs: str, received: int = NOW) -> Any:
    return call(client, "ticker_last", [TICKER], received, NOW, 60, 2000, *pairs)


def test_a_trade_that_waited_takes_no_newer_quote_for_one_from_the_future(
    client: redis.Redis,
) -> None:
    client.hset(TICKER, mapping={**dict.fromkeys(QUOTE_FIELDS, "1"), "quote_ts": NOW, "ts": NOW})
    assert last(client, "last", "100.5", received=NOW - 30_000) == 1
    found = read(client, TICKER)
    assert (found["bid"], found["last_received_ts"], found["ts"]) == ("1", "970000", "1000000")


def test_a_last_price_is_written_with_its_receive_time_and_expiry(client: redis.Redis) -> None:
    client.hset(TICKER, mapping={"last_venue": "ARCA", "bid": "100.0"})
    assert last(client, "last", "100.5", "last_venue", "") == 1
    assert read(client, TICKER) == {
        "last": "100.5",
        "bid": "100.0",
        "last_received_ts": "1000000",
        "ts": "1000000",
    }
    assert 58 <= int(str(client.ttl(TICKER))) <= 60


@pytest.mark.parametrize(("age_ms", "result"), [(60_000, 1), (60_001, 2), (-2000, 1), (-2001, 2)])
def test_a_quote_that_nobody_renewed_goes_with_the_next_trade(
    client: redis.Redis, age_ms: int, result: int
) -> None:
    client.hset(TICKER, mapping={**dict.fromkeys(QUOTE_FIELDS, "1"), "volume": "7"})
    client.hset(TICKER, "quote_ts", NOW - age_ms)
    assert last(client, "last", "100.5") == result
    found = read(client, TICKER)
    left = set(QUOTE_FIELDS) if result == 1 else set()
    assert {name for name in QUOTE_FIELDS if name in found} == left
    assert (found["last"], found["volume"]) == ("100.5", "7")


# ticker_release


def release(client: redis.Redis, source: str = "depth") -> Any:
    return call(client, "ticker_release", [TICKER], source, *QUOTE_FIELDS)


def test_a_released_ticker_of_quotes_alone_is_gone(client: redis.Redis) -> None:
    quote(client, NOW, source="depth")
    assert release(client) == 1
    assert client.exists(TICKER) == 0


def test_a_released_ticker_keeps_its_trades(client: redis.Redis) -> None:
    quote(client, NOW, source="depth")
    client.hset(TICKER, "last", "100.5")
    assert release(client) == 1
    assert read(client, TICKER) == {"last": "100.5", "ts": "1000000"}


def test_a_quote_that_another_has_taken_over_is_not_released(client: redis.Redis) -> None:
    quote(client, NOW, source="tob")
    assert release(client) == 0
    assert read(client, TICKER)["bid"] == "100.0"


def test_releasing_a_ticker_that_expired_changes_nothing(client: redis.Redis) -> None:
    assert release(client) == 0
    assert client.exists(TICKER) == 0
