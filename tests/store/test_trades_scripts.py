"""The script that appends prints, called with literal arguments."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.store.lua_calls import call, read

TRADES, NUMBERS, FIELD = "market:SPY:trades", "coord:seq:ibkr_trades", "trades:SPY"
MANY = [f"p{number}" for number in range(1, 5001)]


def append(client: redis.Redis, first: int, *prints: str, keep: int = 1000) -> Any:
    """`prints` of consecutive numbers from `first` on, oldest first."""
    return call(client, "trades_append", [TRADES, NUMBERS], FIELD, first, keep, 86400, *prints)


def stored(client: redis.Redis) -> list[str]:
    found: Any = client.lrange(TRADES, 0, -1)
    return list(found)


def test_prints_stand_newest_first_under_the_number_of_the_newest(client: redis.Redis) -> None:
    assert append(client, 1, "a", "b", "c") == 3
    assert stored(client) == ["c", "b", "a"]
    assert read(client, NUMBERS) == {"trades:SPY": "3"}


def test_prints_of_the_next_call_stand_before_those_of_the_last(client: redis.Redis) -> None:
    append(client, 1, "a", "b")
    assert append(client, 3, "c", "d") == 2
    assert stored(client) == ["d", "c", "b", "a"]


def test_the_number_of_another_symbol_is_left_alone(client: redis.Redis) -> None:
    client.hset(NUMBERS, "trades:QQQ", "7")
    append(client, 1, "a")
    assert read(client, NUMBERS) == {"trades:QQQ": "7", "trades:SPY": "1"}


@pytest.mark.parametrize(
    ("keep", "kept"), [(1, ["e"]), (3, ["e", "d", "c"]), (5, ["e", "d", "c", "b", "a"])]
)
def test_only_so_many_of_the_newest_are_kept(
    client: redis.Redis, keep: int, kept: list[str]
) -> None:
    append(client, 1, "a", "b", keep=keep)
    assert append(client, 3, "c", "d", "e", keep=keep) == 3
    assert stored(client) == kept
    assert read(client, NUMBERS) == {FIELD: "5"}


def test_the_list_expires_and_the_numbers_do_not(client: redis.Redis) -> None:
    append(client, 1, "a")
    assert 86_398 <= int(str(client.ttl(TRADES))) <= 86_400
    assert client.ttl(NUMBERS) == -1


def test_a_repeated_call_renews_the_expiry(client: redis.Redis) -> None:
    append(client, 1, "a")
    client.expire(TRADES, 10)
    assert append(client, 1, "a") == 0
    assert 86_398 <= int(str(client.ttl(TRADES))) <= 86_400


@pytest.mark.parametrize(
    ("first", "prints", "added"),
    [
        pytest.param(4, ["d", "e"], ["d", "e"], id="none"),
        pytest.param(3, ["c", "d"], ["d"], id="some"),
        pytest.param(1, ["a", "b", "c", "d", "e"], ["d", "e"], id="most"),
        pytest.param(1, ["a", "b", "c"], [], id="all"),
        pytest.param(1, ["a"], [], id="older"),
    ],
)
def test_prints_up_to_the_stored_number_are_skipped(
    client: redis.Redis, first: int, prints: list[str], added: list[str]
) -> None:
    append(client, 1, "a", "b", "c")
    assert append(client, first, *prints) == len(added)
    assert stored(client) == [*reversed(added), "c", "b", "a"]
    assert read(client, NUMBERS) == {FIELD: str(3 + len(added))}


def test_numbers_that_were_never_appended_leave_no_trace(client: redis.Redis) -> None:
    append(client, 1, "a")
    assert append(client, 5, "e", "f") == 2
    assert stored(client) == ["f", "e", "a"]
    assert read(client, NUMBERS) == {FIELD: "6"}


def test_the_number_counts_where_the_list_is_gone(client: redis.Redis) -> None:
    client.hset(NUMBERS, FIELD, "10")
    assert append(client, 9, "i", "j") == 0
    assert client.exists(TRADES) == 0
    assert append(client, 9, "i", "j", "k") == 1
    assert (stored(client), read(client, NUMBERS)) == (["k"], {FIELD: "11"})


def test_thousands_of_prints_fit_into_one_call(client: redis.Redis) -> None:
    assert append(client, 1, *MANY, keep=10_000) == 5000
    assert stored(client) == MANY[::-1]
    assert read(client, NUMBERS) == {FIELD: "5000"}


def test_of_thousands_of_prints_only_the_newest_stay(client: redis.Redis) -> None:
    assert append(client, 1, *MANY) == 5000
    assert stored(client) == [f"p{number}" for number in range(5000, 4000, -1)]


def test_of_thousands_of_prints_the_stored_ones_are_skipped(client: redis.Redis) -> None:
    append(client, 1, *MANY[:1234], keep=10_000)
    assert append(client, 1, *MANY, keep=10_000) == 3766
    assert stored(client) == MANY[::-1]


@pytest.mark.parametrize("newest", [999_999_999_999_999, 1_000_000_000_000_000, 2**52])
def test_a_number_of_any_size_is_stored_as_an_integer(client: redis.Redis, newest: int) -> None:
    client.hset(NUMBERS, FIELD, str(newest))
    assert append(client, newest, "old", "a", "b") == 2
    assert stored(client) == ["b", "a"]
    assert read(client, NUMBERS) == {FIELD: str(newest + 2)}


@pytest.mark.parametrize("count", [1, 5000])
def test_a_list_of_another_type_is_an_error_and_the_number_stays(
    client: redis.Redis, count: int
) -> None:
    client.set(TRADES, "no list")
    client.hset(NUMBERS, FIELD, "3")
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE"):
        append(client, 4, *MANY[:count])
    assert read(client, NUMBERS) == {FIELD: "3"}
    assert client.get(TRADES) == "no list"


def test_numbers_of_another_type_are_an_error_and_nothing_is_appended(client: redis.Redis) -> None:
    client.set(NUMBERS, "no hash")
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE"):
        append(client, 1, "a")
    assert client.exists(TRADES) == 0
