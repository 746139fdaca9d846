"""Figures of many runs together: what counts as a failure, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import table
from tests.oracle.recovery import bound_of, percentile, too_slow


def run(seed: int, minutes: float = 3, **other: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "faults": {}, "recoveries": {}, "growth": {}, "lengths": {}, "counts": {}, "violations": {},
    }  # fmt: skip
    return {"seed": seed, "minutes": minutes, "seconds": 240.0} | empty | other


def told(tmp_path: Path, *runs: dict[str, Any]) -> int:
    paths = [tmp_path / f"{one['seed']}.json" for one in runs]
    for path, one in zip(paths, runs, strict=True):
        path.write_text(json.dumps(one), encoding="utf-8")
    return table.main([str(path) for path in paths])


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([float(n) for n in range(1, 201)], 0.99) == 198.0


def test_counts_are_added_and_of_peaks_the_largest_is_shown() -> None:
    text = table.markdown(
        [
            run(1, counts={"depth sent": 1_000, "most MB, redis": 30}, faults={"316": 2}),
            run(2, 10, counts={"depth sent": 500, "most MB, redis": 40}, faults={"317": 1}),
        ]
    )
    rows = dict(line.strip("| ").split(" | ") for line in text.splitlines()[2:])
    assert rows["runs"] == "1 of 3 min, 1 of 10 min"
    assert (rows["seeds"], rows["faults injected"], rows["kinds of faults"]) == ("1, 2", "3", "2")
    assert (rows["depth sent"], rows["most MB, redis"]) == ("1,500", "40")


def test_each_worker_has_the_bound_of_a_kill_and_a_surface_has_none() -> None:
    assert bound_of("kill -9 av_options") == (5.0, 10.0)
    assert bound_of("gateway, first connect hangs") == (15.0, 15.0)
    assert bound_of("redis: depth") is bound_of("other") is None


def test_one_worker_that_is_slow_fails_though_the_others_are_fast() -> None:
    fast, slow = {"kill -9 watchdog": [0.5] * 50}, {"kill -9 av_options": [1.0, 11.0]}
    assert too_slow(fast) == []
    assert too_slow(fast | slow) == [
        "kill -9 av_options: 1.0 s and 11.0 s of 2, allowed 5 s and 10 s"
    ]


def test_recoveries_of_all_runs_are_judged_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of three may not take so long, though one of them may."""
    runs = [run(seed, recoveries={"kill -9 watchdog": [s]}) for seed, s in ((1, 1.0), (2, 6.0))]
    assert told(tmp_path, *runs) == 0
    assert told(tmp_path, *runs, run(3, recoveries={"kill -9 watchdog": [7.0]})) == 1
    assert "recovery: kill -9 watchdog: 6.0 s and 7.0 s" in capsys.readouterr().err


def test_a_violation_of_one_run_fails_all(tmp_path: Path) -> None:
    assert told(tmp_path, run(1), run(2)) == 0
    assert told(tmp_path, run(1), run(2, violations={"no row lost": 1})) == 1
