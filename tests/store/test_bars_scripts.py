"""The script that puts bars and candles, called with literal arguments."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.store.lua_calls import call, read

BARS, CANDLES = "market:SPY:bars:5s", "market:SPY:bars:1min"
NUMBERS, FIELD = "coord:seq:ibkr_trades", "bars:SPY"

Row = tuple[int, int, int, str]


def put(client: redis.Redis, *rows: Row, reach: tuple[int, int] = (86_400, 432_000)) -> Any:
    """`rows`: which set (1 bars, 2 candles), number, start, JSON."""
    flat = [part for row in rows for part in row]
    return call(client, "bars_put", [BARS, CANDLES, NUMBERS], FIELD, *reach, *flat)


def members(client: redis.Redis, key: str) -> list[tuple[str, int]]:
    found: Any = client.zrange(key, 0, -1, withscores=True)
    return [(member, int(score)) for member, score in found]


def test_bars_and_candles_stand_at_their_starts_in_their_sets(client: redis.Redis) -> None:
    assert put(client, (1, 1, 100, "a"), (2, 2, 60, "A"), (1, 3, 105, "b")) == 3
    assert members(client, BARS) == [("a", 100), ("b", 105)]
    assert members(client, CANDLES) == [("A", 60)]
    assert read(client, NUMBERS) == {"bars:SPY": "3"}


@pytest.mark.parametrize(("which", "key"), [(1, BARS), (2, CANDLES)])
def test_a_start_has_one_member_the_one_written_last(
    client: redis.Redis, which: int, key: str
) -> None:
    put(client, (which, 1, 60, "a"), (which, 2, 120, "b"))
    assert put(client, (which, 3, 60, "a2"), (which, 4, 60, "a3")) == 2
    assert members(client, key) == [("a3", 60), ("b", 120)]


def test_bars_and_candles_of_one_start_do_not_meet(client: redis.Redis) -> None:
    put(client, (1, 1, 60, "a"), (2, 2, 60, "A"))
    put(client, (1, 3, 60, "b"))
    assert (members(client, BARS), members(client, CANDLES)) == ([("b", 60)], [("A", 60)])


def test_a_repeated_write_does_nothing(client: redis.Redis) -> None:
    rows: list[Row] = [(1, 1, 100, "a"), (2, 2, 60, "A")]
    put(client, *rows)
    assert put(client, *rows) == 0
    assert (members(client, BARS), members(client, CANDLES)) == ([("a", 100)], [("A", 60)])
    assert read(client, NUMBERS) == {FIELD: "2"}


def test_a_repeated_write_does_not_undo_what_replaced_it(client: redis.Redis) -> None:
    put(client, (1, 1, 100, "a"))
    put(client, (1, 2, 100, "b"))
    assert put(client, (1, 1, 100, "a")) == 0
    assert members(client, BARS) == [("b", 100)]


def test_of_a_call_that_was_done_in_part_the_rest_is_done(client: redis.Redis) -> None:
    put(client, (1, 1, 100, "a"), (1, 2, 105, "b"))
    done = put(client, (1, 2, 105, "no"), (1, 3, 110, "c"), (2, 4, 60, "A"))
    assert done == 2
    assert members(client, BARS) == [("a", 100), ("b", 105), ("c", 110)]
    assert members(client, CANDLES) == [("A", 60)]


def test_a_number_below_one_of_the_same_call_is_not_done(client: redis.Redis) -> None:
    assert put(client, (1, 5, 100, "a"), (1, 4, 105, "b"), (1, 6, 110, "c")) == 2
    assert members(client, BARS) == [("a", 100), ("c", 110)]
    assert read(client, NUMBERS) == {FIELD: "6"}


def test_the_number_counts_where_the_sets_are_gone(client: redis.Redis) -> None:
    client.hset(NUMBERS, FIELD, "10")
    assert put(client, (1, 10, 100, "a"), (1, 11, 105, "b")) == 1
    assert members(client, BARS) == [("b", 105)]


def test_the_number_of_another_symbol_is_left_alone(client: redis.Redis) -> None:
    client.hset(NUMBERS, "bars:QQQ", "7")
    put(client, (1, 1, 100, "a"))
    assert read(client, NUMBERS) == {"bars:QQQ": "7", "bars:SPY": "1"}


def test_each_set_reaches_back_from_its_own_newest_start(client: redis.Redis) -> None:
    put(client, *((1, n, 1000 + n, f"b{n}") for n in range(1, 4)), reach=(60, 300))
    put(client, (2, 4, 1000, "A"), (2, 5, 1240, "B"), reach=(60, 300))
    put(client, (1, 6, 1062, "b6"), (2, 7, 1301, "C"), reach=(60, 300))
    assert members(client, BARS) == [("b2", 1002), ("b3", 1003), ("b6", 1062)]
    assert members(client, CANDLES) == [("B", 1240), ("C", 1301)]


def test_starts_of_today_are_exact_at_the_end_of_the_reach(client: redis.Redis) -> None:
    put(client, (1, 1, 1_790_000_000, "a"), (1, 2, 1_790_000_005, "b"))
    put(client, (1, 3, 1_790_086_405, "c"))
    assert members(client, BARS) == [("b", 1_790_000_005), ("c", 1_790_086_405)]


def test_a_late_older_bar_inside_the_reach_is_put_in(client: redis.Redis) -> None:
    put(client, (1, 1, 1000, "a"), (1, 2, 1010, "c"), reach=(60, 300))
    assert put(client, (1, 3, 1005, "b"), (1, 4, 950, "z"), reach=(60, 300)) == 2
    assert members(client, BARS) == [("z", 950), ("a", 1000), ("b", 1005), ("c", 1010)]


def test_a_late_bar_beyond_the_reach_does_not_stay(client: redis.Redis) -> None:
    put(client, (1, 1, 1000, "a"), reach=(60, 300))
    put(client, (1, 2, 939, "z"), reach=(60, 300))
    assert members(client, BARS) == [("a", 1000)]
    assert read(client, NUMBERS) == {FIELD: "2"}


def test_both_sets_expire_and_the_numbers_do_not(client: redis.Redis) -> None:
    put(client, (1, 1, 100, "a"), (2, 2, 60, "A"))
    assert 86_398 <= int(str(client.ttl(BARS))) <= 86_400
    assert 431_998 <= int(str(client.ttl(CANDLES))) <= 432_000
    assert client.ttl(NUMBERS) == -1


def test_a_set_that_is_not_written_keeps_its_expiry(client: redis.Redis) -> None:
    put(client, (1, 1, 100, "a"), (2, 2, 60, "A"))
    client.expire(CANDLES, 10)
    put(client, (1, 3, 105, "b"))
    assert int(str(client.ttl(CANDLES))) <= 10


@pytest.mark.parametrize(("which", "key"), [(1, BARS), (2, CANDLES)])
def test_a_set_of_another_type_is_an_error_and_the_number_stays(
    client: redis.Redis, which: int, key: str
) -> None:
    client.set(key, "no set")
    client.hset(NUMBERS, FIELD, "3")
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE"):
        put(client, (which, 4, 60, "a"))
    assert read(client, NUMBERS) == {FIELD: "3"}
    assert client.get(key) == "no set"


@pytest.mark.parametrize(("wrong", "right", "which"), [(CANDLES, BARS, 1), (BARS, CANDLES, 2)])
def test_a_set_of_another_type_leaves_the_other_set_untouched_and_expiring(
    client: redis.Redis, wrong: str, right: str, which: int
) -> None:
    put(client, (which, 1, 60, "a"))
    client.expire(right, 10)
    client.set(wrong, "no set")
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE"):
        put(client, (which, 2, 60, "b"), (3 - which, 3, 60, "B"), (which, 4, 120, "c"))
    assert members(client, right) == [("a", 60)]
    assert 8 <= int(str(client.ttl(right))) <= 10
    assert read(client, NUMBERS) == {FIELD: "1"}


def test_candles_of_another_type_leave_no_bars_that_never_expire(client: redis.Redis) -> None:
    client.set(CANDLES, "no set")
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE market:SPY:bars:1min is a string"):
        put(client, (1, 1, 60, "a"), (2, 2, 60, "A"))
    assert client.exists(BARS, NUMBERS) == 0


def test_numbers_of_another_type_are_an_error_and_nothing_is_put(client: redis.Redis) -> None:
    client.set(NUMBERS, "no hash")
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE"):
        put(client, (1, 1, 100, "a"))
    assert client.exists(BARS) == 0
