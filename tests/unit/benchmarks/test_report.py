from __future__ import annotations

import pytest

from benchmarks.report import Goal, missed, verdicts


@pytest.mark.parametrize(
    ("goal", "value", "word"),
    [
        (Goal(0.5, 1.0, True), 1.0, "goal"),
        (Goal(0.5, 1.0, True), 0.5, "floor"),
        (Goal(0.5, 1.0, True), 0.49, "MISSED"),
        (Goal(8.0, 4.0, False), 4.0, "goal"),
        (Goal(8.0, 4.0, False), 8.0, "floor"),
        (Goal(8.0, 4.0, False), 8.1, "MISSED"),
    ],
)
def test_a_figure_is_judged_by_its_floor_and_its_goal(goal: Goal, value: float, word: str) -> None:
    rows = verdicts({"figure": goal}, {"figure": value})
    assert [row.word for row in rows] == [word]
    assert missed(rows) == (word == "MISSED")
