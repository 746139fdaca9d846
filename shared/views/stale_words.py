"""What is stale, in few lines: what one cause has made old is one of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.views.words import age, number, plain

# A terminal of 24 lines has room for so many below the processes.
_LINES: Final = 5
_NAMED: Final = 6
Row = Mapping[str, Any]


def told(rows: Mapping[str, Row]) -> Iterator[str]:
    """`rows` by `surface:symbol`, as the watchdog publishes them."""
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for name, row in rows.items():
        surface, _, symbol = name.partition(":")
        groups.setdefault((surface, str(row.get("reason", ""))), {})[symbol] = row
    shown = list(groups.items())[:_LINES]
    for (surface, reason), symbols in shown:
        yield f"{_names(surface, list(symbols))} stale: {_worst(symbols)}, {plain(reason)}"
    if more := len(rows) - sum(len(symbols) for _, symbols in shown):
        are = "is" if more == 1 else "are"
        yield f"{more} more {are} stale, see tickvisor stale"


def _names(surface: str, symbols: list[str]) -> str:
    if len(symbols) == 1:
        return plain(f"{surface}:{symbols[0]} is")
    named, more = symbols[:_NAMED], len(symbols) - _NAMED
    others = f" and {more} more" if more > 0 else ""
    return plain(f"{surface} of {', '.join(named)}{others} are")


def _worst(symbols: Mapping[str, Row]) -> str:
    """Of the one that is the most overdue."""
    row = max(symbols.values(), key=_overdue_s)
    old, budget = age(number(row.get("age_s"))), age(number(row.get("budget_s")))
    return f"{old} old, budget {budget}" if len(symbols) == 1 else f"up to {old}, budget {budget}"


def _overdue_s(row: Row) -> float:
    return (number(row.get("age_s")) or 0.0) - (number(row.get("budget_s")) or 0.0)
