"""How old the data of each symbol is against its budget, and what was counted of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Final

from shared.exporter.reasons import reason_of
from shared.exporter.sheet import Sheet
from shared.market.observation import Observation
from shared.store.export_reader import GAP_FEEDS, LOST, SEVERAL, Exported
from shared.views.status import Expected, unchecked
from shared.views.wall import SURFACES, Cell, Row
from shared.views.words import age_of

_NUMBERS: Final = {"trades": "trades_total", "bars": "bar_writes_total"}
_COVERAGE: Final = {
    "live_s": "depth_live_seconds_total",
    "share": "depth_coverage_ratio",
    "subscriptions": "depth_subscribed_total",
}


def tell(sheet: Sheet, seen: Exported, rows: Iterable[Row], expected: Expected) -> None:
    """`rows` as the wall of the dashboard shows them, of every symbol of the universe."""
    shown = list(rows)
    # Nobody knows what is stale where nobody looks.
    checked = not unchecked(seen.stale, seen.now_ms, expected.check_late_s)
    for row in shown:
        for feed, cell in zip(SURFACES, row.cells, strict=True):
            if cell.state not in ("absent", "refused"):
                _tell_cell(sheet, seen, (feed, row.symbol), cell, checked)
        _tell_symbol(sheet, seen, row.symbol)
    _tell_refused(sheet, seen, {row.symbol for row in shown})
    _tell_gaps(sheet, seen, [row.symbol for row in shown])
    for (worker, kind), count in seen.incidents.items():
        sheet.put("incidents_total", count, worker, kind)


def _tell_cell(
    sheet: Sheet, seen: Exported, surface: tuple[str, str], cell: Cell, checked: bool
) -> None:
    sheet.put("feed_age_seconds", age_of(cell.at_ms, seen.now_ms), *surface)
    sheet.put("feed_budget_seconds", cell.budget_s, *surface)
    if not checked:
        return
    found = seen.stale.rows.get(":".join(surface))
    sheet.put("feed_stale", found is not None, *surface)
    if found is not None:
        sheet.put("feed_stale_reason", 1, *surface, reason_of(str(found.get("reason", ""))))


def _tell_symbol(sheet: Sheet, seen: Exported, symbol: str) -> None:
    for kind, name in _NUMBERS.items():
        sheet.put(name, seen.numbers.get(f"{kind}:{symbol}"), symbol)
    if symbol in seen.updates:
        sheet.put("depth_updates_total", seen.updates[symbol], symbol)
        sheet.put("depth_live", symbol in seen.live, symbol)
    sheet.put_all(seen.coverage.get(symbol, {}), _COVERAGE, symbol)


def tell_venues(sheet: Sheet, observed: Observation) -> None:
    """Each book of a symbol's own; one that was refused is none."""
    for (symbol, venue), seen in observed.depth.items():
        if seen.refused or not _is_venue(venue):
            continue
        age_s = age_of(seen.row_ms, observed.now_ms)
        sheet.put("depth_venue_age_seconds", age_s, symbol, venue)
        sheet.put("depth_venue_slot", seen.slot_since_ms is not None, symbol, venue)


def _tell_refused(sheet: Sheet, seen: Exported, symbols: set[str]) -> None:
    for pair in seen.refused:
        symbol, _, venue = pair.rpartition(":")
        if symbol in symbols and _is_venue(venue):
            sheet.put("depth_refused", 1, symbol, venue)


def _is_venue(text: str) -> bool:
    return 0 < len(text) <= 16 and text.isascii() and text.replace("_", "").isalnum()


def _tell_gaps(sheet: Sheet, seen: Exported, symbols: Iterable[str]) -> None:
    """From zero on: of a counter that begins with its first loss no rate would see that loss."""
    entries = dict.fromkeys(product(GAP_FEEDS, LOST), 0)
    items = dict.fromkeys(product(GAP_FEEDS, (*symbols, SEVERAL)), 0)
    for (feed, symbol, lost), count in seen.gaps.items():
        entries[feed, lost] = entries.get((feed, lost), 0) + count
        lost_items = seen.lost.get((feed, symbol, lost), 0)
        items[feed, symbol] = items.get((feed, symbol), 0) + lost_items
    for (feed, lost), count in entries.items():
        sheet.put("gaps_total", count, feed, lost)
    for (feed, symbol), count in items.items():
        sheet.put("gap_items_total", count, feed, symbol)
