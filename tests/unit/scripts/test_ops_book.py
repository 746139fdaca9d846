from __future__ import annotations

from typing import Any

import pytest

from scripts.ops.book_table import heading, picture, quoted
from shared.store.ops_market import BookSeen
from shared.views.book import BookView, document, view
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import NOW_MS, beat

EMPTY = [None, 0, None]


def side(best: float, step: float, maker: str = "ARCA") -> list[list[Any]]:
    return [[round(best + step * n, 2), 100 * (n + 1) ** 2, maker] for n in range(10)]


def book(state: str = "live", age_ms: int = 100, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": "SPY",
        "venue": "ARCA",
        "ts": NOW_MS - age_ms,
        "received_ts": NOW_MS - age_ms,
        "seq": 4711,
        "bids": side(585.15, -0.01),
        "asks": side(585.16, 0.01),
        "state": state,
        **changes,
    }


def merged(*venues: str) -> dict[str, Any]:
    found = book(venues=list(venues), crossed=False)
    return {name: found[name] for name in found if name not in ("venue", "seq", "state")}


def trade(age_ms: int, **changes: Any) -> dict[str, Any]:
    return {
        "ts": NOW_MS - age_ms,
        "received_ts": NOW_MS - age_ms,
        "price": 585.16,
        "size": 100,
        "venue": "EDGEA",
        "feed": "tbt",
        "conditions": "F I",
        "seq": 73,
        **changes,
    }


TRADES = (
    trade(300),
    trade(1_000, price=585.1777, size=12_400.0),
    trade(2_123, venue=None, feed="rtvolume", conditions=None),
)


def seen(**changes: Any) -> BookSeen:
    given: dict[str, Any] = {
        "now_ms": NOW_MS,
        "merged": merged("ARCA", "NASDAQ"),
        "venues": {"ARCA": book(), "NASDAQ": book()},
        "last": {"seq": "4720", "venue": "ARCA"},
        "trades": TRADES,
        "beat": beat("ibkr_depth"),
    }
    return BookSeen(**{**given, **changes})


def parked(venue: str = "") -> BookView:
    thin = book("parked", 37_000, asks=[[585.2, 250_000, "VIRT"], *[EMPTY] * 9])
    return view(seen(venues={"ARCA": thin}, trades=()), "SPY", venue)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("book_live", view(seen(), "SPY", "")), ("book_parked", parked("ARCA"))],
)
def test_a_book_fits_narrow_and_wide_terminals(name: str, shown: BookView) -> None:
    compare(name, picture, shown)


def test_without_a_venue_the_live_books_are_shown_merged() -> None:
    found = view(seen(), "SPY", "")
    assert (found.venue, found.state, found.venues, found.seq) == (
        "", "live", ("ARCA", "NASDAQ"), 4720,
    )  # fmt: skip
    assert heading(found) == "SPY live at ARCA, NASDAQ, seq 4720, age 0.1s"


def test_a_venue_that_was_asked_for_has_its_own_book() -> None:
    found = view(seen(), "SPY", "ARCA")
    assert heading(found) == "SPY@ARCA live, seq 4711, age 0.1s"


def test_where_no_book_is_live_the_last_known_is_shown() -> None:
    assert heading(parked()) == "SPY@ARCA parked, the last known book, seq 4711, age 37s"
    older = {"ARCA": book("parked", 90_000), "NASDAQ": book("reset", 40_000)}
    assert heading(view(seen(venues=older), "SPY", "")) == "SPY@NASDAQ reset, seq 4711, age 40s"


def test_a_merged_book_alone_is_better_than_none() -> None:
    found = view(seen(venues={}), "SPY", "")
    assert heading(found) == "SPY parked at ARCA, NASDAQ, the last known book, seq 4720, age 0.1s"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"refused": {"ARCA": {"code": 354, "text": "not\nsubscribed"}}},
         "depth is refused at ARCA (354): not subscribed"),
        ({"beat": None}, "ibkr_depth does not run"),
        ({"beat": beat("ibkr_depth", state="stopped")}, "ibkr_depth does not run"),
        ({"beat": beat("ibkr_depth", connected=False)}, "ibkr_depth is not connected"),
        ({}, "it had no depth yet, its turn comes"),
    ],
)  # fmt: skip
def test_a_missing_book_says_what_is_known_of_why(changes: dict[str, Any], why: str) -> None:
    found = view(seen(merged=None, venues={}, **changes), "SPY", "")
    assert heading(found) == f"SPY: no book, {why}"
    assert quoted(found) == "no levels"
    assert drawn(picture(found, 80), 80)[0] == f"SPY: no book, {why}"


def test_a_book_of_one_side_has_no_spread() -> None:
    found = view(seen(venues={"ARCA": book(asks=[EMPTY] * 10)}), "SPY", "ARCA")
    assert quoted(found) == "one-sided, no spread"
    assert document(found)["spread_bps"] is None


def test_a_crossed_book_says_so() -> None:
    crossed = book(asks=side(585.14, 0.01))
    assert quoted(view(seen(venues={"ARCA": crossed}), "SPY", "ARCA")) == (
        "mid 585.145, spread -0.01 (-0.17 bps), crossed"
    )


def test_levels_that_are_none_are_left_out() -> None:
    odd = book(bids=[EMPTY, ["x", 1, "A"], [585.0], None, [585.0, 7, "ARCA"]], asks="no side")
    found = view(seen(venues={"ARCA": odd}), "SPY", "ARCA")
    assert (found.bids, found.asks) == (((585.0, 7.0, "ARCA"),), ())


def test_prices_of_six_figures_do_not_wrap() -> None:
    dear = book(bids=side(712_345.15, -0.01), asks=side(712_345.25, 0.01))
    trades = tuple(trade(100, price=712_345.2) for _ in range(10))
    lines = drawn(picture(view(seen(venues={"ARCA": dear}, trades=trades), "SPY", "ARCA"), 80), 80)
    assert len(lines) == 14
    assert max(map(len, lines)) <= 80


def test_the_document_has_every_number_of_the_picture() -> None:
    found = document(view(seen(), "SPY", "ARCA"))
    assert (found["bid"], found["ask"], found["mid"], found["spread"], found["spread_bps"]) == (
        585.15, 585.16, 585.155, 0.01, 0.1709,
    )  # fmt: skip
    assert (found["seq"], found["age_s"], found["state"], found["reason"]) == (
        4711, 0.1, "live", None,
    )  # fmt: skip
    assert (len(found["bids"]), len(found["trades"])) == (10, 3)
