"""The call budget of the vendor, and what is suspended. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.store.ops_reader import BudgetSeen
from shared.views.words import age_of, milliseconds, number, plain


@dataclass(frozen=True, slots=True)
class Calls:
    """`types`: requests by type (`options`, `RSI`); `answers` by kind (`data`, `minute`)."""

    worker: str
    requests: int | None
    types: Mapping[str, int]
    answers: Mapping[str, int]
    failures: int | None
    in_flight: int | None
    overdue_s: float | None
    p99_ms: float | None
    told_age_s: float | None


@dataclass(frozen=True, slots=True)
class CircuitRow:
    """`left_s` is the countdown: 0 once a probe is due."""

    worker: str
    name: str
    state: str
    left_s: float
    failures: int
    reason: str


@dataclass(frozen=True, slots=True)
class BudgetView:
    bucket: Mapping[str, Any] | None
    burst: int
    calls: tuple[Calls, ...]
    circuits: tuple[CircuitRow, ...]


def view(seen: BudgetSeen, workers: Sequence[str], burst: int) -> BudgetView:
    calls = tuple(_calls(seen, worker) for worker in workers)
    circuits = tuple(
        _circuit(seen.now_ms, worker, name, row)
        for worker, rows in seen.breakers.items()
        for name, row in sorted(rows.items())
    )
    return BudgetView(seen.bucket, burst, calls, circuits)


def _calls(seen: BudgetSeen, worker: str) -> Calls:
    figures = seen.figures.get(worker, {})
    return Calls(
        worker,
        _whole(figures.get("requests")),
        _counts(figures.get("requests_by_type")),
        _counts(figures.get("answers")),
        _whole(figures.get("failures")),
        _whole(figures.get("in_flight")),
        number(figures.get("overdue_s")),
        number(figures.get("fetch_ms_p99")),
        age_of(milliseconds(figures.get("ts")), seen.now_ms),
    )


def _counts(told: Any) -> dict[str, int]:
    found = told if isinstance(told, dict) else {}
    return {plain(name): _whole(count) or 0 for name, count in sorted(found.items())}


def _circuit(now_ms: int, worker: str, name: str, row: Mapping[str, Any]) -> CircuitRow:
    left_s = ((milliseconds(row.get("until_ts")) or now_ms) - now_ms) / 1000
    return CircuitRow(
        worker,
        plain(name),
        plain(row.get("state", "")),
        max(0.0, left_s),
        _whole(row.get("failures")) or 0,
        plain(row.get("reason", "")),
    )


def _whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def document(found: BudgetView) -> dict[str, Any]:
    return {"bucket": found.bucket, "calls": found.calls, "circuits": found.circuits}
