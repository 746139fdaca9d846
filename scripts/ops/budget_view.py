"""The call budget of the vendor, and what is suspended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from scripts.ops.fit import Column, table
from scripts.ops.words import NOTHING, age, age_of, bar, count, milliseconds, number, plain
from shared.store.ops_reader import BudgetSeen

CALLS: Final = (
    Column("worker"),
    Column("requests", right=True),
    Column("answers", least=28),
    Column("failures", right=True),
    Column("in flight", right=True, drop=3),
    Column("overdue", right=True, drop=1),
    Column("p99 ms", right=True, drop=2),
    Column("told", right=True, drop=4),
)
CIRCUITS: Final = (
    Column("worker"),
    Column("what"),
    Column("state"),
    Column("until", right=True),
    Column("failures", right=True, drop=1),
    Column("reason", least=16),
)
_BAR: Final = 20
_WELL: Final = ("data", "empty")


@dataclass(frozen=True, slots=True)
class Calls:
    """`answers` by kind: `data`, `empty`, `rate_limit`, ..."""

    worker: str
    requests: int | None
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
    answers = figures.get("answers") or {}
    return Calls(
        worker,
        _whole(figures.get("requests")),
        {plain(kind): _whole(told) or 0 for kind, told in sorted(answers.items())},
        _whole(figures.get("failures")),
        _whole(figures.get("in_flight")),
        number(figures.get("overdue_s")),
        number(figures.get("fetch_ms_p99")),
        age_of(milliseconds(figures.get("ts")), seen.now_ms),
    )


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


def picture(found: BudgetView, width: int) -> RenderableType:
    rows = [_row(one) for one in found.calls]
    parts: list[RenderableType] = [*_bucket(found), Text(), table(CALLS, rows, width), Text()]
    if found.circuits:
        parts.append(table(CIRCUITS, [_suspended(one) for one in found.circuits], width))
    else:
        parts.append(Text("nothing is suspended"))
    return Group(*parts)


def _bucket(found: BudgetView) -> Iterator[Text]:
    bucket = found.bucket
    if bucket is None:
        yield Text("no budget: ALPHA_VANTAGE_API_KEY is missing")
        return
    tokens = int(bucket["tokens"])
    yield Text(
        f"budget    {bucket['budget_per_min']} of {bucket['calls_per_min']} calls a minute,"
        f" at most {bucket['calls_per_s']} a second"
    )
    yield Text(f"tokens    {bar(tokens / max(1, found.burst), _BAR)} {tokens} of {found.burst}")
    yield Text(
        f"calls     {bucket['granted']} granted, {bucket['waited']} of them waited"
        f" {age(bucket['waited_ms'] / 1000)} in all, {bucket['refused']} refused"
    )
    left_s = float(bucket["cooldown_left_s"])
    why = plain(bucket["cooldown_reason"]) or "no reason told"
    yield Text(f"cooldown  {age(left_s)} left: {why}" if left_s > 0 else "cooldown  none")


def _row(one: Calls) -> list[str]:
    # What went well last: that is what may be cut.
    ordered = sorted(one.answers.items(), key=lambda pair: pair[0] in _WELL)
    kinds = ", ".join(f"{kind} {told}" for kind, told in ordered)
    return [
        one.worker,
        count(one.requests),
        kinds or NOTHING,
        count(one.failures),
        count(one.in_flight),
        age(one.overdue_s),
        count(one.p99_ms),
        f"{age(one.told_age_s)} ago" if one.told_age_s is not None else "never",
    ]


def _suspended(one: CircuitRow) -> list[str]:
    until = (age(one.left_s) if one.left_s else "probe due") if one.state != "closed" else NOTHING
    return [one.worker, one.name, one.state, until, str(one.failures), one.reason]


def document(found: BudgetView) -> dict[str, Any]:
    return {"bucket": found.bucket, "calls": found.calls, "circuits": found.circuits}
