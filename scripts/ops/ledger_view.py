"""Entries of the ledgers as rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from scripts.ops.fit import Column, table
from shared.store.ops_ledgers import Entry
from shared.views.words import NOTHING, age, clock, milliseconds, moment, number, plain

GAPS: Final = (
    Column("from"),
    Column("to", drop=2),
    Column("for", right=True),
    Column("feed"),
    Column("symbol"),
    Column("venue", drop=3),
    Column("lost", right=True),
    Column("numbers", drop=1),
    Column("reason", least=30),
)
INCIDENTS: Final = (
    Column("time"),
    Column("worker"),
    Column("kind"),
    Column("symbol"),
    Column("text", least=20),
)
_NUMBERS: Final = ("ts", "from_ts", "to_ts", "from_seq", "to_seq", "count")
# Of a line that follows: what comes next is not known, so its columns are given.
_WORKER: Final = 12
_KIND: Final = 12
_SYMBOL: Final = 6


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries, oldest first, as they were read at `now_ms`."""

    now_ms: int
    entries: Sequence[Entry]


def gaps_picture(found: Ledger, width: int) -> RenderableType:
    if not found.entries:
        return Text("no gaps")
    return table(GAPS, [_gap(one.fields, found.now_ms) for one in found.entries], width)


def _gap(fields: Mapping[str, str], now_ms: int) -> list[str]:
    from_ms, to_ms = (milliseconds(fields.get(name)) for name in ("from_ts", "to_ts"))
    lasted = (to_ms - from_ms) / 1000 if from_ms and to_ms else None
    return [
        moment(from_ms, now_ms),
        clock(to_ms),
        age(lasted),
        plain(fields.get("feed", "")),
        plain(fields.get("symbol", "")) or "several",
        plain(fields.get("venue", "")) or NOTHING,
        plain(fields.get("count", "")) or "?",
        _numbers(fields),
        plain(fields.get("reason", "")),
    ]


def _numbers(fields: Mapping[str, str]) -> str:
    first, last = plain(fields.get("from_seq", "")), plain(fields.get("to_seq", ""))
    if not first:
        return NOTHING
    return first if first == last else f"{first}..{last}"


def incidents_picture(found: Ledger, width: int) -> RenderableType:
    if not found.entries:
        return Text("no incidents")
    return table(INCIDENTS, [_incident(one.fields, found.now_ms) for one in found.entries], width)


def _incident(fields: Mapping[str, str], now_ms: int) -> list[str]:
    return [
        moment(milliseconds(fields.get("ts")), now_ms),
        plain(fields.get("worker", "")),
        plain(fields.get("kind", "")),
        plain(fields.get("symbol", "")) or NOTHING,
        plain(fields.get("text", "")),
    ]


def incident_line(entry: Entry, now_ms: int, width: int) -> Text:
    """One line that stands under the others."""
    time, worker, kind, symbol, text = _incident(entry.fields, now_ms)
    line = f"{time}  {worker:<{_WORKER}}  {kind:<{_KIND}}  {symbol:<{_SYMBOL}}  {text}"
    shown = Text(line, no_wrap=True, overflow="ellipsis")
    shown.truncate(width, overflow="ellipsis")
    return shown


def documents(found: Ledger) -> list[dict[str, Any]]:
    return [document(one) for one in found.entries]


def document(entry: Entry) -> dict[str, Any]:
    """Texts of the stream as what they hold; what is not known is null."""
    fields = {
        name: _typed(value) if name in _NUMBERS else value for name, value in entry.fields.items()
    }
    return {"id": entry.id, **fields}


def _typed(value: str) -> int | str | None:
    found = number(value)
    return None if not value else value if found is None else int(found)
