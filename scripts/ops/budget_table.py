"""The call budget and what is suspended, drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from scripts.ops.fit import Column, table
from shared.views.budget import BudgetView, Calls, CircuitRow
from shared.views.words import NOTHING, age, bar, count, plain

CALLS: Final = (
    Column("worker"),
    Column("requests", right=True),
    Column("by type", drop=5, least=18),
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
    return [
        one.worker,
        count(one.requests),
        _counts(one.types.items()),
        _counts(ordered),
        count(one.failures),
        count(one.in_flight),
        age(one.overdue_s),
        count(one.p99_ms),
        f"{age(one.told_age_s)} ago" if one.told_age_s is not None else "never",
    ]


def _counts(told: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in told) or NOTHING


def _suspended(one: CircuitRow) -> list[str]:
    until = (age(one.left_s) if one.left_s else "probe due") if one.state != "closed" else NOTHING
    return [one.worker, one.name, one.state, until, str(one.failures), one.reason]
