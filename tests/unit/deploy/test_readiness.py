from __future__ import annotations

from pathlib import Path

import pytest

from deploy.readiness import (
    Expected,
    WorkerData,
    expected_of,
    hopeless,
    missing,
    worker_data,
)
from deploy.supervisor_client import Program
from shared.settings import load_settings, repository_root

EXPECTED = Expected(
    ("redis", "ibkr_depth", "ibkr_trades"), {"ibkr_depth": 3, "ibkr_trades": 10}, since_ms=1_000
)
GOOD = {
    "ibkr_depth": WorkerData(pid=42, state="running", fresh_symbols=3),
    "ibkr_trades": WorkerData(pid=43, state="running", fresh_symbols=10),
}


def programs(redis: str = "RUNNING", depth: str = "RUNNING") -> list[Program]:
    return [
        Program("redis", redis, 41, ""),
        Program("ibkr_depth", depth, 42, ""),
        Program("ibkr_trades", "RUNNING", 43, ""),
    ]


def test_nothing_is_missing_when_all_run_and_data_is_fresh() -> None:
    assert missing(EXPECTED, programs(), GOOD) == []


def test_programs_are_named_before_data_is_asked_for() -> None:
    nothing = dict.fromkeys(GOOD, WorkerData(error="refused"))
    assert missing(EXPECTED, programs(depth="BACKOFF"), nothing) == ["ibkr_depth is BACKOFF"]


def test_a_program_that_supervisord_does_not_know_is_named() -> None:
    found = missing(EXPECTED, [programs()[0], programs()[2]], GOOD)
    assert found == ["ibkr_depth is unknown to supervisord"]


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (WorkerData(error="refused"), ["redis does not answer, refused"]),
        (WorkerData(), ["ibkr_depth says no heartbeat", "depth of 0 of 3 symbols"]),
        (WorkerData(42, "starting", "no gateway", 3), ["ibkr_depth says starting no gateway"]),
        (WorkerData(42, "running", "", 2), ["depth of 2 of 3 symbols"]),
        # The heartbeat of an earlier run outlives it by a day.
        (WorkerData(7, "running", "", 3), ["ibkr_depth says running"]),
    ],
)
def test_what_redis_lacks_of_depth_is_named(depth: WorkerData, expected: list[str]) -> None:
    assert missing(EXPECTED, programs(), {**GOOD, "ibkr_depth": depth}) == expected


def test_what_redis_lacks_of_trades_is_named() -> None:
    trades = WorkerData(43, "degraded", "no line for TSLA", 9)
    assert missing(EXPECTED, programs(), {**GOOD, "ibkr_trades": trades}) == [
        "ibkr_trades says degraded no line for TSLA",
        "quotes or trades of 9 of 10 symbols",
    ]


def test_without_the_depth_worker_no_depth_is_waited_for() -> None:
    expected = Expected(("redis", "ibkr_trades"), {"ibkr_trades": 10}, since_ms=1_000)
    assert missing(expected, programs(depth="STOPPED"), GOOD) == []


@pytest.mark.parametrize("state", ["FATAL", "EXITED", "UNKNOWN"])
def test_waiting_is_given_up_for_a_program_that_ended(state: str) -> None:
    assert hopeless(EXPECTED, programs(depth=state)) == ["ibkr_depth"]


@pytest.mark.parametrize("state", ["STARTING", "BACKOFF", "RUNNING"])
def test_waiting_goes_on_for_a_program_that_may_come_up(state: str) -> None:
    assert hopeless(EXPECTED, programs(depth=state)) == []


def test_only_data_since_the_start_counts_as_fresh() -> None:
    heartbeat = '{"pid": 42, "state": "running", "detail": "3 of 3"}'
    found = worker_data(heartbeat, ["999", "1000", None, "junk", "1001"], 1_000)
    assert found == WorkerData(42, "running", "3 of 3", fresh_symbols=2)


@pytest.mark.parametrize("heartbeat", [None, "", "not json", "[]"])
def test_an_unreadable_heartbeat_counts_as_none(heartbeat: str | None) -> None:
    assert worker_data(heartbeat, [], 1_000) == WorkerData(state="no heartbeat")


def test_nobody_waits_for_what_only_reads(tmp_path: Path) -> None:
    settings = load_settings({"TICKVISOR_HOME": str(tmp_path)}, repository_root())
    names = ("ibkr_depth", "exporter", "dashboard", "watchdog", "av_options")
    running = [Program(name, "FATAL", 0, "") for name in names]
    expected = expected_of(settings, ("av_options",), running, 1_000)
    assert expected.programs == ("ibkr_depth", "watchdog")
