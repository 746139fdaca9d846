"""The whole vendor or Redis is away for long, stops meanwhile, and chains of a past day."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date, timedelta
from typing import Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_rig import (
    BOTH,
    Table,
    VendorPlan,
    VendorRig,
    now_ms,
    vendor_scenario,
    vendors_side_by_side,
)

SCENARIOS: Final[Table] = {}
BACKOFF_S: Final = 2.0
# A session of this year: any weekday is one for the simulator.
TODAY: Final = date.today()
DAY: Final = TODAY - timedelta(days=7 + max(0, TODAY.weekday() - 4))


@vendor_scenario(SCENARIOS, VendorPlan(settings={"max_attempts": 1, "failure_backoff_max_s": 2.0}))
def the_whole_vendor_stands_still(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    pids = {name: worker.pid for name, worker in rig.workers.items()}
    chains = {s: rig.keys.text(f"options:{s}:chain") for s in rig.symbols}
    os.kill(rig.vendor.pid, signal.SIGSTOP)
    try:
        rig.wait_until(
            lambda: {rig.keys.monitor(s)["status"] for s in rig.symbols} == {"suspended"},
            15, "all chains suspended",
        )  # fmt: skip
        rig.wait_until(
            lambda: all(
                "no answer from the vendor" in rig.keys.beat(w)["detail"]
                and (rig.keys.beat(w)["state"], rig.keys.beat(w)["connected"])
                == ("degraded", False)
                for w in BOTH
            ),
            10, "heartbeats",
        )  # fmt: skip
    finally:
        os.kill(rig.vendor.pid, signal.SIGCONT)
    since_ms = now_ms()
    assert all(rig.keys.text(f"options:{s}:chain") for s in chains)
    # What hung has its time, then comes the probe.
    rig.wait_chains(1.5 + BACKOFF_S + 1.5, since_ms=since_ms)
    rig.wait_documents(1.5 + BACKOFF_S + 3.3 + 1.5, since_ms=since_ms)
    print(f"everything back {(now_ms() - since_ms) / 1000:.2f} s after the vendor")
    rig.wait_until(lambda: all(rig.keys.beat(w)["state"] == "running" for w in BOTH), 5, "running")
    rig.wait_until(lambda: not any(rig.keys.circuits(w) for w in BOTH), 5, "all closed")
    assert {n: w.pid for n, w in rig.workers.items() if w.exit_code is None} == pids


@vendor_scenario(SCENARIOS)
def redis_stands_still_for_longer_than_a_lease(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    pids = {name: worker.pid for name, worker in rig.workers.items()}
    server.pause()
    time.sleep(12)
    server.resume()
    since_ms = now_ms()
    rig.wait_chains(3.0, since_ms=since_ms)
    rig.wait_documents(5.2, since_ms=since_ms)
    rig.wait_until(
        lambda: all(str(pids[w]) in (rig.keys.text(f"coord:lease:{w}") or "") for w in BOTH),
        5, "the leases",
    )  # fmt: skip
    assert {n: w.pid for n, w in rig.workers.items() if w.exit_code is None} == pids


@vendor_scenario(SCENARIOS)
def a_stop_does_not_wait_for_redis(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    server.pause()
    time.sleep(1.5)
    for name, worker in rig.workers.items():
        began_s = time.monotonic()
        worker.terminate()
        assert worker.wait(10) == 0
        took_s = time.monotonic() - began_s
        print(f"{name} stopped after {took_s:.2f} s without redis")
        assert took_s < 5
    server.resume()
    for worker in rig.workers.values():
        worker.start()
    # The lease of the one that could not give it back is of a process that is gone.
    rig.wait_chains(30)


@vendor_scenario(SCENARIOS, VendorPlan(
    settings={"options_function": "HISTORICAL_OPTIONS", "options_date": DAY.isoformat()},
))  # fmt: skip
def chains_of_a_past_day(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    rig.wait_until(
        lambda: all(int(rig.keys.monitor(s)["unchanged_fetches"]) >= 2 for s in rig.symbols),
        10, "the same chain again",
    )  # fmt: skip
    for symbol in rig.symbols:
        chain = rig.keys.chain(symbol)
        assert (chain["as_of"], chain["source"]) == (DAY.isoformat(), "sim")
        assert len(chain["by_contract"]) == 240 and rig.keys.greeks(symbol)
        assert min(one["dte"] for one in chain["expirations"]) >= 0
    kept = rig.keys.text("options:TSLA:chain")
    fault = rig.vendor.fault("wrong_endpoint", symbol="TSLA")
    rig.wait_until(lambda: rig.keys.monitor("TSLA")["status"] == "error", 4, "refused")
    assert "was 'Realtime Options'" in rig.keys.monitor("TSLA")["error"]
    assert rig.keys.text("options:TSLA:chain") == kept
    rig.vendor.call("clear", id=fault)
    rig.wait_until(lambda: rig.keys.monitor("TSLA")["status"] == "ok", 6, "ok again")
    assert rig.keys.text("options:TSLA:chain") == kept


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("away"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_outages(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
