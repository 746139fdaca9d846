from __future__ import annotations

from typing import Any

import pytest

from scripts.ops.budget_table import picture
from shared.store.ops_reader import BudgetSeen
from shared.views.budget import BudgetView, document, view
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import NOW_MS

WORKERS = ("av_options", "av_sentiment")
BUCKET: dict[str, Any] = {
    "tokens": 3,
    "granted": 1_202,
    "waited": 157,
    "waited_ms": 11_920,
    "refused": 4,
    "cooldown_left_s": 0.0,
    "cooldown_reason": "",
    "calls_per_min": 600,
    "budget_per_min": 590,
    "calls_per_s": 20,
}
FIGURES: dict[str, dict[str, Any]] = {
    "av_options": {
        "ts": NOW_MS - 7_700,
        "requests": 691,
        "requests_by_type": {"options": 691},
        "answers": {"rate_limit": 2, "data": 688, "transport": 1},
        "failures": 3,
        "in_flight": 1,
        "overdue_s": 12.5,
        "fetch_ms_p99": 178.2,
    }
}
BREAKERS: dict[str, dict[str, dict[str, Any]]] = {
    "av_options": {
        "SPY:options": {
            "state": "open",
            "failures": 3,
            "until_ts": NOW_MS + 25_000,
            "reason": "the answer is no chain: rows was a text, must be a list",
        }
    },
    "av_sentiment": {
        "*:RSI": {"state": "half_open", "failures": 1, "until_ts": NOW_MS - 10, "reason": "plan"},
        "AAPL:sentiment": {"state": "closed", "failures": 2, "until_ts": 0, "reason": "HTTP 500"},
    },
}


def shown(**changes: Any) -> BudgetView:
    given = {"now_ms": NOW_MS, "bucket": BUCKET, "figures": FIGURES, "breakers": BREAKERS}
    return view(BudgetSeen(**{**given, **changes}), WORKERS, 5)


def test_the_budget_fits_narrow_and_wide_terminals() -> None:
    compare("budget", picture, shown())


def test_a_cooldown_says_how_long_and_why() -> None:
    cooling = {**BUCKET, "cooldown_left_s": 1_830.0, "cooldown_reason": "the day's calls are used"}
    lines = drawn(picture(shown(bucket=cooling), 80), 80)
    assert lines[3] == "cooldown  30m30s left: the day's calls are used"
    assert drawn(picture(shown(), 80), 80)[3] == "cooldown  none"


def test_without_a_key_there_is_no_budget() -> None:
    lines = drawn(picture(shown(bucket=None, figures={}, breakers={}), 80), 80)
    assert lines[0] == "no budget: ALPHA_VANTAGE_API_KEY is missing"
    assert lines[-1] == "nothing is suspended"


def test_the_document_has_countdowns_in_seconds() -> None:
    found = document(shown())
    assert [(one.name, one.left_s) for one in found["circuits"]] == [
        ("SPY:options", 25.0),
        ("*:RSI", 0.0),
        ("AAPL:sentiment", 0.0),
    ]
    assert found["calls"][0].answers == {"data": 688, "rate_limit": 2, "transport": 1}
    assert found["calls"][0].types == {"options": 691}
    assert found["calls"][1].requests is None
    assert found["calls"][1].types == {}


@pytest.mark.parametrize("told", [None, "text", [691], 691])
def test_what_is_no_map_of_counts_says_nothing(told: Any) -> None:
    figures = {"av_options": {**FIGURES["av_options"], "requests_by_type": told, "answers": told}}
    calls = shown(figures=figures).calls[0]
    assert (calls.requests, calls.types, calls.answers) == (691, {}, {})
