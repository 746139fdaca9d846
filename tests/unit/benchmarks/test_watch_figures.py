from __future__ import annotations

from typing import Any

import pytest

from benchmarks.report import verdicts
from benchmarks.watch_figures import GOALS, LOOKED_AT, PAIRS, facts, judged


def pair(watched_ms: float, alone_ms: float, **changes: Any) -> dict[str, dict[str, Any]]:
    watched = {"p50_ms": 1.0, "p99_ms": watched_ms, "dashboard_mb": 50.0, "silent": 0, "scrapes": 2}
    more = {"dashboard_share": 0.02, "exporter_share": 0.003, "kb_per_s": 2.5}
    return {
        "watched": {**watched, **more, **changes},
        "alone": {"p50_ms": 1.0, "p99_ms": alone_ms},
    }


def test_ten_browsers_look() -> None:
    assert len(LOOKED_AT) == 10


def test_the_median_of_the_ratios_the_largest_memory_and_all_the_silent_are_judged() -> None:
    pairs = [pair(2.2, 2.0), pair(9.0, 3.0, dashboard_mb=60.0), pair(1.0, 1.0, silent=2)]
    assert list(judged(pairs).values()) == [1.1, 60.0, 2.0, 2.0]
    assert list(judged(pairs)) == list(GOALS)


def words(*pairs: dict[str, dict[str, Any]]) -> list[str]:
    return [row.word for row in verdicts(GOALS, judged(pairs))]


@pytest.mark.parametrize(
    ("ratios", "word"),
    [
        ((1.0, 1.0, 1.0, 1.2, 9.0, 9.0, 9.0), "floor"),
        ((1.0, 1.0, 1.0, 1.21, 9.0, 9.0, 9.0), "MISSED"),
        ((0.9, 0.9, 0.9, 1.05, 1.3, 1.3, 1.3), "goal"),
    ],
)
def test_the_median_of_seven_pairs_decides(ratios: tuple[float, ...], word: str) -> None:
    assert len(ratios) == PAIRS
    assert words(*(pair(ratio, 1.0) for ratio in ratios))[0] == word


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({}, ["goal"] * 4),
        ({"dashboard_mb": 150.1}, ["goal", "MISSED", "goal", "goal"]),
        ({"silent": 1}, ["goal", "goal", "MISSED", "goal"]),
        ({"scrapes": 0}, ["goal", "goal", "goal", "MISSED"]),
    ],
)
def test_a_run_that_was_not_watched_as_it_should_be_misses(
    changes: dict[str, Any], met: list[str]
) -> None:
    assert words(pair(1.0, 1.0), pair(1.0, 1.0, **changes)) == met


def test_both_sides_are_told() -> None:
    assert dict(facts([pair(2.25, 2.0)]))["p99 ms, watched / alone"] == "2.25 / 2.00"
