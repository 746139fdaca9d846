"""The Lua scripts of the token bucket, by literal slots; time passes by moving the bucket back."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pytest
import redis

from tests.store.lua_calls import call, read

KEY = "coord:ratelimit:alpha_vantage:3f9a1c2b"
S = 1_000_000
TTL_MS = 120_000
NOW, LATER, REFUSED = 1, 2, 0


class Reply(NamedTuple):
    state: int
    wait_us: int
    slot_us: str
    epoch: str
    reason: str


def reserve(
    client: redis.Redis,
    interval_s: float = 10,
    spacing_s: float = 5,
    burst: int = 3,
    horizon_s: float = 1_000,
) -> Reply:
    args = (int(interval_s * S), int(spacing_s * S), burst, int(horizon_s * S))
    return Reply(*call(client, "token_reserve", [KEY], *args, "born", TTL_MS))


def call_now(client: redis.Redis) -> Reply:
    slot = reserve(client, interval_s=0, spacing_s=0)
    assert slot.state == NOW
    return slot


def confirm(client: redis.Redis, slot: Reply, epoch: str = "born", late_us: int = S) -> Any:
    return call(client, "token_confirm", [KEY], epoch, slot.slot_us, late_us, 7, TTL_MS)


def cool_down(client: redis.Redis, wait_s: float, reason: str = "minute") -> float:
    return int(call(client, "token_cooldown", [KEY], int(wait_s * S), reason, TTL_MS)) / S


def pass_time(client: redis.Redis, seconds: float) -> None:
    for field in ("empty_us", "last_us", "cooldown_us", "window_us"):
        if client.hexists(KEY, field):
            client.hincrby(KEY, field, -int(seconds * S))


def steps_s(slots: list[Reply]) -> list[float]:
    return [
        (int(late.slot_us) - int(early.slot_us)) / S
        for early, late in zip(slots, slots[1:], strict=False)
    ]


def number(client: redis.Redis, field: str) -> int:
    return int(read(client, KEY)[field])


def test_an_absent_bucket_begins_empty(client: redis.Redis) -> None:
    first = reserve(client)
    assert (first.state, first.wait_us, first.epoch, first.reason) == (LATER, 10 * S, "born", "")
    assert steps_s([first, reserve(client), reserve(client)]) == [10.0, 10.0]


def test_a_quiet_time_earns_a_burst_that_keeps_its_spacing(client: redis.Redis) -> None:
    reserve(client)
    pass_time(client, 600)
    slots = [reserve(client) for _ in range(8)]
    assert [slot.state for slot in slots] == [NOW, *[LATER] * 7]
    assert steps_s(slots) == [5.0, 5.0, 5.0, 5.0, 10.0, 10.0, 10.0]


def test_calls_further_apart_than_the_interval_never_wait(client: redis.Redis) -> None:
    reserve(client)
    pass_time(client, 10)
    for _ in range(5):
        pass_time(client, 10.001)
        assert reserve(client, burst=1).state == NOW


def test_spacing_holds_where_it_is_wider_than_the_interval(client: redis.Redis) -> None:
    slots = [reserve(client, interval_s=1, spacing_s=4) for _ in range(4)]
    assert steps_s(slots) == [4.0, 4.0, 4.0]


def test_a_slot_beyond_the_horizon_is_refused_and_not_reserved(client: redis.Redis) -> None:
    assert [reserve(client, horizon_s=25).state for _ in range(2)] == [LATER, LATER]
    before = read(client, KEY)
    refusals = [reserve(client, horizon_s=25) for _ in range(2)]
    assert [slot.state for slot in refusals] == [REFUSED, REFUSED]
    assert 29 * S < refusals[1].wait_us <= 30 * S
    assert read(client, KEY) == before | {"refused": "2"}


def test_each_caller_brings_its_own_policy(client: redis.Redis) -> None:
    first = reserve(client, interval_s=10)
    slots = [first, reserve(client, interval_s=40), reserve(client, interval_s=10)]
    assert steps_s(slots) == [40.0, 10.0]


def test_a_larger_burst_finds_a_fresh_bucket_empty_too(client: redis.Redis) -> None:
    reserve(client, interval_s=1, spacing_s=0.1, burst=1)
    assert reserve(client, interval_s=1, spacing_s=0.1, burst=50).wait_us > 1 * S


# The law, at the plan's own figures and over hours of the bucket's time


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_minute_and_no_second_of_slots_exceeds_the_plan(client: redis.Redis, seed: int) -> None:
    """600 a minute less 10: at most 590 and a burst of 5 in any minute, 12 and one in a second."""
    dice, passed_s, slots = random.Random(seed), 0.0, []
    reserve(client)
    for _ in range(2_500):
        # Hungry for a while, then idle for a while.
        gap_s = dice.choice([0.0, 0.0, 0.1, 0.1, dice.expovariate(2)])
        gap_s += 30 * (dice.random() < 0.002)
        pass_time(client, gap_s)
        passed_s += int(gap_s * S) / S
        slots.append(int(reserve(client, 0.101695, 0.083334, burst=5).slot_us) + int(passed_s * S))
    assert slots == sorted(slots)
    assert most_within(slots, 60 * S) <= 595
    assert most_within(slots, 1 * S) <= 13
    assert most_within(slots, 300 * S) <= 5 * 590 + 5


def most_within(times: list[int], span: int) -> int:
    most = start = 0
    for end, at in enumerate(times):
        while at - times[start] > span:
            start += 1
        most = max(most, end - start + 1)
    return most


# Confirmation


def test_a_slot_whose_time_has_come_is_confirmed_and_counted(client: redis.Redis) -> None:
    slot = call_now(client)
    late = slot._replace(slot_us=str(int(slot.slot_us) - S // 2))
    before = number(client, "granted")
    assert confirm(client, late) == 1
    assert number(client, "granted") == before + 1
    assert (number(client, "waited"), number(client, "waited_us")) == (1, 7)


def test_a_slot_of_another_bucket_is_void(client: redis.Redis) -> None:
    slot = reserve(client)
    assert confirm(client, slot, epoch="older") == 0
    client.delete(KEY)
    assert confirm(client, slot) == 0
    assert client.exists(KEY) == 0


def test_a_slot_that_passed_long_ago_is_void(client: redis.Redis) -> None:
    slot = call_now(client)
    missed = slot._replace(slot_us=str(int(slot.slot_us) - 2 * S))
    assert confirm(client, missed) == 0


def test_a_slot_is_void_while_a_cooldown_is_on(client: redis.Redis) -> None:
    slot = call_now(client)
    cool_down(client, 5)
    assert confirm(client, slot) == 0
    pass_time(client, 5)
    assert confirm(client, slot, late_us=60 * S) == 1


def test_a_slot_that_the_clock_stepped_back_from_is_confirmed(client: redis.Redis) -> None:
    assert confirm(client, reserve(client)) == 1


# Restart and clock


def test_a_bucket_from_before_a_restart_begins_anew_and_keeps_its_counters(
    client: redis.Redis,
) -> None:
    slot = call_now(client)
    client.hset(KEY, mapping={"run": "0" * 40, "epoch": "older"})
    assert confirm(client, slot, epoch="older") == 0
    anew = reserve(client)
    assert (anew.wait_us, anew.epoch) == (10 * S, "born")
    assert number(client, "granted") == 1


@pytest.mark.parametrize("field", ["last_us", "empty_us"])
def test_a_bucket_implausibly_far_ahead_begins_anew(client: redis.Redis, field: str) -> None:
    reserve(client, horizon_s=60)
    client.hset(KEY, "epoch", "older")
    client.hincrby(KEY, field, 80 * S)
    anew = reserve(client, horizon_s=60)
    assert (anew.state, anew.wait_us, anew.epoch) == (LATER, 10 * S, "born")


@pytest.mark.parametrize(("passed_s", "wait_s"), [(0, 20), (21, 10)], ids=["on", "over"])
def test_a_cooldown_lasts_no_longer_than_set_when_the_clock_steps_back(
    client: redis.Redis, passed_s: float, wait_s: int
) -> None:
    cool_down(client, 20)
    pass_time(client, passed_s)
    reserve(client, horizon_s=60)
    pass_time(client, -86_400)
    again = reserve(client, horizon_s=60)
    assert (again.state, again.wait_us, again.epoch) == (LATER, wait_s * S, "born")


def test_unreadable_fields_begin_the_bucket_anew(client: redis.Redis) -> None:
    client.hset(KEY, mapping={"epoch": "e", "empty_us": "x", "last_us": "", "cooldown_us": "y"})
    assert reserve(client).wait_us == 10 * S


# Cooldowns


def test_the_longer_cooldown_wins_with_its_reason(client: redis.Redis) -> None:
    assert cool_down(client, 30, "minute") == 30.0
    assert 29.0 < cool_down(client, 2, "burst") <= 30.0
    assert read(client, KEY)["cooldown_reason"] == "minute"
    assert cool_down(client, 3_600, "daily") == 3_600.0
    refusal = reserve(client, horizon_s=60)
    assert (refusal.state, refusal.reason) == (REFUSED, "daily")
    assert 3_599 * S < refusal.wait_us <= 3_600 * S


def test_slots_begin_again_when_the_cooldown_ends(client: redis.Redis) -> None:
    reserve(client)
    pass_time(client, 600)
    cool_down(client, 30)
    slots = [reserve(client) for _ in range(3)]
    assert 29 * S < slots[0].wait_us <= 30 * S
    assert steps_s(slots) == [5.0, 5.0]
    assert slots[0].reason == "minute"


# Expiry and window


def test_every_script_renews_the_expiry(client: redis.Redis) -> None:
    slot = reserve(client)
    for work in (
        lambda: reserve(client),
        lambda: reserve(client, horizon_s=0.001),
        lambda: confirm(client, slot),
        lambda: confirm(client, slot, epoch="older"),
        lambda: cool_down(client, 1),
    ):
        client.pexpire(KEY, 5_000)
        work()
        assert 110_000 < int(str(client.pttl(KEY))) <= TTL_MS


def test_a_bucket_outlives_its_cooldown(client: redis.Redis) -> None:
    cool_down(client, 500)
    assert 500_000 < int(str(client.pttl(KEY))) <= 501_000
    for _ in range(2):
        slot = reserve(client)
        assert 500_000 < int(str(client.pttl(KEY))) <= 501_000
        confirm(client, slot)
        assert 500_000 < int(str(client.pttl(KEY))) <= 501_000


def test_a_window_begins_with_a_call_and_holds_for_a_minute(client: redis.Redis) -> None:
    slot = reserve(client)
    assert "window_us" not in read(client, KEY)
    confirm(client, slot)
    began = number(client, "window_us")
    confirm(client, slot)
    assert number(client, "window_us") == began
    for seconds in (60, -90):
        client.hincrby(KEY, "window_us", -seconds * S)
        confirm(client, slot)
        assert began <= number(client, "window_us") < began + 5 * S


def test_a_call_without_a_wait_begins_a_window_too(client: redis.Redis) -> None:
    began = int(call_now(client).slot_us)
    assert number(client, "window_us") == began
    call_now(client)
    assert number(client, "window_us") == began
    for seconds in (60, -90):
        client.hincrby(KEY, "window_us", -seconds * S)
        call_now(client)
        assert began <= number(client, "window_us") < began + 5 * S
