from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest

from benchmarks.chain_beside import NICE
from benchmarks.chain_figures import GOALS, facts, judged
from benchmarks.chain_measure import _compared
from benchmarks.chain_subject import Ticker
from benchmarks.chain_worker import processor_s
from benchmarks.report import missed, verdicts
from shared import vendor_feed


def times(ours: float, plain: float, floor: float) -> dict[str, dict[str, Any]]:
    spent = {"ours": ours, "plain": plain, "floor": floor}
    return {way: {"new": {"s": s, "cpu_s": s, "read_s": s / 2}} for way, s in spent.items()}


def compared() -> dict[str, Any]:
    rounds = [times(0.1, 3.0, 0.08), times(0.2, 4.0, 0.1), times(0.1, 2.5, 0.05)]
    return _compared({way: [one[way] for one in rounds] for way in rounds[0]}, "new")


def result(**changes: Any) -> dict[str, Any]:
    depth = {"p50_ms": 0.4, "p99_ms": 2.0}
    parts: dict[str, Any] = {
        "throughput": {"new": compared(), "moved": compared(), "faults": []},
        "tolerance": {
            "ms": {name: {"read_s": 40.0, "s": 100.0} for name in ("none", "one", "every row")},
            "faults": [],
        },
        "stalls": [
            {
                "contracts": contracts, "longest_ms": contracts / 1_000, "longest_cpu_ms": 5.0,
                "median_ms": {"new": 4.0, "moved": 4.0, "fetched": 6.0}, "faults": [],
            }
            for contracts in (10_000, 12_000)
        ],
        "beside": {
            "ratio": 1.2, "with": depth, "without": depth, "chain_ms": 120.0, "faults": [],
        },
        "worker": {
            "symbols": 11, "contracts": 5_000, "interval_s": 10.0, "chains": 66, "seconds": 60.0,
            "cpu_share": 0.1, "redis_cpu_share": 0.02, "rss_mb": 80.0, "rss_growth_mb": 0.0,
            "redis_mb": 55.0, "redis_keys": 55_000, "faults": [],
        },
    }  # fmt: skip
    return {**parts, **changes}


def test_ratios_are_medians_of_those_within_a_round() -> None:
    figures = compared()
    assert figures["times the plain way"] == pytest.approx(25.0)
    assert figures["times the floor"] == pytest.approx(2.0)
    assert figures["ms"] == pytest.approx({"ours": 100.0, "plain": 3_000.0, "floor": 80.0})


def test_figures_are_judged_in_the_order_of_the_goals() -> None:
    assert judged(result()) == pytest.approx(
        dict(zip(GOALS, (25, 2, 12, 1.2, 0.1, 0), strict=True))
    )
    assert not missed(verdicts(GOALS, judged(result())))


@pytest.mark.parametrize("part", ["throughput", "tolerance", "beside", "worker"])
def test_one_wrong_key_misses_the_floor(part: str) -> None:
    wrong = result()
    wrong[part]["faults"].append("a key is not as it must be")
    assert missed(verdicts(GOALS, judged(wrong)))


def test_every_part_tells_its_figures() -> None:
    told = facts(result())
    assert len(told) == 3 * 2 + 1 + 3 + 2 * 2 + 3 + 4
    assert all(label and value for label, value in told)


def test_chains_are_written_at_the_priority_of_the_worker() -> None:
    assert vendor_feed._NICE == NICE


def test_processor_time_of_a_process_is_its_user_and_system_time() -> None:
    until_s = time.process_time() + 0.1
    while time.process_time() < until_s:
        pass
    spent = os.times()
    assert processor_s(os.getpid()) == pytest.approx(spent.user + spent.system, abs=0.05)


def test_the_ticker_sees_how_long_the_loop_stood_still() -> None:
    # Seconds by the clock and of the processor that each turn of the loop takes.
    turns = [(0.0625, 0.0), (0.03125, 0.015625), (0.001, 0.001)]

    async def scenario() -> dict[str, Any]:
        now = {"clock": 1_000.0, "cpu": 3.0}
        ticker = Ticker(lambda: now["clock"], lambda: now["cpu"])
        for wait_s, cpu_s in turns:
            await asyncio.sleep(0)
            now["clock"] += wait_s
            now["cpu"] += cpu_s
        return await ticker.stop()

    assert asyncio.run(scenario()) == {"gap_ms": 62.5, "gap_cpu_ms": 15.625}


def test_the_gap_that_is_ending_with_the_ticker_counts() -> None:
    async def scenario() -> dict[str, Any]:
        now_s = [0.0]
        ticker = Ticker(lambda: now_s[0], lambda: 0.0)
        await asyncio.sleep(0)
        now_s[0] = 0.25
        return await ticker.stop()

    assert asyncio.run(scenario()) == {"gap_ms": 250.0, "gap_cpu_ms": 0.0}
