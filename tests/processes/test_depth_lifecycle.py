"""How a depth worker starts, ends, is killed, and is followed by the next."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.processes.conftest import StartDepth
from tests.support.depth_keys import holes, now_ms
from tests.support.depth_rig import THREE, DepthPlan, DepthRig
from tests.support.worker_process import WorkerProcess

RATE: Final = ("--rate", "50")
EXIT_FAILURE: Final = 3
EXIT_SETTINGS: Final = 78
LEASE: Final = "coord:lease:ibkr_depth"


def last_event(worker: WorkerProcess) -> str:
    return str(json.loads(worker.log_text().splitlines()[-1])["event"])


def seqs(rig: DepthRig) -> Mapping[str, int]:
    return {symbol: rig.keys.last_seq(symbol) for symbol in rig.symbols}


def running(start_depth: StartDepth, **ibkr: Any) -> DepthRig:
    rig = start_depth(DepthPlan(ibkr=ibkr, gateway=RATE))
    rig.wait_fresh(10)
    return rig


def test_a_killed_worker_is_followed_at_once(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    rig.worker.kill()
    before, killed_s, killed_ms = seqs(rig), time.monotonic(), now_ms()
    assert rig.keys.json(LEASE)["pid"] == rig.worker.pid
    last_ts = {symbol: rig.keys.entries(symbol)[-1].ts for symbol in THREE}
    rig.worker.start()
    rig.wait_until(lambda: rig.keys.fresh(THREE, killed_ms), 5, "fresh depth after the kill")
    assert time.monotonic() - killed_s < 5
    assert rig.keys.json(LEASE)["pid"] == rig.worker.pid
    rig.wait_until(lambda: len(rig.keys.gaps()) == len(THREE), 3, "a gap entry per symbol")
    for gap in rig.keys.gaps():
        first = next(e for e in rig.keys.entries(gap.symbol) if e.seq == before[gap.symbol] + 1)
        assert (gap.reason, gap.from_ts, gap.to_ts) == ("restart", last_ts[gap.symbol], first.ts)
    assert [holes(rig.keys.seqs(symbol)) for symbol in THREE] == [set()] * 3
    assert all(rig.keys.last_seq(symbol) > before[symbol] for symbol in THREE)


def test_a_worker_told_to_stop_leaves_everything_in_order(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    open_ids = set(rig.gateway.live_ids().values())
    assert len(open_ids) == 3
    rig.worker.terminate()
    assert rig.worker.wait(5) == 0
    records = rig.gateway.records()
    assert {r["req_id"] for r in records if r["end"] == "cancelled"} == open_ids
    assert rig.gateway.stats()["cancelled"] == 3 and rig.gateway.mistakes() == {}
    books = [rig.keys.venue_book(s, "ARCA" if s == "SPY" else "NASDAQ") for s in THREE]
    assert [book["state"] for book in books] == ["parked"] * 3
    assert [rig.keys.live_venues(symbol) for symbol in THREE] == [None] * 3
    assert [rig.keys.hash(f"market:{symbol}:ticker") for symbol in THREE] == [{}] * 3
    assert rig.keys.connected() == "0" and rig.keys.text(LEASE) is None
    beat = rig.keys.heartbeat()
    assert (beat["state"], beat["connected"]) == ("stopped", False)
    assert 86_000 < int(str(rig.keys.redis.ttl("heartbeat:ibkr_depth"))) <= 86_400
    # Every row that was read is stored.
    assert [holes(rig.keys.seqs(symbol)) for symbol in THREE] == [set()] * 3


def test_a_worker_started_after_a_stop_goes_on_and_enters_the_gap(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    rig.worker.terminate()
    assert rig.worker.wait(5) == 0
    before = seqs(rig)
    rig.worker.start()
    rig.wait_fresh(5)
    rig.wait_until(lambda: len(rig.keys.gaps()) == 3, 3, "a gap entry per symbol")
    assert {gap.reason for gap in rig.keys.gaps()} == {"restart"}
    assert all(rig.keys.last_seq(symbol) > before[symbol] for symbol in THREE)
    assert [holes(rig.keys.seqs(symbol)) for symbol in THREE] == [set()] * 3


def test_a_stop_while_the_gateway_is_away_is_as_quick(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    rig.gateway.call("restart_for_s", for_s=60)
    rig.wait_until(lambda: rig.keys.connected() == "0", 3, "disconnected")
    rig.worker.terminate()
    assert rig.worker.wait(5) == 0
    assert rig.keys.heartbeat()["state"] == "stopped"


def test_a_second_instance_names_the_first_and_leaves_it_alone(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    second = rig.second_worker()
    second.start()
    assert second.wait(10) == EXIT_FAILURE
    assert f"pid {rig.worker.pid}" in last_event(second)
    rig.wait_fresh(3)
    assert rig.keys.json(LEASE)["pid"] == rig.worker.pid
    assert rig.keys.heartbeat()["pid"] == rig.worker.pid
    assert rig.gateway.stats()["connections"] == 1


def test_a_worker_whose_lease_was_taken_stops_writing_and_exits_3(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    stolen = {**rig.keys.json(LEASE), "token": "another"}
    rig.keys.redis.set(LEASE, json.dumps(stolen), ex=60)
    assert rig.worker.wait(6) == EXIT_FAILURE
    assert rig.keys.json(LEASE) == stolen
    stopped = seqs(rig)
    assert seqs(rig) == stopped
    assert rig.keys.heartbeat()["state"] != "stopped"


def test_unusable_settings_are_all_named_and_nothing_starts(start_depth: StartDepth) -> None:
    rig = running(start_depth)
    second = rig.second_worker(IBKR_PORT="port", IBKR_DEPTH_ROWS="0", TICKVISOR_SOURCE="demo")
    second.start()
    assert second.wait(10) == EXIT_SETTINGS
    lines = second.log_text().splitlines()
    assert lines[0] == "ibkr_depth: unusable settings"
    assert sorted(line.split(":")[0].strip() for line in lines[1:]) == [
        "IBKR_DEPTH_ROWS",
        "IBKR_PORT",
        "TICKVISOR_SOURCE",
    ]
    assert "was 'port', must be an integer from 1 to 65535" in second.log_text()


@pytest.mark.parametrize("holding", ["live", "replay"])
def test_a_redis_of_another_source_is_refused_in_one_line(
    start_depth: StartDepth, holding: str
) -> None:
    rig = running(start_depth)
    rig.worker.terminate()
    rig.worker.wait(5)
    rig.keys.redis.set("coord:source", holding)
    before = seqs(rig)
    second = rig.second_worker()
    second.start()
    assert second.wait(10) == EXIT_SETTINGS
    errors = [line for line in second.log_text().splitlines() if '"level":"INFO"' not in line]
    assert len(errors) == 1 and f"holds {holding} data" in errors[0]
    assert (rig.keys.text("coord:source"), seqs(rig)) == (holding, before)


def test_when_all_attempts_to_reconnect_are_used_up_the_worker_exits_3(
    start_depth: StartDepth,
) -> None:
    rig = running(start_depth, max_reconnect_attempts=3)
    rig.gateway.call("restart_for_s", for_s=60)
    assert rig.worker.wait(10) == EXIT_FAILURE
    assert "gave up after 3 attempts" in rig.worker.log_text()
    assert rig.keys.connected() == "0" and rig.keys.text(LEASE) is None
    assert [holes(rig.keys.seqs(symbol)) for symbol in THREE] == [set()] * 3
