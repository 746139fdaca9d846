"""What a feed worker reports, on a real Redis: metrics, coverage, health, and its sink's gaps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.process import Health, Worker
from shared.reporting import Reporter, Sources, process_figures
from shared.settings import load_settings, repository_root
from shared.store.connection import Store
from shared.store.heartbeat import STOPPED_TTL_S, Family, HeartbeatWriter
from shared.store.keys import Keys
from shared.store.monitoring import Ledger, Metrics
from shared.store.sink import SinkBounds
from tests.store.feeding import SHIPPED, Feeding, feeding, until
from tests.support.depth_keys import DepthKeys
from tests.support.redis_server import RedisServer

NAME = "ibkr_depth"
COVERAGE = {"SPY": {"live_s": 3.5, "subscriptions": 2}, "QQQ": {"live_s": 0.0}}


@dataclass
class Feed:
    """What the reporter asks; the test changes it."""

    connected: bool = True
    why: str = ""
    covered: Mapping[str, Mapping[str, float | int]] = field(default_factory=lambda: COVERAGE)

    def sources(self) -> Sources:
        return Sources(
            "ibkr",
            "updates",
            lambda: (self.connected, self.why),
            lambda: {"updates": 7},
            lambda: self.covered,
        )


@dataclass
class Reporting:
    worker: Worker
    feed: Feed
    feeding: Feeding
    reporter: Reporter


@asynccontextmanager
async def reporting(url: str, bounds: SinkBounds = SHIPPED) -> AsyncIterator[Reporting]:
    """A sink, a ledger and a reporter at work."""
    store, keys, feed = Store(url, 2.0), Keys(), Feed()
    settings = load_settings({"REDIS_URL": url, "TICKVISOR_SOURCE": "live"}, repository_root())
    ledger, metrics = Ledger(store, keys, NAME), Metrics(store, keys, NAME, 120)
    stop = asyncio.Event()
    worker = Worker(NAME, settings, keys, store, ledger, metrics, Health(), stop, 0)
    async with feeding(url, bounds) as writing:
        reporter = Reporter(worker, [writing.sink], feed.sources())
        tasks = [asyncio.ensure_future(reporter.run()), asyncio.ensure_future(ledger.run())]
        try:
            yield Reporting(worker, feed, writing, reporter)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await store.close()
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.reporting._CHECK_EVERY_S", 0.02)
    monkeypatch.setattr("shared.reporting._FIRST_METRICS_S", 0.1)
    monkeypatch.setattr("shared.store.monitoring._RETRY_S", 0.02)


def test_metrics_hold_the_figures_of_feed_sink_and_process(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with reporting(redis_server.url) as report:
            report.feeding.put(10)
            await until(keys.metrics, 5)

    asyncio.run(scenario())
    found = keys.metrics()
    assert (found["updates"], found["writes"], found["conflated"]) == (7, 20, 18)
    assert (found["dropped"], found["refused"], found["queue_depth"]) == (0, 0, 0)
    assert abs(found["ts"] - time.time() * 1000) < 5_000
    assert found["rss_bytes"] > 1_000_000
    assert 118 <= int(str(keys.redis.ttl("monitoring:ibkr:metrics"))) <= 120


def test_coverage_has_a_row_per_symbol_and_an_expiry(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with reporting(redis_server.url):
            await until(keys.coverage, 5)

    asyncio.run(scenario())
    assert keys.coverage() == COVERAGE
    assert 118 <= int(str(keys.redis.ttl("monitoring:depth:coverage"))) <= 120


def test_a_symbol_that_left_leaves_the_coverage(redis_url: str) -> None:
    async def scenario() -> None:
        store = Store(redis_url, 2.0)
        metrics = Metrics(store, Keys(), NAME, 120)
        await metrics.coverage(COVERAGE)
        await metrics.coverage({"QQQ": {"live_s": 1.0}})
        with DepthKeys(redis_url) as keys:
            assert keys.coverage() == {"QQQ": {"live_s": 1.0}}
            await metrics.coverage({})
            assert keys.coverage() == {}
        await store.close()

    asyncio.run(scenario())


def test_losses_of_an_outage_are_entered_when_redis_is_back_each_number_once(
    redis_server: RedisServer, keys: DepthKeys
) -> None:
    async def scenario() -> None:
        async with reporting(redis_server.url, SinkBounds(50, 10_000_000, 20)) as report:
            report.feeding.put(10, ["SPY"])
            await report.feeding.settle()
            await asyncio.to_thread(redis_server.kill)
            for _ in range(20):
                report.feeding.put(10, ["SPY"])
                await asyncio.sleep(0.01)
            assert report.worker.ledger.pending == 0
            await asyncio.to_thread(redis_server.start)
            await report.feeding.settle()
            await until(lambda: keys.gaps("SPY"), 5)
            assert keys.seqs("SPY") == [*range(1, 11), *range(161, 211)]

    asyncio.run(scenario())
    lost = sorted(number for gap in keys.gaps("SPY") for number in gap.numbers())
    assert lost == list(range(11, 161))
    assert {gap.reason for gap in keys.gaps("SPY")} == {"queue full"}


def test_health_follows_the_feed_and_the_sink(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        async with reporting(redis_server.url) as report:
            health = report.worker.health
            await until(lambda: health.state == "running", 5)
            report.feed.why = "SPY: no depth"
            await until(lambda: health.state == "degraded", 5)
            assert (health.connected, health.detail) == (True, "SPY: no depth")
            report.feed.why = ""
            await until(lambda: health.state == "running", 5)
            redis_server.stop()
            report.feeding.put(1)
            await until(lambda: health.detail == "redis is away", 5)
            assert health.state == "degraded"
            redis_server.start()
            await until(lambda: health.state == "running", 5)

    asyncio.run(scenario())


def test_a_gateway_not_reached_yet_is_starting_and_later_degraded(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with reporting(redis_server.url) as report:
            report.feed.connected, report.feed.why = False, "gateway away"
            health = report.worker.health
            await until(lambda: health.detail == "gateway away", 5)
            assert health.state == "starting"
            await until(lambda: health.state == "degraded", 5)

    monkeypatch.setattr("shared.reporting._STARTING_S", 0.3)
    asyncio.run(scenario())


def test_a_stopping_worker_stays_stopping(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        async with reporting(redis_server.url) as report:
            report.worker.health.set("stopping", True)
            report.feed.why = "anything"
            await asyncio.sleep(0.1)
            assert report.worker.health.state == "stopping"

    asyncio.run(scenario())


def test_process_figures_are_those_of_this_process() -> None:
    async def scenario() -> tuple[dict[str, float | int], dict[str, float | int]]:
        before = process_figures()
        until_s = time.process_time() + 0.02
        while time.process_time() < until_s:
            pass
        other = asyncio.create_task(asyncio.Event().wait())
        after = process_figures()
        other.cancel()
        return before, after

    before, after = asyncio.run(scenario())
    assert after["cpu_s"] > before["cpu_s"] > 0
    assert (before["tasks"], after["tasks"]) == (1, 2)
    assert 5e6 < after["rss_bytes"] < 5e9


FAMILY = Family("ibkr_ingestion", ("ibkr_depth", "ibkr_trades"), has_flag=True)


@pytest.mark.parametrize(("state", "ttl_s"), [("running", 30), ("stopped", STOPPED_TTL_S)])
def test_a_heartbeat_stays_long_only_after_a_clean_stop(
    redis_server: RedisServer, keys: DepthKeys, state: str, ttl_s: int
) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 2.0)
        writer = HeartbeatWriter(store, Keys(), FAMILY, 30)
        now_ms = time.time_ns() // 1_000_000
        await writer.write(NAME, {"ts": now_ms, "state": state, "connected": True})
        await store.close()

    asyncio.run(scenario())
    assert ttl_s - 2 <= int(str(keys.redis.ttl("heartbeat:ibkr_depth"))) <= ttl_s
    assert keys.heartbeat()["state"] == state
    assert keys.connected() == "0"


def test_two_connected_workers_set_the_flag(redis_server: RedisServer, keys: DepthKeys) -> None:
    async def scenario() -> None:
        store = Store(redis_server.url, 2.0)
        writer = HeartbeatWriter(store, Keys(), FAMILY, 30)
        for worker in FAMILY.workers:
            now_ms = time.time_ns() // 1_000_000
            await writer.write(worker, {"ts": now_ms, "state": "running", "connected": True})
        await store.close()

    asyncio.run(scenario())
    assert keys.connected() == "1"
    assert 28 <= int(str(keys.redis.ttl("ibkr:connected"))) <= 30
