"""The plan at the vendor's door: what hungry callers of four connections make of their budget."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.token_bucket import BucketPolicy, TokenBucket
from tests.store.relay import Fate, relay_to
from tests.support.redis_server import RedisServer
from tests.support.until import until

ACCOUNT = "3f9a1c2b"
CALLERS = 3


class HurriedPolicy(BucketPolicy):
    """The plan of 600 a minute and 20 a second, less 10, ten times as fast."""

    MINUTE_S = 6.0
    SECOND_S = 0.1

    @property
    def burst(self) -> int:
        return 5

    @property
    def late_ms(self) -> float:
        return 30.5


HURRIED = HurriedPolicy(6_000, 100, 200)


class HungryProcess:
    """Callers on one connection that note when they may call."""

    def __init__(self, url: str, policy: BucketPolicy, callers: int = CALLERS) -> None:
        self.calls: list[float] = []
        self.store = Store(url, 2.0)
        self.bucket = TokenBucket(self.store, Keys(), ACCOUNT, policy)
        self._tasks = [asyncio.ensure_future(self._call()) for _ in range(callers)]

    async def _call(self) -> None:
        while True:
            await self.bucket.acquire()
            self.calls.append(time.monotonic())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.store.close()
        assert [type(result) for result in results] == [asyncio.CancelledError] * len(results)


def all_calls(processes: list[HungryProcess]) -> list[float]:
    return sorted(at for process in processes for at in process.calls)


async def more_calls(processes: list[HungryProcess], count: int) -> None:
    before = len(all_calls(processes))
    await until(lambda: len(all_calls(processes)) >= before + count)


def most_within(calls: list[float], span_s: float) -> int:
    most = start = 0
    for end, at in enumerate(calls):
        while at - calls[start] >= span_s:
            start += 1
        most = max(most, end - start + 1)
    return most


def test_four_hungry_processes_share_all_of_the_budget_and_no_more(redis_url: str) -> None:
    async def scenario() -> list[HungryProcess]:
        processes = [HungryProcess(redis_url, HURRIED) for _ in range(4)]
        await until(lambda: all_calls(processes))
        await asyncio.sleep(1.4 * HURRIED.MINUTE_S)
        for process in processes:
            await process.stop()
        return processes

    processes = asyncio.run(scenario())
    calls, shares = all_calls(processes), [len(process.calls) for process in processes]
    assert most_within(calls, HURRIED.MINUTE_S) <= 600
    assert most_within(calls, HURRIED.SECOND_S) <= 20
    budget = 590 * (calls[-1] - calls[0]) / HURRIED.MINUTE_S
    assert len(calls) >= 0.95 * budget
    assert max(shares) <= 1.2 * min(shares)


# What may happen to Redis while thirty callers wait. Slots that live twice would show as calls
# at twice the rate.

PLAN = BucketPolicy(2_400, 20, 80)


def law_holds(calls: list[float]) -> None:
    """No span of any length holds more calls than slots, and none closer than late calls get."""
    late_s = PLAN.late_ms / 1e3
    for span_s in (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0):
        most = (span_s + late_s) * 1e3 / PLAN.interval_ms + PLAN.burst
        assert most_within(calls, span_s) <= most, f"{span_s} s"
    assert most_within(calls, 1.0) <= PLAN.calls_per_s


def happens(server: RedisServer, event: str) -> None:
    if event == "restart":
        server.restart()
    elif event == "kill":
        server.kill()
        server.start()
    elif event == "pause":
        server.pause()
        time.sleep(1.0)
        server.resume()
    else:
        with server.client() as client:
            client.execute_command(*event.split())


@pytest.mark.parametrize(
    ("event", "appendonly"),
    [
        ("restart", True),
        ("restart", False),
        ("kill", True),
        ("kill", False),
        ("pause", True),
        ("FLUSHALL", True),
        ("SCRIPT FLUSH", True),
        (f"DEL {Keys().rate_limit(ACCOUNT)}", True),
    ],
)
def test_nothing_that_happens_to_redis_makes_more_calls_than_the_plan(
    tmp_path: Path, event: str, appendonly: bool
) -> None:
    server = RedisServer(tmp_path / "redis", appendonly=appendonly)

    async def scenario() -> list[HungryProcess]:
        processes = [HungryProcess(server.url, PLAN, callers=15) for _ in range(2)]
        for _ in range(2):
            await more_calls(processes, 20)
            await asyncio.to_thread(happens, server, event)
        await more_calls(processes, 60)
        if event in ("restart", "kill", "FLUSHALL"):
            assert [(await process.bucket.stats())["lost"] for process in processes] == [2, 2]
        for process in processes:
            await process.stop()
        return processes

    server.start()
    try:
        law_holds(all_calls(asyncio.run(scenario())))
    finally:
        server.stop()


def test_without_redis_nobody_calls_and_a_cooldown_waits_for_it(
    redis_server: RedisServer, warnings_logged: list[str]
) -> None:
    async def scenario() -> None:
        process = HungryProcess(redis_server.url, PLAN)
        await until(lambda: process.calls)
        await asyncio.to_thread(redis_server.stop)
        await until(lambda: warnings_logged)
        calls, began_s = len(process.calls), time.monotonic()
        cooling = asyncio.ensure_future(process.bucket.cool_down(3.0, "burst"))
        await asyncio.sleep(0.5)
        assert len(process.calls) == calls
        await asyncio.to_thread(redis_server.start)
        await cooling
        cooled_s = time.monotonic()
        await until(lambda: process.calls[-1] > began_s + 3.0)
        assert not [at for at in process.calls if cooled_s < at < began_s + 3.0]
        await process.stop()

    asyncio.run(scenario())
    assert any("no calls while Redis is away" in text for text in warnings_logged)
    assert len(warnings_logged) == len(set(warnings_logged))


def test_a_grant_that_is_old_when_it_arrives_is_not_used(redis_server: RedisServer) -> None:
    slow = BucketPolicy(120, 0, 20)  # a call every 500 ms, no more than 50 ms late
    delays_s: list[float] = []

    async def delay(command: list[bytes]) -> Fate:
        if command[0] in (b"EVALSHA", b"EVAL") and delays_s:
            await asyncio.sleep(delays_s.pop())
        return Fate.CARRY

    async def scenario() -> None:
        async with relay_to(redis_server.port) as relay:
            store = Store(relay.url, 2.0)
            bucket = TokenBucket(store, Keys(), ACCOUNT, slow)
            await bucket.acquire()
            with redis_server.client() as client:
                for field in ("last_us", "empty_us"):
                    client.hincrby(Keys().rate_limit(ACCOUNT), field, -60_000_000)
            delays_s.append(0.3)
            relay.judge = delay
            await bucket.acquire()
            assert (await bucket.stats())["granted"] == 3
            await store.close()

    asyncio.run(scenario())


def test_an_implausible_slot_blocks_nobody_for_ever(redis_server: RedisServer) -> None:
    async def scenario() -> list[HungryProcess]:
        processes = [HungryProcess(redis_server.url, PLAN) for _ in range(2)]
        await until(lambda: len(all_calls(processes)) > 20)
        with redis_server.client() as client:
            for field in ("last_us", "empty_us"):
                client.hincrby(Keys().rate_limit(ACCOUNT), field, 86_400_000_000)
        await more_calls(processes, 40)
        for process in processes:
            await process.stop()
        return processes

    law_holds(all_calls(asyncio.run(scenario())))
