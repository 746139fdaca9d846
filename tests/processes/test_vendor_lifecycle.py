"""Start, stop, restart, unusable settings, and never two requests for the same at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_rig import (
    INDICATORS,
    KEY,
    NEWS,
    OPTIONS,
    Table,
    VendorPlan,
    VendorRig,
    gaps_s,
    mean_gap_s,
    now_ms,
    steady_pace,
    vendor_scenario,
    vendors_side_by_side,
)
from tests.support.worker_process import write_settings

SCENARIOS: Final[Table] = {}
HIT: Final = "TSLA"
# So that a request which hangs outlasts the stop.
PATIENT: Final = VendorPlan(settings={"read_timeout_s": 20.0, "request_timeout_s": 20.0})


@vendor_scenario(SCENARIOS, PATIENT)
def a_stop_does_not_wait_for_requests_that_hang(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    rig.vendor.fault("hang")
    began_ms = now_ms()
    rig.wait_until(lambda: now_ms() - began_ms > 3500, 4, "all hang")
    for name, worker in rig.workers.items():
        assert rig.keys.figures(name)["in_flight"] > 0
        began_s = time.monotonic()
        worker.terminate()
        assert worker.wait(10) == 0
        took_s = time.monotonic() - began_s
        print(f"{name} stopped after {took_s:.2f} s")
        assert took_s < 5
        assert rig.keys.beat(name)["state"] == "stopped"
        assert rig.keys.text(f"coord:lease:{name}") is None
    rig.vendor.clear()
    for worker in rig.workers.values():
        worker.start()
    rig.wait_chains(15)


@vendor_scenario(SCENARIOS)
def a_second_instance_is_refused_by_name(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    for name, worker in rig.workers.items():
        second = rig.another(name)
        second.start()
        assert second.wait(15) == 3
        assert str(worker.pid) in second.log_text()
        assert worker.exit_code is None
    rig.wait_chains(3)


ABROAD: Final = "http://vendor.example/query"
BAD_SETTINGS: Final[tuple[tuple[dict[str, str], dict[str, Any], str], ...]] = (
    ({"ALPHA_VANTAGE_API_KEY": ""}, {}, "ALPHA_VANTAGE_API_KEY: is missing"),
    ({"ALPHA_VANTAGE_API_KEY": f"{KEY} two"}, {}, "must be printable without blanks"),
    ({"ALPHA_VANTAGE_BASE_URL": ABROAD, "TICKVISOR_SOURCE": "live"}, {}, "must be https"),
    ({"ALPHA_VANTAGE_BASE_URL": ABROAD}, {}, "must be on this machine in source sim"),
    ({}, {"options_date": "2026-02-31", "options_function": "HISTORICAL_OPTIONS"}, "options_date"),
    ({}, {"options_date": "2026-02-02"}, "options_date"),
    ({}, {"failure_backoff_s": 9.0, "failure_backoff_max_s": 3.0}, "failure_backoff_max_s"),
)


@vendor_scenario(SCENARIOS)
def unusable_settings_end_a_worker_with_one_line(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    home = rig.home / "unusable"
    home.mkdir()
    for name, good in rig.workers.items():
        good.terminate()
        assert good.wait(5) == 0
        for number, (changes, settings, text) in enumerate(BAD_SETTINGS):
            path = write_settings(home, {"alpha_vantage": settings})
            worker = rig.another(name, TICKVISOR_CONFIG=str(path), **changes)
            worker.log = home / f"{name}{number}.log"
            worker.start()
            assert worker.wait(15) == 78, text
            lines = [one for one in worker.log_text().splitlines() if text in one]
            assert len(lines) == 1 and "Traceback" not in worker.log_text(), worker.log_tail()
        good.start()
    rig.wait_chains(10)


@vendor_scenario(SCENARIOS)
def a_restart_of_one_worker_does_not_touch_the_other(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    asked, began_ms = rig.asked(), now_ms()
    rig.wait_until(lambda: now_ms() - began_ms > 8000, 9, "the span over")
    rows = rig.arrivals(asked)
    usual = {n: mean_gap_s(rows, n, ("AAPL", "TSLA", "QQQ")) for n in (*INDICATORS, NEWS)}
    pid, asked = rig.sentiment.pid, rig.asked()
    for _ in range(2):
        rig.options.terminate()
        assert rig.options.wait(5) == 0
        rig.options.start()
        stopped_ms = now_ms()
        rig.wait_chains(20)
        print(f"chains of all {(now_ms() - stopped_ms) / 1000:.2f} s after the start")
    rig.wait_until(lambda: len(rig.arrivals(asked, NEWS, "AAPL")) >= 4, 14, "news")
    for name, usual_s in usual.items():
        ratio = steady_pace(rig, usual_s, name, ("AAPL", "TSLA", "QQQ"), asked)
        print(f"{name}: pace {ratio:.3f}")
        assert ratio == pytest.approx(1.0, abs=0.2)
    assert (rig.sentiment.pid, rig.sentiment.exit_code) == (pid, None)
    assert rig.keys.figures("av_sentiment")["failures"] == 0


def wait_gaps(rig: VendorRig, interval_s: float) -> None:
    def follow() -> bool:
        newest = gaps_s(rig.arrivals(0, OPTIONS, HIT))[-2:]
        return all(0.8 * interval_s < gap_s < 1.2 * interval_s for gap_s in newest)

    # The session is read every 15 s.
    rig.wait_until(follow, 30, f"every {interval_s} s")


@vendor_scenario(SCENARIOS, VendorPlan(settings={"closed_slowdown": 3.0}))
def the_pace_follows_the_market_session(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    for state, interval_s in (("closed", 3.0), ("regular", 1.0), ("post", 3.0)):
        rig.keys.redis.hset("market:session", "state", state)

        wait_gaps(rig, interval_s)
        asked = rig.asked()
        # To be observed: that it stays so.
        time.sleep(4 * interval_s)
        share = steady_pace(rig, interval_s, OPTIONS, rig.symbols, asked)
        print(f"{state}: {share:.3f} of {interval_s} s")
        assert share == pytest.approx(1.0, abs=0.2)


@vendor_scenario(SCENARIOS)
def never_two_requests_of_one_kind_at_once(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    slow_s = 1.2
    rig.vendor.fault("slow", ms=int(slow_s * 1000))
    asked = rig.asked()
    rig.wait_until(lambda: len(rig.arrivals(asked, NEWS, "AAPL")) >= 4, 20, "news")
    rows = rig.arrivals(asked)
    names = {(row["function"], row["symbol"]) for row in rows}
    assert len(names) == 4 + 3 + 4 * len(INDICATORS)
    for name in names:
        waits = gaps_s([row for row in rows if (row["function"], row["symbol"]) == name])
        # An answer takes so long, and the next question comes after it.
        assert min(waits) >= slow_s, name
    busiest = mean_gap_s(rows, OPTIONS, rig.symbols)
    print(f"chains that take {slow_s} s come every {busiest:.2f} s")
    assert busiest < 2.3
    # Between two wakes of a worker that sleeps for a whole interval nothing is sent twice.
    rig.vendor.clear()
    rig.options.pause()
    time.sleep(3)
    asked = rig.asked()
    rig.options.resume()
    rig.wait_chains(3)
    time.sleep(1)
    for symbol in rig.symbols:
        assert len(rig.arrivals(asked, OPTIONS, symbol)) <= 5, symbol


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("life"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_life(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
