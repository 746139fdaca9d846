"""Waiting for one's turn in a budget that several connections share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from shared.errors import BudgetExhausted, StoreRefused, StoreUnavailable
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.token_bucket import BucketPolicy, TokenBucket
from tests.store.lua_calls import read
from tests.support.ports import free_port
from tests.support.until import until

ACCOUNT = "3f9a1c2b"
KEY = f"coord:ratelimit:alpha_vantage:{ACCOUNT}"
QUICK = BucketPolicy(6_000, 100, 200)  # a call every 10.2 ms, never closer than 8.3 ms
SLOW = BucketPolicy(120, 0, 20)  # a call every 500 ms
Buckets = list[TokenBucket]


def with_buckets(
    url: str, policy: BucketPolicy, scenario: Callable[[Buckets], Awaitable[None]], count: int = 2
) -> None:
    """Runs the scenario with buckets of one account, each on a connection of its own."""

    async def run() -> None:
        stores = [Store(url, 2.0) for _ in range(count)]
        try:
            await scenario([TokenBucket(store, Keys(), ACCOUNT, policy) for store in stores])
        finally:
            for store in stores:
                await store.close()

    asyncio.run(run())


async def seconds(work: Awaitable[None]) -> float:
    began_s = time.monotonic()
    await work
    return time.monotonic() - began_s


def reserved(client: redis.Redis, field: str = "last_us") -> int:
    return int(read(client, KEY).get(field, "0"))


async def waiting(client: redis.Redis, bucket: TokenBucket) -> asyncio.Task[None]:
    """A caller that has its slot and waits for it."""
    before = reserved(client)
    task = asyncio.ensure_future(bucket.acquire())
    await until(lambda: reserved(client) != before)
    return task


def test_the_first_call_of_an_absent_bucket_waits_one_interval(redis_url: str) -> None:
    async def scenario(buckets: Buckets) -> None:
        assert await seconds(buckets[0].acquire()) >= 0.5

    with_buckets(redis_url, SLOW, scenario)


def test_calls_of_several_connections_are_an_interval_apart(redis_url: str) -> None:
    async def scenario(buckets: Buckets) -> None:
        calls = [bucket.acquire() for bucket in buckets for _ in range(2)]
        assert await seconds(_all(calls)) >= 4 * 0.5

    with_buckets(redis_url, SLOW, scenario)


async def _all(calls: list[Any]) -> None:
    await asyncio.gather(*calls)


def test_a_quiet_time_earns_calls_at_once(redis_url: str, client: redis.Redis) -> None:
    policy = BucketPolicy(60, 10, 200)  # a call every 1.2 s, five at once

    async def scenario(buckets: Buckets) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await buckets[0].acquire()
        client.hincrby(KEY, "empty_us", -60_000_000)
        client.hincrby(KEY, "last_us", -60_000_000)
        burst_s = await seconds(_all([bucket.acquire() for bucket in buckets]))
        assert burst_s < 4.0
        assert burst_s + await seconds(buckets[0].acquire()) >= 1.2

    with_buckets(redis_url, policy, scenario, count=5)


def test_who_came_first_calls_first(redis_url: str, client: redis.Redis) -> None:
    policy = BucketPolicy(1_200, 0, 200)
    order: list[asyncio.Task[None]] = []

    async def scenario(buckets: Buckets) -> None:
        tasks = []
        for number in (2, 0, 3, 1, 3, 0, 2, 1):
            tasks.append(await waiting(client, buckets[number]))
            tasks[-1].add_done_callback(order.append)
        await asyncio.gather(*tasks)
        await until(lambda: len(order) == len(tasks))
        assert order == tasks

    with_buckets(redis_url, policy, scenario, count=4)


def test_a_budget_taken_up_to_the_horizon_is_refused(redis_url: str, client: redis.Redis) -> None:
    policy = BucketPolicy(120, 0, 20, horizon_s=1.2)

    async def scenario(buckets: Buckets) -> None:
        tasks = [await waiting(client, bucket) for bucket in buckets]
        with pytest.raises(BudgetExhausted) as caught:
            await buckets[0].acquire()
        assert 1.2 < caught.value.wait_s <= 1.5
        assert caught.value.reason == (
            "the budget of 120 calls a minute is taken for the next 1.2 s"
        )
        await asyncio.gather(*tasks)

    with_buckets(redis_url, policy, scenario)


def test_a_long_cooldown_refuses_at_once_and_everywhere(redis_url: str) -> None:
    async def scenario(buckets: Buckets) -> None:
        await buckets[0].cool_down(3_600, "daily limit")
        for bucket in buckets:
            with pytest.raises(BudgetExhausted) as caught:
                await bucket.acquire()
            assert 3_590 < caught.value.wait_s <= 3_600
            assert caught.value.reason == "daily limit"

    with_buckets(redis_url, SLOW, scenario)


def test_a_cooldown_reaches_a_caller_that_waits_already(
    redis_url: str, client: redis.Redis
) -> None:
    async def scenario(buckets: Buckets) -> None:
        task = await waiting(client, buckets[0])
        began_s = time.monotonic()
        await buckets[1].cool_down(1.0, "burst")
        await task
        assert time.monotonic() - began_s >= 1.0

    with_buckets(redis_url, SLOW, scenario)


def test_a_long_cooldown_ends_the_wait_of_a_caller(redis_url: str, client: redis.Redis) -> None:
    async def scenario(buckets: Buckets) -> None:
        task = await waiting(client, buckets[0])
        await buckets[1].cool_down(3_600, "daily limit")
        with pytest.raises(BudgetExhausted, match="daily limit"):
            await task

    with_buckets(redis_url, SLOW, scenario)


@pytest.mark.parametrize("wait_s", [-1.0, float("inf"), float("nan")])
def test_a_cooldown_without_an_end_is_refused(redis_url: str, wait_s: float) -> None:
    async def scenario(buckets: Buckets) -> None:
        with pytest.raises(ValueError, match=f"finite and at least 0 s, was {wait_s}"):
            await buckets[0].cool_down(wait_s, "burst")

    with_buckets(redis_url, SLOW, scenario)


def test_a_cancelled_caller_leaves_an_unused_slot(redis_url: str, client: redis.Redis) -> None:
    async def scenario(buckets: Buckets) -> None:
        task = await waiting(client, buckets[0])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await seconds(buckets[0].acquire()) > 0.5
        assert (await buckets[1].stats())["granted"] == 1

    with_buckets(redis_url, SLOW, scenario)


def test_cancelled_callers_block_nobody(redis_url: str) -> None:
    async def scenario(buckets: Buckets) -> None:
        tasks = [asyncio.ensure_future(buckets[0].acquire()) for _ in range(60)]
        for number, task in enumerate(tasks):
            await asyncio.sleep(0.002)
            if number % 2:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [task.cancelled() for task in tasks].count(False) >= 30
        await buckets[0].acquire()

    with_buckets(redis_url, QUICK, scenario)


def test_slots_missed_while_the_process_stood_still_are_not_made_up_for(
    redis_url: str, client: redis.Redis
) -> None:
    policy = BucketPolicy(600, 0, 200)  # a call every 100 ms, no more than 50 ms late

    async def scenario(buckets: Buckets) -> None:
        tasks = [await waiting(client, buckets[0]) for _ in range(3)]
        time.sleep(0.6)
        assert await seconds(_all(tasks)) >= 0.2

    with_buckets(redis_url, policy, scenario)


def test_more_callers_than_connections_wait_in_line(redis_url: str) -> None:
    async def scenario(buckets: Buckets) -> None:
        await asyncio.gather(*(buckets[0].acquire() for _ in range(100)))
        stats = await buckets[0].stats()
        assert (stats["granted"], stats["waited"], stats["refused"]) == (100, 100, 0)

    with_buckets(redis_url, QUICK, scenario)


def test_stats_tell_the_bucket_and_the_plan(redis_url: str) -> None:
    async def scenario(buckets: Buckets) -> None:
        await buckets[0].acquire()
        await buckets[1].cool_down(3_600, "daily limit")
        with pytest.raises(BudgetExhausted):
            await buckets[0].acquire()
        stats = await buckets[1].stats()
        assert 3_590 < stats.pop("cooldown_left_s") <= 3_600
        assert 500 <= stats.pop("waited_ms") < 20_000
        assert stats == {
            "tokens": stats["tokens"],
            "granted": 1,
            "waited": 1,
            "refused": 1,
            "cooldown_reason": "daily limit",
            "calls_per_min": 120,
            "budget_per_min": 120,
            "calls_per_s": 20,
            "lost": 0,
        }

    with_buckets(redis_url, SLOW, scenario)


def test_the_window_is_told_from_its_first_call(redis_url: str, client: redis.Redis) -> None:
    async def scenario(buckets: Buckets) -> None:
        assert await buckets[0].window_left_s() == 60.0
        await buckets[0].acquire()
        assert 40.0 < await buckets[1].window_left_s() <= 60.0
        client.hincrby(KEY, "window_us", -40_000_000)
        assert 1.0 <= await buckets[1].window_left_s() <= 20.0

    with_buckets(redis_url, SLOW, scenario)


def test_the_bucket_expires_after_a_while_and_not_before(
    redis_url: str, client: redis.Redis
) -> None:
    async def scenario(buckets: Buckets) -> None:
        task = await waiting(client, buckets[0])
        assert 3_500_000 < int(str(client.pttl(KEY))) <= 3_600_000
        await buckets[1].cool_down(7_200, "daily limit")
        assert 7_200_000 < int(str(client.pttl(KEY))) <= 7_201_000
        await asyncio.gather(task, return_exceptions=True)
        assert 7_100_000 < int(str(client.pttl(KEY))) <= 7_201_000

    with_buckets(redis_url, SLOW, scenario)


def test_a_key_of_another_type_is_named(redis_url: str, client: redis.Redis) -> None:
    client.set(KEY, "text")

    async def scenario(buckets: Buckets) -> None:
        bucket = buckets[0]
        for work in (bucket.acquire, bucket.window_left_s, bucket.stats, _cooling(bucket)):
            with pytest.raises(StoreRefused, match=f"{KEY}: .*WRONGTYPE"):
                await work()

    with_buckets(redis_url, SLOW, scenario)
    assert client.get(KEY) == "text"


def _cooling(bucket: TokenBucket) -> Callable[[], Awaitable[None]]:
    return lambda: bucket.cool_down(1, "burst")


def test_without_redis_a_window_counts_whole_and_there_are_no_stats() -> None:
    async def scenario(buckets: Buckets) -> None:
        assert await buckets[0].window_left_s() == 60.0
        with pytest.raises(StoreUnavailable):
            await buckets[0].stats()

    with_buckets(f"redis://127.0.0.1:{free_port()}/0", SLOW, scenario)
