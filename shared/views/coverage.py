"""How much of the time depth was live, and who holds the slots. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.store.ops_reader import CoverageSeen
from shared.views.words import NOTHING, milliseconds, number, plain


@dataclass(frozen=True, slots=True)
class Slot:
    """Who has a depth slot; `state` is `subscribe` until its first row, then `live`."""

    slot: int
    symbol: str
    venue: str
    state: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class SymbolRow:
    symbol: str
    share: float = 0.0
    live_s: float = 0.0
    last_live_ms: int | None = None
    subscriptions: int = 0
    live: bool = False
    now: str = ""


@dataclass(frozen=True, slots=True)
class CoverageView:
    now_ms: int
    rows: tuple[SymbolRow, ...]
    slots: tuple[Slot, ...]


def slots(seen: CoverageSeen) -> list[Slot]:
    """As the rotation ledger tells; slots of an earlier process are gone."""
    held: dict[str, Slot] = {}
    for entry in seen.rotation:
        number_of, at_ms = entry.get("slot", ""), milliseconds(entry.get("ts")) or 0
        event = entry.get("event", "")
        if event in ("subscribe", "live") and number_of.isdigit():
            pair = entry.get("symbol", ""), entry.get("venue", "")
            held[number_of] = Slot(int(number_of), *pair, event, at_ms)
        elif event in ("cancel", "refused"):
            held.pop(number_of, None)
    found = (one for one in held.values() if one.since_ms >= seen.started_ms)
    return sorted(found, key=lambda one: one.slot)


def view(seen: CoverageSeen, symbols: Sequence[str]) -> CoverageView:
    held = slots(seen)
    names = dict.fromkeys((*symbols, *sorted(seen.rows)))
    rows = tuple(_row(seen, name, held) for name in names)
    return CoverageView(seen.now_ms, rows, tuple(held))


def _row(seen: CoverageSeen, symbol: str, held: Sequence[Slot]) -> SymbolRow:
    row = seen.rows.get(symbol, {})
    return SymbolRow(
        symbol,
        number(row.get("share")) or 0.0,
        number(row.get("live_s")) or 0.0,
        milliseconds(row.get("last_live_ts")),
        int(number(row.get("subscriptions")) or 0),
        symbol in seen.live or any(one.symbol == symbol and one.state == "live" for one in held),
        _now(seen, symbol, held),
    )


def _now(seen: CoverageSeen, symbol: str, held: Sequence[Slot]) -> str:
    mine = [f"slot {one.slot} {plain(one.venue)}" for one in held if one.symbol == symbol]
    refused = [pair for pair in seen.refused if pair.rpartition(":")[0] == symbol]
    if mine:
        return ", ".join(mine)
    if symbol in seen.live:
        # Held since before the part of the ledger that was read, as a pinned symbol is.
        return plain(f"live at {', '.join(seen.live[symbol])}")
    if refused:
        row = seen.refused[refused[0]]
        return f"refused ({row.get('code')}): {plain(row.get('text', ''))}"
    return "parked" if symbol in seen.rows else NOTHING


def document(found: CoverageView) -> dict[str, Any]:
    return {"symbols": found.rows, "slots": found.slots}
