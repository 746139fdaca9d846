"""What the exporter tells of a real Redis that the real writers filled, or that is not well."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import redis
from prometheus_client.exposition import generate_latest

from shared.exporter.scrape import Scrape
from shared.settings import Settings
from shared.store.connection import Store
from tests.store.filling import fill
from tests.store.test_watch_reader import settings_at
from tests.support.redis_server import RedisServer
from tests.unit.exporter.samples import of

UNIVERSE: Final = {"SPY": ["ARCA"], "AAPL": ["ISLAND"]}
# What an exporter may do; INFO and TIME are in no category of reads.
READING: Final = ("+@read", "+@connection", "+info", "+time", "-@write", "-@dangerous", "+info")
# Deadlines of tests have room for a busy machine.
DEADLINE_S: Final = 5.0

Samples = dict[str, float]


class Prober:
    """Scrapes one after the other, by the same exporter."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def looks(self, *between: Callable[[], Any], deadline_s: float = DEADLINE_S) -> list[Samples]:
        """One look more than what is done in between."""
        return asyncio.run(self._looks(between, deadline_s))

    async def _looks(self, between: Any, deadline_s: float) -> list[Samples]:
        store = Store(self._settings.redis.url, 0.5)
        scrape, found = Scrape(self._settings, store), []
        try:
            for change in (None, *between):
                if change is not None:
                    await asyncio.to_thread(change)
                found.append(samples(await scrape.sheet(deadline_s)))
        finally:
            await store.close()
        return found


def samples(sheet: Any) -> Samples:
    lines = generate_latest(sheet).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.removeprefix("tickvisor_"): float(value) for name, _, value in pairs}


def gap(client: redis.Redis, **changes: str) -> None:
    fields: Any = {
        "feed": "depth", "symbol": "SPY", "venue": "ARCA", "from_seq": "1", "to_seq": "4",
        "from_ts": "1", "to_ts": "2", "reason": "test", "count": "4",
    }  # fmt: skip
    client.xadd("monitoring:gaps", fields | changes)


