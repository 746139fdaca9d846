"""Redis goes away, stands still or forgets: everything is back within an interval of its answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_rig import (
    BOTH,
    OPTIONS,
    Table,
    VendorPlan,
    VendorRig,
    gaps_s,
    now_ms,
    vendor_scenario,
    vendors_side_by_side,
)

SCENARIOS: Final[Table] = {}
AWAY_S: Final = 3.0
# An interval of chains, the pause between two tries to reach Redis, and a busy machine.
CHAINS_S: Final = 1.1 + 1.9
# The longest interval there is, that of news.
DOCUMENTS_S: Final = 3.3 + 1.9
FORGETFUL: Final = VendorPlan(durable=False)


def wait_back(rig: VendorRig, answered_ms: int, what: str, more_s: float = 0.0) -> None:
    """All that was there is there again, written after Redis answered."""
    rig.wait_chains(CHAINS_S + more_s, since_ms=answered_ms)
    chains_s = (now_ms() - answered_ms) / 1000
    rig.wait_documents(DOCUMENTS_S + more_s, since_ms=answered_ms)
    documents_s = (now_ms() - answered_ms) / 1000
    print(f"{what}: chains back after {chains_s:.2f} s, news and indicators {documents_s:.2f} s")
    wait_greeks(rig)
    wait_told(rig, answered_ms)
    wait_claims(rig)


def wait_greeks(rig: VendorRig) -> None:
    """Every contract with greeks has its key, with the values of the chain; no other has one."""

    def agree(symbol: str) -> bool:
        by_contract = rig.keys.chain(symbol)["by_contract"]
        found = rig.keys.greeks(symbol)
        wanted = {n for n, one in by_contract.items() if one["delta"] is not None}
        return found.keys() == wanted and all(
            found[n]["delta"] == by_contract[n]["delta"]
            and found[n]["mark"] == by_contract[n]["mark"]
            for n in wanted
        )

    for symbol in rig.symbols:
        assert len(rig.keys.greeks(symbol)) > 100
    rig.wait_until(lambda: all(map(agree, rig.symbols)), 3, "the greeks of the chains")


def wait_told(rig: VendorRig, since_ms: int) -> None:
    def told() -> bool:
        options = [rig.keys.monitor(s) for s in rig.symbols]
        news = [rig.keys.news_monitor(s) for s in rig.symbols if s != "SPY"]
        return all(
            one.get("status") == "ok" and int(one.get("fetched_ts", 0)) > since_ms
            for one in (*options, *news)
        )

    rig.wait_until(told, 5, "monitors")


def wait_claims(rig: VendorRig) -> None:
    """Heartbeats, metrics, leases and the source."""

    def claimed() -> bool:
        return all(
            rig.keys.beat(worker).get("state") == "running"
            and rig.keys.figures(worker).get("requests", 0) > 0
            and rig.keys.text(f"coord:lease:{worker}") is not None
            for worker in BOTH
        ) and (rig.keys.text("coord:source"), bool(rig.keys.figures("token_bucket"))) == (
            "sim", True,
        )  # fmt: skip

    rig.wait_until(claimed, 5, "heartbeats, metrics, leases and source")


def pids(rig: VendorRig) -> list[int]:
    return [worker.pid for worker in rig.workers.values() if worker.exit_code is None]


def away(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    before = pids(rig)
    server.stop()
    time.sleep(AWAY_S)
    asked = rig.asked()
    time.sleep(1)
    # Without the shared budget nobody calls.
    assert rig.arrivals(asked) == []
    server.start()
    wait_back(rig, now_ms(), "away")
    assert pids(rig) == before and len(before) == 2
    assert rig.watch.outages > 0


@vendor_scenario(SCENARIOS)
def an_outage_that_keeps_the_data(rig: VendorRig, server: RedisServer) -> None:
    away(rig, server)


@vendor_scenario(SCENARIOS, FORGETFUL)
def an_outage_that_loses_the_data(rig: VendorRig, server: RedisServer) -> None:
    away(rig, server)


@vendor_scenario(SCENARIOS, VendorPlan(vendor=("--contracts", "1000", "--moving", "0.5")))
def a_redis_that_dies_again_and_again(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    before = pids(rig)
    for pause_s in (0.1, 0.4, 0.7, 1.0):
        # Somewhere in an interval, which is some write or between two.
        rig.wait_chains(6)
        time.sleep(pause_s)
        server.kill()
        time.sleep(0.5)
        server.start()
        wait_back(rig, now_ms(), "killed", 1.0)
    assert pids(rig) == before


@vendor_scenario(SCENARIOS)
def a_redis_that_stands_still(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    before = pids(rig)
    server.pause()
    time.sleep(AWAY_S + 1)
    server.resume()
    wait_back(rig, now_ms(), "standstill")
    assert pids(rig) == before


@vendor_scenario(SCENARIOS)
def everything_deleted_while_the_chains_stand_still(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    rig.vendor.call("freeze")
    rig.wait_until(
        lambda: all(int(rig.keys.monitor(s)["unchanged_fetches"]) >= 2 for s in rig.symbols),
        8, "unchanged chains",
    )  # fmt: skip
    before = {s: rig.keys.chain(s)["by_contract"] for s in rig.symbols}
    rig.keys.redis.flushall()
    wait_back(rig, now_ms(), "flushall of frozen chains")
    assert {s: rig.keys.chain(s)["by_contract"] for s in rig.symbols} == before
    # Some of it deleted: what stood still is written again all the same.
    name = next(iter(rig.keys.greeks("TSLA")))
    rig.keys.redis.delete(f"options:TSLA:{name}:greeks", "options:QQQ:puts")
    deleted_ms = now_ms()
    rig.wait_chains(CHAINS_S, ["TSLA", "QQQ"], deleted_ms)
    wait_greeks(rig)
    assert {s: rig.keys.chain(s)["by_contract"] for s in rig.symbols} == before
    # That calls or puts were missing for a moment is this test's doing.
    rig.watch.faults = [one for one in rig.watch.faults if "some are missing" not in one]


@vendor_scenario(SCENARIOS)
def everything_deleted_twice_while_all_is_moving(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    for _ in range(2):
        rig.keys.redis.flushall()
        wait_back(rig, now_ms(), "flushall")


@vendor_scenario(SCENARIOS)
def scripts_and_connections_lost(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    asked = rig.asked()
    for _ in range(5):
        rig.keys.redis.script_flush()
        rig.keys.redis.client_kill_filter(_type="normal", skipme=True)
        time.sleep(1)
    wait_back(rig, now_ms(), "scripts and connections lost")
    for symbol in rig.symbols:
        waits = gaps_s(rig.arrivals(asked, OPTIONS, symbol))
        assert max(waits) < 3.0, symbol
    assert sum(rig.keys.figures(worker)["unstored"] for worker in BOTH) == 0


@vendor_scenario(SCENARIOS)
def a_redis_that_refuses_writes_for_want_of_memory(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    before = pids(rig)
    used = int(rig.keys.redis.info("memory")["used_memory"])
    rig.keys.redis.config_set("maxmemory", str(used // 2))
    began_ms = now_ms()
    time.sleep(AWAY_S)
    assert all(rig.keys.fetched(s) < began_ms + 500 for s in rig.symbols)
    rig.keys.redis.config_set("maxmemory", "0")
    wait_back(rig, now_ms(), "no memory")
    assert pids(rig) == before


@vendor_scenario(SCENARIOS, VendorPlan(
    settings={"closed_slowdown": 1.0}, ttls={"options": 4, "greeks": 5, "monitoring": 4},
    workers=("av_options",),
))  # fmt: skip
def unchanged_chains_do_not_expire_with_or_without_greeks(
    rig: VendorRig, server: RedisServer
) -> None:
    rig.begin()
    rig.vendor.fault("missing_greeks", symbol="TSLA")
    rig.wait_until(lambda: rig.keys.greeks("TSLA") == {}, 4, "a chain without greeks")
    rig.vendor.call("freeze")
    began_ms = now_ms()
    rig.wait_until(
        lambda: all(int(rig.keys.monitor(s)["unchanged_fetches"]) >= 9 for s in rig.symbols),
        16, "nine unchanged chains",
    )  # fmt: skip
    assert now_ms() - began_ms > 6000
    for symbol in rig.symbols:
        assert rig.keys.fetched(symbol) < began_ms + 2500
        chain = rig.keys.redis.ttl(f"options:{symbol}:chain")
        assert chain in (3, 4), f"{symbol}: {chain}"
        greeks = rig.keys.greeks(symbol)
        assert bool(greeks) == (symbol != "TSLA")
        for name in greeks:
            # At least two thirds of it are left after each fetch.
            assert rig.keys.redis.ttl(f"options:{symbol}:{name}:greeks") in (3, 4, 5)
    rig.keys.redis.flushall()
    rig.wait_chains(CHAINS_S)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("redis"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_losses_of_redis(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
