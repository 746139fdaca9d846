"""Moments in which nothing moves: what is published must equal what the simulators show."""

from __future__ import annotations

from typing import Any, Final

import orjson

from tests.oracle.evidence import Findings, State, level
from tests.oracle.mirror import EMPTY
from tests.oracle.plan import SYMBOLS
from tests.oracle.rig import Rig

__all__ = ["check_books", "check_chains", "freeze_vendor", "pause_market"]

_SETTLE_S: Final = 8.0
_CHAIN_S: Final = 15.0
_ROWS: Final = 10
_COMPARED: Final = (
    "strike", "type", "expiration", "bid", "bid_size", "ask", "ask_size", "volume", "open_interest",
)  # fmt: skip


def pause_market(rig: Rig, on: bool) -> None:
    rig.gateway.call("pause" if on else "resume")


def freeze_vendor(rig: Rig, on: bool) -> None:
    rig.vendor.call("freeze" if on else "thaw")
    rig.vendor.call("moving", share=0.0 if on else 0.3)


def check_books(rig: Rig, findings: Findings) -> None:
    """With the market paused: every live book, and the merged ones."""
    wrong: list[str] = []

    def right() -> bool:
        wrong[:] = [text for symbol in SYMBOLS for text in _wrong_books(rig, symbol)]
        return not wrong

    if rig.wait(right, _SETTLE_S) is None:
        for text in wrong:
            findings.violation("books at quiet points", text)
    findings.count("quiet points")


def _wrong_books(rig: Rig, symbol: str) -> list[str]:
    records = rig.gateway_stats()["subscriptions"]
    shown = [r for r in records if r["symbol"] == symbol and r["state"] == "live" and r["rows"]]
    wrong: list[str] = []
    sides: list[State] = []
    for venue in sorted({record["venue"] for record in shown}):
        true = rig.gateway.call("book", symbol=symbol, venue=venue)
        if not any(s["in_sync"] for s in true["subscriptions"]):
            continue
        expected = _true_state(true, venue)
        sides.append(expected)
        found = _stored(rig, f"market:{symbol}:{venue}:book")
        if found != expected:
            wrong.append(f"{symbol} {venue}: was {_top(found)}, must be {_top(expected)}")
    if sides and len(sides) == len(shown):
        expected = _merged(sides)
        found = _stored(rig, f"market:{symbol}:book")
        if found != expected:
            wrong.append(f"{symbol} merged: was {_top(found)}, must be {_top(expected)}")
    return wrong


def _true_state(book: dict[str, Any], venue: str) -> State:
    sides = []
    for name in ("bids", "asks"):
        rows = [level([price, size, maker or venue]) for price, size, maker in book[name][:_ROWS]]
        sides.append((*rows, *EMPTY[0][len(rows) :]))
    return sides[0], sides[1]


def _stored(rig: Rig, key: str) -> State | None:
    value: Any = rig.client.get(key)
    if value is None:
        return None
    book = orjson.loads(value)
    if book.get("state", "live") != "live":
        return None
    return tuple(map(level, book["bids"])), tuple(map(level, book["asks"]))


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


def check_chains(rig: Rig, findings: Findings) -> None:
    """With the vendor's data standing still."""
    wrong: list[str] = []

    def right() -> bool:
        wrong[:] = [text for symbol in SYMBOLS for text in _wrong_chain(rig, symbol)]
        return not wrong

    if rig.wait(right, _CHAIN_S) is None:
        for text in wrong:
            findings.violation("chains as sent", text)
    findings.count("chains compared", len(SYMBOLS))


def _wrong_chain(rig: Rig, symbol: str) -> list[str]:
    sent = {row["contract_id"]: row for row in rig.vendor.call("chain", symbol=symbol)["rows"]}
    value: Any = rig.client.get(f"options:{symbol}:chain")
    stored = orjson.loads(value)["by_contract"] if value else {}
    if stored.keys() != sent.keys():
        return [f"{symbol}: {len(stored)} contracts, must be {len(sent)}"]
    return [
        f"{name} {field}: was {row[field]}, must be {sent[name][field]}"
        for name, row in stored.items()
        for field in _COMPARED
        if (row[field] or None) != (sent[name][field] or None)
    ][:3]
