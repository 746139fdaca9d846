"""Moments in which nothing moves: what is published must equal what the simulators show."""

from __future__ import annotations

from typing import Any, Final

import orjson

from tests.oracle.evidence import Findings, State, level
from tests.oracle.mirror import EMPTY
from tests.oracle.rig import Rig

__all__ = ["check_books", "is_sound", "pause_market", "true_state"]

_SETTLE_S: Final = 8.0
_ROWS: Final = 10


def pause_market(rig: Rig, on: bool) -> None:
    rig.gateway.call("pause" if on else "resume")


def check_books(rig: Rig, findings: Findings) -> None:
    """With the market paused: what every pair with a slot shows, also once it is parked."""
    truth = _truth(rig)
    wrong: list[str] = []

    def right() -> bool:
        wrong[:] = [text for symbol, books in truth.items() for text in _wrong(rig, symbol, books)]
        return not wrong

    if rig.wait(right, _SETTLE_S) is None:
        for text in wrong:
            findings.violation("books at quiet points", text)
    findings.count("quiet points")
    findings.count("books compared", sum(len(books) for books in truth.values()))


def _truth(rig: Rig) -> dict[str, dict[str, State]]:
    """By symbol and venue, the books of requests that have seen them in full."""
    truth: dict[str, dict[str, State]] = {}
    records = rig.gateway_stats()["subscriptions"]
    pairs = {(r["symbol"], r["venue"]) for r in records if r["state"] == "live" and r["rows"]}
    for symbol, venue in sorted(pairs):
        book = rig.gateway.call("book", symbol=symbol, venue=venue)
        if any(shown["in_sync"] for shown in book["subscriptions"]):
            state = true_state(book, venue)
            # A fault may have left it unsorted or crossed: such a book must not be published.
            if is_sound(state):
                truth.setdefault(symbol, {})[venue] = state
    return truth


def _wrong(rig: Rig, symbol: str, books: dict[str, State]) -> list[str]:
    wrong: list[str] = []
    for venue, expected in books.items():
        found = _stored(rig, f"market:{symbol}:{venue}:book")[0]
        if found != expected:
            wrong.append(f"{symbol} {venue}: was {_top(found)}, must be {_top(expected)}")
    merged, venues = _stored(rig, f"market:{symbol}:book")
    if venues and set(venues) <= books.keys():
        expected = _merged([books[venue] for venue in venues])
        if merged != expected:
            wrong.append(f"{symbol} merged: was {_top(merged)}, must be {_top(expected)}")
    return wrong


def is_sound(state: State) -> bool:
    """Each side best first, and the best bid below the best ask."""
    bids, asks = ([row[0] for row in side if row[0] is not None] for side in state)
    crossed = bool(bids and asks) and bids[0] >= asks[0]
    return bids == sorted(bids, reverse=True) and asks == sorted(asks) and not crossed


def true_state(book: dict[str, Any], venue: str) -> State:
    sides = []
    for name in ("bids", "asks"):
        rows = [level([price, size, maker or venue]) for price, size, maker in book[name][:_ROWS]]
        sides.append((*rows, *EMPTY[0][len(rows) :]))
    return sides[0], sides[1]


def _stored(rig: Rig, key: str) -> tuple[State | None, list[str]]:
    """The sides, and the venues where it is a merged book."""
    value: Any = rig.client.get(key)
    if value is None:
        return None, []
    book = orjson.loads(value)
    sides = tuple(map(level, book["bids"])), tuple(map(level, book["asks"]))
    return sides, book.get("venues", [])


def _merged(states: list[State]) -> State:
    """By price, then size; one venue's rows stay in its own order."""
    if len(states) == 1:
        return states[0]
    sides = []
    for at, sign in ((0, -1), (1, 1)):
        rows = [row for state in states for row in state[at] if row[0] is not None]
        rows.sort(key=lambda row: (sign * (row[0] or 0), -row[1]))
        sides.append((*rows[:_ROWS], *EMPTY[0][len(rows) :]))
    return sides[0], sides[1]


def _top(state: State | None) -> str:
    if state is None:
        return "none"
    return f"{state[0][:2]} / {state[1][:2]}"
