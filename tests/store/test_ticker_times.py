"""The ticker's scripts, called with literal arguments: quotes offered again, times that go back."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.store.lua_calls import call, read

NOW = 1_000_000
TICKER, OWNER, TIMES = "market:SPY:ticker", "coord:depth:live:SPY", "coord:quote:ts"


KEYS = [TICKER, OWNER, TIMES]


def quote(
    client: redis.Redis, as_of: int, received: int, bid: str = "100.0", source: str = "tob"
) -> Any:
    times = (as_of, received, NOW)
    return call(client, "ticker_quote", KEYS, source, "SPY", *times, 60, 2000, "bid", bid)


def last(client: redis.Redis, received: int) -> Any:
    return call(client, "ticker_last", [TICKER], received, NOW, 60, 2000, "last", "100.5")


# Offered again


def test_a_quote_said_lately_changes_nothing_when_it_is_offered_again(client: redis.Redis) -> None:
    quote(client, NOW - 9_999, NOW - 9_999)
    client.expire(TICKER, 10)
    before = read(client, TICKER)
    assert quote(client, NOW, NOW - 9_999, "99.0") == 3
    assert (read(client, TICKER), read(client, TIMES)) == (before, {"SPY": "990001"})
    assert int(str(client.ttl(TICKER))) <= 10


def test_a_quote_offered_again_that_is_due_is_written_with_its_expiry(client: redis.Redis) -> None:
    quote(client, NOW - 10_000, NOW - 10_000)
    client.expire(TICKER, 10)
    assert quote(client, NOW, NOW - 10_000) == 1
    assert read(client, TIMES) == {"SPY": "1000000"}
    assert 58 <= int(str(client.ttl(TICKER))) <= 60


def test_the_next_ten_seconds_count_from_the_last_offer_that_was_written(
    client: redis.Redis,
) -> None:
    quote(client, NOW - 20_000, NOW - 20_000)
    replies = [quote(client, NOW - ago, NOW - 20_000) for ago in (10_001, 10_000, 9_000, 1, 0)]
    assert replies == [3, 1, 3, 3, 1]


def test_a_quote_of_the_same_receive_time_by_another_source_is_not_held_back(
    client: redis.Redis,
) -> None:
    quote(client, NOW - 5_000, NOW - 5_000, "100.0", "delayed")
    assert quote(client, NOW, NOW - 5_000, "99.0", "tob") == 1
    assert (read(client, TICKER)["bid"], read(client, TICKER)["quote_source"]) == ("99.0", "tob")


def test_a_quote_of_another_receive_time_is_not_held_back(client: redis.Redis) -> None:
    quote(client, NOW - 5_000, NOW - 5_000)
    assert quote(client, NOW, NOW - 6_000, "99.0") == 1
    assert read(client, TICKER)["quote_received_ts"] == str(NOW - 6_000)


def test_a_tick_is_written_though_a_quote_was_said_lately(client: redis.Redis) -> None:
    quote(client, NOW - 5_000, NOW - 5_000)
    assert quote(client, NOW - 4_999, NOW - 4_999, "99.0") == 1
    assert read(client, TICKER)["bid"] == "99.0"


def test_a_quote_whose_ticker_expired_is_written_when_it_is_offered_again(
    client: redis.Redis,
) -> None:
    quote(client, NOW - 5_000, NOW - 5_000)
    client.delete(TICKER)
    assert quote(client, NOW, NOW - 5_000) == 1
    assert read(client, TICKER)["bid"] == "100.0"


def test_a_quote_said_lately_is_refused_where_depth_owns_the_ticker(client: redis.Redis) -> None:
    quote(client, NOW - 5_000, NOW - 5_000)
    client.set(OWNER, '["ARCA"]')
    assert quote(client, NOW, NOW - 5_000) == -1


@pytest.mark.parametrize(
    ("ttl_s", "due_ms"), [(2, 1_000), (5, 2_500), (19, 9_500), (20, 10_000), (60, 10_000)]
)
def test_a_quote_offered_again_is_due_after_half_of_its_expiry_and_after_ten_seconds(
    client: redis.Redis, ttl_s: int, due_ms: int
) -> None:
    def offer(as_of: int) -> Any:
        times = (as_of, NOW, as_of)
        return call(client, "ticker_quote", KEYS, "tob", "SPY", *times, ttl_s, 2000, "bid", "1")

    assert [offer(NOW + later) for later in (0, due_ms - 1, due_ms)] == [1, 3, 1]


@pytest.mark.parametrize("ttl_s", [3, 5, 9])
def test_trades_leave_a_quiet_quote_of_a_short_expiry_alone_while_it_is_offered_every_second(
    client: redis.Redis, ttl_s: int
) -> None:
    for now in range(NOW, NOW + 30_000, 1_000):
        times = (now, NOW, now)
        call(client, "ticker_quote", KEYS, "tob", "SPY", *times, ttl_s, 2000, "bid", "1")
        at = now + 999
        assert call(client, "ticker_last", [TICKER], at, at, ttl_s, 2000, "last", "2") == 1
    assert read(client, TICKER)["bid"] == "1"


def test_a_quote_offered_again_is_written_where_the_ticker_does_not_say_since_when_it_holds(
    client: redis.Redis,
) -> None:
    quote(client, NOW - 5_000, NOW - 5_000)
    client.hdel(TICKER, "quote_ts")
    assert quote(client, NOW, NOW - 5_000) == 1
    assert read(client, TICKER)["quote_ts"] == "1000000"


# A clock that stepped back


@pytest.mark.parametrize(("ahead_ms", "result"), [(2000, 3), (2001, 2), (3_600_000, 2)])
def test_a_quote_that_holds_from_the_future_was_not_said_lately(
    client: redis.Redis, ahead_ms: int, result: int
) -> None:
    quote(client, NOW + ahead_ms, NOW - 5_000)
    assert quote(client, NOW, NOW - 5_000) == result
    assert read(client, TICKER)["quote_ts"] == str(NOW if result == 2 else NOW + ahead_ms)


# When the ticker was written last


@pytest.mark.parametrize(("ahead_ms", "shown"), [(2000, "1002000"), (2001, "999000")])
def test_a_quote_does_not_take_the_tickers_time_back_unless_that_is_from_the_future(
    client: redis.Redis, ahead_ms: int, shown: str
) -> None:
    client.hset(TICKER, "ts", NOW + ahead_ms)
    assert quote(client, NOW, NOW - 1000) == 1
    assert read(client, TICKER)["ts"] == shown


@pytest.mark.parametrize(("ahead_ms", "shown"), [(2000, "1002000"), (2001, "999000")])
def test_a_trade_does_not_take_the_tickers_time_back_unless_that_is_from_the_future(
    client: redis.Redis, ahead_ms: int, shown: str
) -> None:
    client.hset(TICKER, "ts", NOW + ahead_ms)
    assert last(client, NOW - 1000) == 1
    assert read(client, TICKER)["ts"] == shown


def test_a_trade_that_waited_takes_no_quote_that_still_holds(client: redis.Redis) -> None:
    quote(client, NOW - 59_999, NOW - 59_999)
    assert last(client, NOW - 300_000) == 1
    assert (read(client, TICKER)["bid"], read(client, TICKER)["last"]) == ("100.0", "100.5")


def test_a_quote_that_holds_by_its_offers_stays_however_long_ago_it_was_received(
    client: redis.Redis,
) -> None:
    quote(client, NOW - 60_000, NOW - 300_000)
    assert last(client, NOW) == 1
    assert read(client, TICKER)["quote_received_ts"] == str(NOW - 300_000)
