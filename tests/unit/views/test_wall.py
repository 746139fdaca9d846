from __future__ import annotations

from typing import Any, Final

from shared.control.freshness import FreshnessPolicy
from shared.market.observation import DepthSeen, Observation, PollSeen
from shared.market.session import Session
from shared.views.wall import SURFACES, Cell, Row, rows

NOW: Final = 1_000_000
POLICY: Final = FreshnessPolicy(15, 30, 120, 20, 60, 900, 300, 6, slowdown=6.0)
OPEN: Final = Session("XNYS", "2026-11-27", "regular", 1, 2, 3, False, True)
SHUT: Final = Session("XNYS", "2026-11-27", "closed", None, None, 3, False, True)


def seen(session: Session = OPEN, **changes: Any) -> Observation:
    fields: dict[str, Any] = {
        "depth": {("SPY", "ARCA"): DepthSeen(NOW - 200, NOW - 5_000)},
        "quotes": {"SPY": NOW - 300},
        "trades": {"SPY": NOW - 400},
        "bars": {"SPY": NOW - 1_000},
        "polls": {"options": {"SPY": PollSeen(NOW - 7_000)}},
        "rotation_window_s": 64.0,
    }
    return Observation(now_ms=NOW, session=session, **{**fields, **changes})


def row(found: Observation, stale: dict[str, dict[str, Any]] | None = None) -> Row:
    [one] = rows(found, stale or {}, POLICY, ["SPY"])
    return one


def cell(found: Row, surface: str) -> Cell:
    return found.cells[SURFACES.index(surface)]


def test_a_symbol_with_a_slot_is_held_to_the_budget_of_a_live_book() -> None:
    found = row(seen())
    assert (found.slot, found.slot_since_ms) == ("ARCA", NOW - 5_000)
    assert cell(found, "depth") == Cell("ok", NOW - 200, 15, "holds a depth slot")


def test_a_row_of_the_turn_before_does_not_count_against_this_one() -> None:
    found = row(seen(depth={("SPY", "ARCA"): DepthSeen(NOW - 82_000, NOW - 4_000)}))
    assert cell(found, "depth") == Cell("ok", NOW - 82_000, 93.0, "holds a depth slot")


def test_a_parked_book_may_be_as_old_as_a_round_of_the_rotation() -> None:
    found = row(seen(depth={("SPY", "ARCA"): DepthSeen(NOW - 40_000, None)}))
    assert (found.slot, found.slot_since_ms) == ("", None)
    assert cell(found, "depth") == Cell("ok", NOW - 40_000, 79.0, "parked, its turn comes")


def test_depth_that_is_refused_everywhere_says_why() -> None:
    refused = DepthSeen(None, None, "354: not subscribed")
    found = row(seen(depth={("SPY", "ARCA"): refused}))
    assert cell(found, "depth") == Cell("refused", why="no depth: 354: not subscribed")


def test_a_venue_that_is_refused_does_not_hide_one_that_is_not() -> None:
    pairs = {
        ("SPY", "ARCA"): DepthSeen(None, None, "354"),
        ("SPY", "BATS"): DepthSeen(NOW - 900, NOW - 1_000),
    }
    assert cell(row(seen(depth=pairs)), "depth").at_ms == NOW - 900


def test_what_nobody_asks_for_is_absent() -> None:
    found = row(seen(depth={}))
    assert cell(found, "depth") == Cell("absent", why="no depth is asked for")
    assert cell(found, "sentiment") == Cell("absent", why="not asked for")


def test_what_has_not_come_yet_has_no_time() -> None:
    assert cell(row(seen(trades={"SPY": 0})), "trades") == Cell("ok", None, 120)


def test_polls_may_be_older_while_the_market_is_closed() -> None:
    assert cell(row(seen()), "options") == Cell("ok", NOW - 7_000, 60.0)
    assert cell(row(seen(session=SHUT)), "options") == Cell("ok", NOW - 7_000, 360.0)


def test_a_poll_that_went_wrong_says_so() -> None:
    polls = {"options": {"SPY": PollSeen(NOW - 7_000, "suspended", "503 three times")}}
    assert cell(row(seen(polls=polls)), "options").why == "suspended 503 three times"


def test_the_watchdog_decides_what_is_stale() -> None:
    told = {"quotes:SPY": {"age_s": 55.0, "budget_s": 30.0, "since_ts": 1, "reason": "mute"}}
    assert cell(row(seen(), told), "quotes") == Cell("stale", NOW - 300, 30.0, "mute")


def test_stale_data_that_never_came_is_as_old_as_the_watchdog_says() -> None:
    told = {"trades:SPY": {"age_s": 50.0, "budget_s": 30.0, "since_ts": 1, "reason": "mute"}}
    found = row(seen(trades={"SPY": 0}), told)
    assert cell(found, "trades") == Cell("stale", NOW - 50_000, 30.0, "mute")