def beat(client: redis.Redis, worker: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    document = {"worker": worker, "ts": now_ms, "started_ts": now_ms - 1000, "state": "running",
                "connected": True, "detail": ""}  # fmt: skip
    client.set(f"heartbeat:{worker}", json.dumps(document), ex=30)


@pytest.fixture
def prober(tmp_path: Path, redis_url: str) -> Prober:
    return Prober(settings_at(tmp_path, redis_url, UNIVERSE))


def test_what_the_writers_write_is_told(prober: Prober, redis_url: str) -> None:
    asyncio.run(fill(redis_url))
    (found,) = prober.looks()
    assert (found["redis_up"], found["scrape_failures_total"]) == (1, 0)
    assert found["redis_memory_used_bytes"] > 100_000
    assert found['source_info{source="sim"}'] == 1
    assert sum(of(found, "session_state").values()) == 1
    assert found['depth_updates_total{symbol="SPY"}'] > 0
    assert found['feed_budget_seconds{feed="quotes",symbol="SPY"}'] == 30
    assert sum(of(found, "incidents_total").values()) > 0
    assert found["budget_calls_per_minute"] == 590


def test_an_empty_redis_is_up_and_nobody_is(prober: Prober) -> None:
    (found,) = prober.looks()
    assert (found["redis_up"], found["up"]) == (1, 0)
    assert set(of(found, "worker_up").values()) == {0}
    told = {name.partition("{")[0] for name in found}
    assert told.isdisjoint({"session_open", "feed_stale", "worker_state", "source_info"})


def test_the_ledgers_are_followed_from_look_to_look(prober: Prober, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        gap(client)
        gap(client, count="")

        def more() -> None:
            gap(client, count="0")
            gap(client, symbol="", count="9")

        def trimmed() -> None:
            client.xtrim("monitoring:gaps", maxlen=1, approximate=False)

        first, second, third = prober.looks(more, trimmed)
    entries = {name: 0 for name in of(first, "gaps_total")}
    before = {'feed="depth",lost="unknown"': 1, 'feed="depth",lost="yes"': 1}
    assert of(first, "gaps_total") == {**entries, **before}
    after = {**before, 'feed="depth",lost="no"': 1, 'feed="depth",lost="yes"': 2}
    assert of(second, "gaps_total") == of(third, "gaps_total") == {**entries, **after}
    assert second['gap_items_total{feed="depth",symbol="SPY"}'] == 4
    assert second['gap_items_total{feed="depth",symbol=""}'] == 9


@pytest.mark.parametrize("count", ["9" * 5_000, "1e9", "-4", "\u0664"])
def test_a_gap_whose_count_is_no_number_of_ours_ends_no_scrape(
    prober: Prober, redis_url: str, count: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        gap(client, count=count)
        gap(client, count="3")
    (found,) = prober.looks()
    assert found['gap_items_total{feed="depth",symbol="SPY"}'] == 3


def test_kinds_of_incidents_do_not_grow_without_end(prober: Prober, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        for number in range(200):
            client.xadd("monitoring:incidents", {"worker": "w", "kind": f"kind{number}"})
    (found,) = prober.looks()
    kinds = of(found, "incidents_total")
    assert (len(kinds), sum(kinds.values())) == (65, 200)
    assert kinds['kind="other",worker="other"'] == 136


def test_a_key_of_another_type_costs_what_stands_in_it_alone(
    prober: Prober, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        for name in ("depth", "alpha_vantage"):
            client.set(f"monitoring:{name}:metrics", "text")
        for key in ("monitoring:gaps", "monitoring:depth:coverage", "coord:breaker:av_options"):
            client.set(key, "text")
        beat(client, "ibkr_depth")
    (found,) = prober.looks()
    assert (found["redis_up"], found['worker_up{worker="ibkr_depth"}']) == (1, 1)


def test_whoever_may_only_read_is_told_everything(tmp_path: Path, redis_url: str) -> None:
    asyncio.run(fill(redis_url))
    parts = urlsplit(redis_url)
    url = parts._replace(netloc=f"watcher:secret@{parts.hostname}:{parts.port}").geturl()
    with redis.Redis.from_url(redis_url) as client:
        client.acl_setuser(
            "watcher", enabled=True, passwords=["+secret"], commands=["-@all", *READING], keys=["*"]
        )
        try:
            (limited,) = Prober(settings_at(tmp_path, url, UNIVERSE)).looks()
        finally:
            client.acl_deluser("watcher")
    (free,) = Prober(settings_at(tmp_path, redis_url, UNIVERSE)).looks()
    assert limited["redis_up"] == 1
    assert limited.keys() == free.keys()


def test_a_look_changes_nothing(prober: Prober, redis_url: str) -> None:
    asyncio.run(fill(redis_url))
    with redis.Redis.from_url(redis_url) as client:
        before: Any = client.info("commandstats")
        prober.looks()
        after: Any = client.info("commandstats")
    calls = {
        name.removeprefix("cmdstat_")
        for name, stats in after.items()
        if stats["calls"] > before.get(name, {"calls": 0})["calls"]
    }
    assert calls - {"client|setinfo", "client|maint_notifications", "hello", "info"} <= {
        "time", "xrange", "xrevrange", "get", "hget", "hmget", "hgetall", "exists", "lindex",
        "zrange",
    }  # fmt: skip


def test_without_redis_nothing_of_it_is_told(tmp_path: Path, redis_server: RedisServer) -> None:
    asyncio.run(fill(redis_server.url))
    prober = Prober(settings_at(tmp_path, redis_server.url, UNIVERSE))
    well, away, back = prober.looks(redis_server.stop, redis_server.start)
    assert len(well) > 100
    told = {name: value for name, value in away.items() if not name.startswith("scrape_duration")}
    version = next(name for name in away if name.startswith("build_info"))
    assert told == {"redis_up": 0, "up": 0, version: 1, "scrape_failures_total": 1}
    assert (back["redis_up"], back["scrape_failures_total"]) == (1, 1)


def test_a_redis_that_does_not_answer_holds_nobody_up(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    asyncio.run(fill(redis_server.url))
    prober = Prober(settings_at(tmp_path, redis_server.url, UNIVERSE))
    try:
        _, frozen, again = prober.looks(redis_server.pause, redis_server.resume, deadline_s=1.0)
    finally:
        redis_server.resume()
    assert (frozen["redis_up"], frozen["up"]) == (0, 0)
    assert 0.9 < frozen["scrape_duration_seconds"] < 5
    # No reply of the look that was given up is taken for one of the next.
    assert (again["redis_up"], again['source_info{source="sim"}']) == (1, 1)
