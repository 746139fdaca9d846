from __future__ import annotations

from typing import Any

import pytest

from scripts.ops.coverage import picture
from shared.store.ops_reader import CoverageSeen
from shared.views.coverage import Slot, document, slots, view
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import NOW_MS

STARTED_MS = NOW_MS - 300_000


def turn(age_s: int, slot: int, symbol: str, event: str, venue: str = "ARCA") -> dict[str, str]:
    return {
        "ts": str(NOW_MS - age_s * 1000),
        "slot": str(slot),
        "symbol": symbol,
        "venue": venue,
        "event": event,
        "req_id": "11",
        "detail": "",
    }


def covered(share: float, subscriptions: int, age_ms: int = 20_000) -> dict[str, Any]:
    last_ms = NOW_MS - age_ms if share else 0
    return {
        "live_s": 300.0 * share,
        "session_s": 300.0,
        "share": share,
        "last_live_ts": last_ms,
        "subscriptions": subscriptions,
    }


def seen(**changes: Any) -> CoverageSeen:
    given: dict[str, Any] = {
        "now_ms": NOW_MS,
        "rows": {"SPY": covered(0.9974, 3), "QQQ": covered(0.25, 2), "IWM": covered(0.0, 1)},
        "rotation": (
            turn(290, 0, "QQQ", "subscribe", "NASDAQ"),
            turn(289, 0, "QQQ", "live", "NASDAQ"),
            turn(274, 0, "QQQ", "cancel", "NASDAQ"),
            turn(10, 0, "SPY", "subscribe"),
            turn(9, 0, "SPY", "live"),
            turn(2, 1, "IWM", "subscribe"),
        ),
        "started_ms": STARTED_MS,
        "refused": {"SPX:CBOE": {"code": 10092, "text": "Deep market data is not supported"}},
    }
    return CoverageSeen(**{**given, **changes})


def test_coverage_fits_narrow_and_wide_terminals() -> None:
    compare("coverage", picture, view(seen(), ("SPY", "QQQ", "IWM", "SPX", "TSLA")))


def test_the_ledger_tells_who_holds_which_slot() -> None:
    assert slots(seen()) == [
        Slot(0, "SPY", "ARCA", "live", NOW_MS - 9_000),
        Slot(1, "IWM", "ARCA", "subscribe", NOW_MS - 2_000),
    ]


@pytest.mark.parametrize("event", ["cancel", "refused"])
def test_a_slot_that_was_given_back_is_held_by_nobody(event: str) -> None:
    ended = (*seen().rotation, turn(1, 0, "SPY", event), turn(1, 1, "IWM", event))
    assert slots(seen(rotation=ended)) == []


def test_slots_of_an_earlier_process_are_gone() -> None:
    assert slots(seen(started_ms=NOW_MS - 5_000)) == [
        Slot(1, "IWM", "ARCA", "subscribe", NOW_MS - 2_000)
    ]


def test_entries_that_hold_something_else_are_passed_over() -> None:
    assert slots(seen(rotation=({}, turn(1, 0, "SPY", "cooldown"), {"event": "live"}))) == []


def test_a_slot_that_is_held_since_before_the_ledger_is_told_by_its_open_book() -> None:
    found = view(seen(rotation=(), live={"SPY": ("ARCA",)}), ["SPY"])
    assert (found.rows[0].live, found.rows[0].now) == (True, "live at ARCA")


def test_without_coverage_every_symbol_was_never_live() -> None:
    found = view(seen(rows={}, rotation=(), refused={}), ("SPY",))
    assert drawn(picture(found, 80), 80)[1].split() == ["SPY", "0%", "0.0s", "never", "0", "-"]
    assert drawn(picture(found, 80), 80)[-1] == "no slot is held"


def test_the_document_has_symbols_and_slots() -> None:
    found = document(view(seen(), ("SPY",)))
    assert [one.symbol for one in found["symbols"]] == ["SPY", "IWM", "QQQ"]
    assert found["slots"][0] == Slot(0, "SPY", "ARCA", "live", NOW_MS - 9_000)
