"""tickvisor stale."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask
from scripts.ops.fit import Column, table
from scripts.ops.options import AsJson
from scripts.ops.screen import Picture
from shared.store.ops_reader import OpsReader, StaleSeen
from shared.views.expectation import expected
from shared.views.status import unchecked
from shared.views.words import age, age_of, clock, milliseconds, number, plain

COLUMNS: Final = (
    Column("field"),
    Column("age", right=True),
    Column("budget", right=True),
    Column("since", drop=1),
    Column("reason", least=20),
)


@dataclass(frozen=True, slots=True)
class StaleView:
    """`fault` says why nobody knows; empty when the watchdog checks."""

    rows: Mapping[str, Mapping[str, Any]]
    checked_age_s: float | None
    fault: str

    @property
    def ok(self) -> bool:
        return not self.rows and not self.fault


def view(seen: StaleSeen, now_ms: int, limit_s: float) -> StaleView:
    return StaleView(seen.rows, age_of(seen.checked_ms, now_ms), unchecked(seen, now_ms, limit_s))


def picture(found: StaleView, width: int) -> RenderableType:
    if found.ok:
        return Text(f"nothing is stale, checked {found.checked_age_s or 0.0:.1f} s ago")
    if not found.rows:
        return Text(found.fault)
    rows = [_row(name, found.rows[name]) for name in sorted(found.rows)]
    return table(COLUMNS, rows, width, found.fault)


def _row(name: str, row: Mapping[str, Any]) -> list[str]:
    return [
        plain(name),
        age(number(row.get("age_s"))),
        age(number(row.get("budget_s"))),
        clock(milliseconds(row.get("since_ts"))),
        plain(row.get("reason", "")),
    ]


def document(found: StaleView) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "checked_age_s": found.checked_age_s,
        "fault": found.fault or None,
        "stale": found.rows,
    }


def stale(as_json: AsJson = False) -> None:
    """Show what is older than it may be, as the watchdog judges it.

    Exit codes: 0 nothing is stale, 1 something is or nobody checks, 78 unusable settings.
    """
    settings = settings_or_exit(PROGRAM)
    seen = ask(settings, lambda store, keys: OpsReader(store, keys).stale())
    found = view(seen, time.time_ns() // 1_000_000, expected(settings).check_late_s)
    Picture(picture, document, as_json).show(found)
    if not found.ok:
        raise typer.Exit(1)
