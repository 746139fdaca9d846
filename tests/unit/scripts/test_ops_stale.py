from __future__ import annotations

import pytest

from scripts.ops.stale import StaleView, document, picture, view
from shared.store.ops_reader import StaleSeen
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import NOW_MS

ROWS = {
    "trades:SPY": {
        "age_s": 151.2,
        "budget_s": 120.0,
        "since_ts": NOW_MS - 31_200,
        "reason": "mute: connected, and nothing comes",
    },
    "heartbeat:av_sentiment": {
        "age_s": 4_000.0,
        "budget_s": 6.0,
        "since_ts": NOW_MS - 3_994_000,
        "reason": "no heartbeat",
    },
    "options:AAPL": {
        "age_s": 75.0,
        "budget_s": 60.0,
        "since_ts": NOW_MS - 15_000,
        "reason": "suspended: 3 failures in a row, the newest: the vendor's answer is no chain",
    },
}


def looked(rows: dict[str, dict[str, object]], checked_ms: int | None) -> StaleView:
    return view(StaleSeen(rows, checked_ms), NOW_MS, 7.0)


def test_what_is_stale_fits_narrow_and_wide_terminals() -> None:
    compare("stale", picture, looked(ROWS, NOW_MS - 400))


def test_nothing_stale_says_when_it_was_checked() -> None:
    found = looked({}, NOW_MS - 400)
    assert found.ok
    assert drawn(picture(found, 80), 80) == ["nothing is stale, checked 0.4 s ago"]


@pytest.mark.parametrize(
    ("checked_ms", "said"),
    [
        (None, "nobody checks: the watchdog does not run"),
        (NOW_MS - 45_000, "nobody checks: the watchdog last looked 45s ago"),
    ],
)
def test_nothing_stale_is_worth_nothing_when_nobody_checks(
    checked_ms: int | None, said: str
) -> None:
    found = looked({}, checked_ms)
    assert not found.ok
    assert drawn(picture(found, 80), 80) == [said]


def test_a_watchdog_that_was_stopped_a_moment_ago_checks_no_more() -> None:
    found = view(StaleSeen({}, NOW_MS - 400, stopped=True), NOW_MS, 7.0)
    assert found.fault == "nobody checks: the watchdog does not run"


def test_what_was_stale_when_somebody_looked_last_is_shown_with_that() -> None:
    found = looked({"trades:SPY": ROWS["trades:SPY"]}, NOW_MS - 45_000)
    assert drawn(picture(found, 80), 80)[0] == "nobody checks: the watchdog last looked 45s ago"


def test_a_row_that_holds_something_else_is_shown_all_the_same() -> None:
    found = looked({"trades:SPY": {"age_s": "x"}}, NOW_MS)
    assert drawn(picture(found, 80), 80)[1].split() == ["trades:SPY", "-", "-"]


def test_the_document_says_who_is_stale_and_whether_anybody_looked() -> None:
    assert document(looked({}, None)) == {
        "ok": False,
        "checked_age_s": None,
        "fault": "nobody checks: the watchdog does not run",
        "stale": {},
    }
    assert document(looked(ROWS, NOW_MS - 500))["checked_age_s"] == 0.5
