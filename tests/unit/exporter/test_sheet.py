from __future__ import annotations

from typing import Any

import pytest

from shared.exporter.sheet import Sheet
from tests.unit.exporter.samples import of, told

LATENCY = {
    "latency_bounds_ms": [0.25, 1, 5000],
    "latency_counts": [3, 0, 2, 1],
    "latency_sum_ms": 9_000.5,
}


def histogram(figures: dict[str, Any]) -> dict[str, float]:
    return told(
        lambda sheet: sheet.histogram("sink_latency_seconds", figures, "latency", "w", "depth")
    )


def test_a_histogram_is_cumulative_and_in_seconds() -> None:
    found = histogram(LATENCY)
    labels = 'feed="depth",le="{}",worker="w"'
    assert of(found, "sink_latency_seconds_bucket") == {
        labels.format("0.00025"): 3,
        labels.format("0.001"): 3,
        labels.format("5.0"): 5,
        labels.format("+Inf"): 6,
    }
    assert of(found, "sink_latency_seconds_sum") == {'feed="depth",worker="w"': 9.0005}
    assert of(found, "sink_latency_seconds_count") == {'feed="depth",worker="w"': 6}


@pytest.mark.parametrize(
    "damage",
    [
        {"latency_bounds_ms": None},
        {"latency_bounds_ms": []},
        {"latency_bounds_ms": [1, 0.25, 5000]},
        {"latency_bounds_ms": [0.25, 0.25, 5000]},
        {"latency_bounds_ms": [0.25, "1", 5000]},
        {"latency_counts": [3, 0, 2]},
        {"latency_counts": [3, 0, 2, -1]},
        {"latency_counts": [3, 0, 2, float("nan")]},
        {"latency_counts": 6},
        {"latency_sum_ms": None},
    ],
)
def test_a_histogram_that_is_none_is_left_out(damage: dict[str, Any]) -> None:
    assert histogram({**LATENCY, **damage}) == {}


@pytest.mark.parametrize(
    "value", [None, "4", float("nan"), float("inf"), 10**400, [1], {"a": 1}, b"4"]
)
def test_what_is_no_finite_number_is_left_out(value: Any) -> None:
    assert told(lambda sheet: sheet.put("redis_up", value)) == {}


def test_true_is_one() -> None:
    assert told(lambda sheet: sheet.put("redis_up", True)) == {"redis_up": 1.0}


def test_label_values_are_escaped() -> None:
    found = told(lambda sheet: sheet.put("worker_up", 0, 'a"b\\c\nd'))
    assert of(found, "worker_up") == {'worker="a\\"b\\\\c\\nd"': 0.0}


def test_a_metric_that_nobody_described_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Sheet().put("made_up", 1)


def test_a_label_too_few_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"worker_up: labels must be \('worker',\), were \(\)"):
        Sheet().put("worker_up", 1)
