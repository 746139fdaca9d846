"""Four hungry processes on one API key, judged by what arrives at the vendor.

All scenarios run side by side for two minutes, each with a Redis and a simulator of its own; the
simulator would refuse what is above its plan, and notes every arrival whether it does or not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.redis_server import RedisServer
from tests.support.vendor_process import Row, VendorProcess, busiest, wait_until
from tests.support.worker_process import REPOSITORY

SECONDS: Final = 120
NAMES: Final = ("w1", "w2", "w3", "w4")
# Of a plan the settings leave so many calls a minute unused.
BUFFER: Final = 10
PER_SECOND: Final = {75: 5, 600: 20}
# Some 40 s of 600 a minute: what happens then is over when the last 60 s begin.
MIDDLE: Final = 400
WAIT_S: Final = SECONDS + 60

pytestmark = pytest.mark.timeout(WAIT_S + 60)


@dataclass(frozen=True)
class Scenario:
    """What is done to Redis in the middle, and what every caller says about it."""

    plan: int
    disturb: Callable[[RedisServer], None] | None = None
    said: str = ""


@dataclass(frozen=True)
class Evidence:
    """`refused` by outcome, as the simulator has it; `results` and `said` by caller."""

    arrivals: list[Row]
    refused: dict[str, int]
    results: list[dict[str, Any]]
    said: list[str]

    @property
    def times_s(self) -> list[float]:
        return [row["mono_s"] for row in self.arrivals]

    def together(self) -> tuple[float, float]:
        """From when the last caller had begun until the first one ended."""
        spans = [
            [row["mono_s"] for row in self.arrivals if row["client"] == name] for name in NAMES
        ]
        return max(span[0] for span in spans), min(span[-1] for span in spans)


def flush(server: RedisServer) -> None:
    with server.client() as client:
        client.flushall()


SCENARIOS: Final = {
    "75 a minute": Scenario(75),
    "600 a minute": Scenario(600),
    "600 and a restart": Scenario(600, RedisServer.restart, "Redis is back after"),
    "600 and a flush": Scenario(600, flush, "the bucket was lost and begun anew, empty"),
}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Evidence]]:
    with ThreadPoolExecutor(len(SCENARIOS)) as threads:
        running = {
            name: threads.submit(observe, scenario, tmp_path_factory.mktemp("bucket"))
            for name, scenario in SCENARIOS.items()
        }
        yield {name: future.result() for name, future in running.items()}


def observe(scenario: Scenario, home: Path) -> Evidence:
    with ExitStack() as running:
        server = RedisServer(home, appendonly=True).start()
        running.callback(server.stop)
        vendor = VendorProcess("--plan", str(scenario.plan))
        running.callback(vendor.stop)
        callers = [hungry(scenario.plan, server, vendor, name) for name in NAMES]
        for caller in callers:
            running.callback(end, caller)
        if scenario.disturb is not None:
            wait_for_middle(vendor)
            scenario.disturb(server)
        outputs = [caller.communicate(timeout=WAIT_S) for caller in callers]
        (outcomes,) = [found["outcomes"] for found in vendor.stats()["keys"].values()]
        refused = {name: count for name, count in outcomes.items() if name != "ok"}
        results = [json.loads(output) for output, _ in outputs]
        return Evidence(vendor.requests(), refused, results, [said for _, said in outputs])


def hungry(
    plan: int, server: RedisServer, vendor: VendorProcess, name: str
) -> subprocess.Popen[str]:
    where = (server.url, f"{vendor.base_url}/query", "bucket-test-key")
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.hungry_caller",
            *where,
            str(plan),
            str(SECONDS),
            name,
        ],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(caller: subprocess.Popen[str]) -> None:
    if caller.poll() is None:
        caller.kill()
        caller.communicate()


def wait_for_middle(vendor: VendorProcess) -> None:
    for count in range(50, MIDDLE + 1, 50):
        wait_until(partial(has_met, vendor, count))


def has_met(vendor: VendorProcess, count: int) -> bool:
    return bool(vendor.stats()["requests"] >= count)


@pytest.fixture(params=list(SCENARIOS))
def case(
    request: pytest.FixtureRequest, evidence: dict[str, Evidence]
) -> tuple[Scenario, Evidence]:
    return SCENARIOS[request.param], evidence[request.param]


def test_no_sixty_seconds_hold_more_than_the_plan(case: tuple[Scenario, Evidence]) -> None:
    scenario, found = case
    most = busiest(found.times_s, 60.0)
    assert most <= scenario.plan, f"{most} calls in 60 s, plan {scenario.plan}"


def test_no_second_holds_more_than_the_plan(case: tuple[Scenario, Evidence]) -> None:
    scenario, found = case
    most, plan = busiest(found.times_s, 1.0), PER_SECOND[scenario.plan]
    assert most <= plan, f"{most} calls in a second, plan {plan}"


def test_the_vendor_refuses_nothing(case: tuple[Scenario, Evidence]) -> None:
    _, found = case
    assert found.refused == {}
    told = {row["name"]: row["refused_by_vendor"] for row in found.results}
    assert told == dict.fromkeys(NAMES, 0)
    # Who made a call and who counted it agree.
    arrived = Counter(row["client"] for row in found.arrivals)
    assert arrived == {row["name"]: row["made"] for row in found.results}


def test_at_least_95_percent_of_the_budget_is_used(case: tuple[Scenario, Evidence]) -> None:
    scenario, found = case
    _, end_s = found.together()
    used = sum(end_s - 60.0 < time_s <= end_s for time_s in found.times_s)
    budget = scenario.plan - BUFFER
    assert used >= 0.95 * budget, f"{used} of {budget} calls in the last 60 s"


def test_the_processes_share_alike(case: tuple[Scenario, Evidence]) -> None:
    _, found = case
    first_s, last_s = found.together()
    shares = Counter(row["client"] for row in found.arrivals if first_s <= row["mono_s"] <= last_s)
    assert last_s - first_s > SECONDS / 2
    assert max(shares.values()) <= 1.2 * min(shares.values()), f"shares were {dict(shares)}"


def test_every_caller_met_what_was_done_to_redis(case: tuple[Scenario, Evidence]) -> None:
    scenario, found = case
    for said in found.said:
        assert scenario.said in said
        # A bucket that was never disturbed is never lost.
        assert scenario.disturb or not said, said
