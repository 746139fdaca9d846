"""tickvisor coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask
from scripts.ops.fit import Column, table
from scripts.ops.options import AsJson
from scripts.ops.screen import Picture
from scripts.ops.words import NOTHING, age, age_of, bar, milliseconds, number, plain, plural
from shared.store.ops_reader import CoverageSeen, OpsReader

COLUMNS: Final = (
    Column("symbol"),
    Column("live", right=True),
    Column("share"),
    Column("for", right=True, drop=2),
    Column("last live", right=True),
    Column("subscriptions", right=True, drop=1),
    Column("now", least=36),
)
_BAR: Final = 14
_WIDE_BAR: Final = 60
_WIDE: Final = 120


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
        any(one.symbol == symbol and one.state == "live" for one in held),
        _now(seen, symbol, held),
    )


def _now(seen: CoverageSeen, symbol: str, held: Sequence[Slot]) -> str:
    mine = [f"slot {one.slot} {plain(one.venue)}" for one in held if one.symbol == symbol]
    refused = [pair for pair in seen.refused if pair.rpartition(":")[0] == symbol]
    if mine:
        return ", ".join(mine)
    if refused:
        row = seen.refused[refused[0]]
        return f"refused ({row.get('code')}): {plain(row.get('text', ''))}"
    return "parked" if symbol in seen.rows else NOTHING


def picture(found: CoverageView, width: int) -> RenderableType:
    wide = _WIDE_BAR if width >= _WIDE else _BAR
    rows = [
        [
            one.symbol,
            f"{one.share:.0%}",
            bar(one.share, wide),
            age(one.live_s),
            _ago(one, found.now_ms),
            str(one.subscriptions),
            one.now,
        ]
        for one in found.rows
    ]
    return Group(table(COLUMNS, rows, width), Text(), *_said(found))


def _ago(one: SymbolRow, now_ms: int) -> str:
    if one.live:
        return "now"
    return age(age_of(one.last_live_ms, now_ms)) if one.last_live_ms else "never"


def _said(found: CoverageView) -> Iterator[Text]:
    if not found.slots:
        yield Text("no slot is held")
        return
    yield Text(f"{plural(len(found.slots), 'slot')} held:")
    for one in found.slots:
        since = age(age_of(one.since_ms, found.now_ms))
        waits = "" if one.state == "live" else ", no row yet"
        yield Text(f"  {one.slot}  {plain(one.symbol)}@{plain(one.venue)} for {since}{waits}")


def document(found: CoverageView) -> dict[str, Any]:
    return {"symbols": found.rows, "slots": found.slots}


def coverage(as_json: AsJson = False) -> None:
    """Show how much of the time each symbol's book was live, and who holds the depth slots now.

    Shares count from the start of ibkr_depth.
    """
    settings = settings_or_exit(PROGRAM)
    seen = ask(settings, lambda store, keys: OpsReader(store, keys).coverage())
    found = view(seen, settings.depth_symbols())
    Picture(picture, document, as_json).show(found)
