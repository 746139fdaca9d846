"""The ticker's scripts, called with literal arguments: who may quote, and which times count."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from shared.store.depth_commands import QUOTE_FIELDS
from tests.store.lua_calls import call, read

NOW = 1_000_000
TICKER, OWNER = "market:SPY:ticker", "coord:depth:live:SPY"


# ticker_quote


def quote(client: redis.Redis, ts: int, bid: str = "100.0", source: str = "depth") -> Any:
    """A quote of `ts`, received at NOW."""
    fields = ("bid", bid, "ask", "", "mid", "")
    return call(client, "ticker_quote", [TICKER, OWNER], source, ts, NOW, 60, 2000, *fields)


def test_a_quote_is_written_with_its_times_source_and_expiry(client: redis.Redis) -> None:
    assert quote(client, NOW - 5) == 1
    assert read(client, TICKER) == {
        "bid": "100.0",
        "quote_ts": "999995",
        "quote_received_ts": "1000000",
        "quote_source": "depth",
        "ts": "1000000",
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


@pytest.mark.parametrize(("stored", "result", "bid"), [(2000, 0, "1.0"), (2001, 2, "100.0")])
def test_a_stored_time_more_than_two_seconds_ahead_is_overwritten(
    client: redis.Redis, stored: int, result: int, bid: str
) -> None:
    client.hset(TICKER, mapping={"quote_ts": NOW + stored, "bid": "1.0"})
    assert quote(client, NOW) == result
    assert read(client, TICKER)["bid"] == bid


def test_top_of_book_may_not_write_what_depth_owns(client: redis.Redis) -> None:
    client.set(OWNER, '["ARCA"]')
    quote(client, NOW)
    assert quote(client, NOW + 1, "99.0", source="tob") == -1
    assert read(client, TICKER)["bid"] == "100.0"


def test_top_of_book_writes_what_nobody_owns(client: redis.Redis) -> None:
    quote(client, NOW)
    assert quote(client, NOW + 1, "99.0", source="tob") == 1
    assert (read(client, TICKER)["bid"], read(client, TICKER)["quote_source"]) == ("99.0", "tob")


# ticker_release


def release(client: redis.Redis, source: str = "depth") -> Any:
    return call(client, "ticker_release", [TICKER], source, *QUOTE_FIELDS)


def test_a_released_ticker_of_quotes_alone_is_gone(client: redis.Redis) -> None:
    quote(client, NOW)
    assert release(client) == 1
    assert client.exists(TICKER) == 0


def test_a_released_ticker_keeps_its_trades(client: redis.Redis) -> None:
    quote(client, NOW)
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
