"""What the benchmarks have in common in telling their figures: goals, a table, a result file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.table import Table

RESULTS: Final = Path(__file__).resolve().parent / "results"


class Goal(NamedTuple):
    """What must be reached, what is wanted, and whether larger is better."""

    floor: float
    goal: float
    larger: bool


class Verdict(NamedTuple):
    name: str
    value: float
    floor: float
    goal: float
    word: str


def verdicts(goals: Mapping[str, Goal], figures: Mapping[str, float]) -> list[Verdict]:
    rows = []
    for name, (floor, goal, larger) in goals.items():
        value = figures[name]
        sign = 1.0 if larger else -1.0
        beyond_goal, beyond_floor = sign * value >= sign * goal, sign * value >= sign * floor
        word = "goal" if beyond_goal else "floor" if beyond_floor else "MISSED"
        rows.append(Verdict(name, value, floor, goal, word))
    return rows


def missed(rows: Iterable[Verdict]) -> bool:
    return any(row.word == "MISSED" for row in rows)


def table(title: str, facts: Iterable[tuple[str, str]], rows: Iterable[Verdict]) -> Table:
    """Plain figures first, then those with a goal."""
    made = Table(title=title)
    for heading in ("figure", "value", "floor", "goal", "met"):
        made.add_column(heading, justify="left" if heading == "figure" else "right")
    for label, value in facts:
        made.add_row(label, value, "", "", "")
    for name, number, floor, goal, word in rows:
        made.add_row(name, f"{number:,.3g}", f"{floor:g}", f"{goal:g}", word)
    return made


def save(name: str, result: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
