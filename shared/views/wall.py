"""How fresh each symbol's surfaces are, side by side. Pure.

Ages are left to who looks: what is told are times, so that nothing changes while nothing comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.control.freshness import OWNERS, POLLED, FreshnessPolicy
from shared.market.observation import DepthSeen, Observation
from shared.views.words import milliseconds, number, plain

SURFACES: Final = tuple(OWNERS)


@dataclass(frozen=True, slots=True)
class Cell:
    """`state` is `ok`, `stale` (as the watchdog judges it), `refused`, or `absent`: not expected.

    `at_ms` is None where nothing has come yet; `budget_s` is how old it may be.
    """

    state: str
    at_ms: int | None = None
    budget_s: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`slot` names the venue whose depth is open now, empty for none; `cells` as `SURFACES`."""

    symbol: str
    slot: str
    slot_since_ms: int | None
    cells: tuple[Cell, ...]


def rows(
    seen: Observation,
    stale: Mapping[str, Mapping[str, Any]],
    policy: FreshnessPolicy,
    symbols: Sequence[str],
) -> list[Row]:
    """`stale` by `surface:symbol`, as the watchdog publishes it."""
    return [_row(seen, stale, policy, symbol) for symbol in symbols]


def _row(
    seen: Observation,
    stale: Mapping[str, Mapping[str, Any]],
    policy: FreshnessPolicy,
    symbol: str,
) -> Row:
    pairs = {venue: one for (name, venue), one in seen.depth.items() if name == symbol}
    held = {venue: one for venue, one in pairs.items() if one.slot_since_ms is not None}
    cells = {"depth": _depth(seen, policy, pairs), **_market(seen, policy, symbol)}
    cells |= {surface: _polled(seen, policy, surface, symbol) for surface in POLLED}
    shown = (
        _judged(cells[surface], stale.get(f"{surface}:{symbol}"), seen.now_ms)
        for surface in SURFACES
    )
    since_ms = max((one.slot_since_ms or 0 for one in held.values()), default=0)
    return Row(symbol, ", ".join(sorted(held)), since_ms or None, tuple(shown))


def _depth(seen: Observation, policy: FreshnessPolicy, pairs: Mapping[str, DepthSeen]) -> Cell:
    """A book that waits for its turn may be as old as a round of the rotation."""
    if not pairs:
        return Cell("absent", why="no depth is asked for")
    open_ = [one for one in pairs.values() if not one.refused]
    if not open_:
        return Cell("refused", why=f"no depth: {plain(_first(pairs).refused)}")
    at_ms = max(one.row_ms or 0 for one in open_) or None
    since_ms = max((one.slot_since_ms or 0 for one in open_), default=0)
    if since_ms:
        # A row of the turn before does not count against this one.
        waited_s = max(0, since_ms - (at_ms or since_ms)) / 1000
        return Cell("ok", at_ms, round(policy.depth_s + waited_s, 1), "holds a depth slot")
    budget_s = round(seen.rotation_window_s + policy.depth_s, 1)
    return Cell("ok", at_ms, budget_s, "parked, its turn comes")


def _first(pairs: Mapping[str, DepthSeen]) -> DepthSeen:
    return next(iter(pairs.values()))


def _market(seen: Observation, policy: FreshnessPolicy, symbol: str) -> dict[str, Cell]:
    surfaces: Iterable[tuple[str, Mapping[str, int], float]] = (
        ("quotes", seen.quotes, policy.quotes_s),
        ("trades", seen.trades, policy.trades_s),
        ("bars", seen.bars, policy.bars_s),
    )
    return {
        name: Cell("ok", times[symbol] or None, budget_s)
        if symbol in times
        else Cell("absent", why="not asked for")
        for name, times, budget_s in surfaces
    }


def _polled(seen: Observation, policy: FreshnessPolicy, surface: str, symbol: str) -> Cell:
    poll = seen.polls.get(surface, {}).get(symbol)
    if poll is None:
        return Cell("absent", why="not asked for")
    slower = 1.0 if seen.session.state == "regular" else policy.slowdown
    said = "" if poll.status == "ok" else plain(f"{poll.status} {poll.text}".strip())
    return Cell("ok", poll.fetched_ms or None, policy.polled_s(surface) * slower, said)


def _judged(cell: Cell, found: Mapping[str, Any] | None, now_ms: int) -> Cell:
    """With what the watchdog says of it: it knows the rhythm of each symbol."""
    if found is None:
        return cell
    budget_s, age_s = number(found.get("budget_s")), number(found.get("age_s"))
    at_ms = cell.at_ms
    if at_ms is None and age_s is not None and milliseconds(found.get("since_ts")):
        at_ms = round(now_ms - age_s * 1000)
    return Cell("stale", at_ms, budget_s or cell.budget_s, plain(found.get("reason", "")))
