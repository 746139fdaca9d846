from __future__ import annotations

from typing import Any

from shared.store.ops_market import BookSeen
from shared.views.ladder import parts, quote

BOOK: dict[str, Any] = {
    "state": "live", "received_ts": 9_800, "seq": 12,
    "bids": [[9.99, 300, "ARCA"], [None, 0, None]], "asks": [[10.01, 200, "ARCA"]],
}  # fmt: skip


def seen(*trades: dict[str, Any], **changes: Any) -> BookSeen:
    fields: dict[str, Any] = {"merged": {**BOOK, "venues": ["ARCA"]}, "venues": {"ARCA": BOOK}}
    return BookSeen(10_000, trades=trades, last={"seq": "12"}, **{**fields, **changes})


def test_the_book_is_told_with_its_time_and_not_its_age() -> None:
    found = parts(seen(), {}, "SPY")["book"]
    assert (found["received_ms"], found["seq"], found["state"]) == (9_800, 12, "live")
    assert found["bids"] == ((9.99, 300.0, "ARCA"),)
    assert (found["mid"], found["spread"], found["spread_bps"]) == (10.0, 0.02, 20.0)


def test_a_missing_book_says_why() -> None:
    found = parts(seen(merged=None, venues={}), {}, "SPY")["book"]
    assert (found["state"], found["received_ms"], found["why"]) == (
        "none", None, "ibkr_depth does not run",
    )  # fmt: skip


def test_the_tape_is_newest_first_and_says_where_the_price_went() -> None:
    prices = [10.0, 9.9, 9.9, 10.1]
    trades = [{"seq": 4 - at, "ts": 1, "price": price} for at, price in enumerate(prices)]
    found = parts(seen(*trades), {}, "SPY")["tape"]
    assert [(one["seq"], one["price"], one["up"]) for one in found] == [
        (4, 10.0, True), (3, 9.9, None), (2, 9.9, False), (1, 10.1, None),
    ]  # fmt: skip


def test_a_quote_without_a_side_has_null_there() -> None:
    found = quote({"ask": "10.01", "ask_size": "200", "quote_ts": "9500", "quote_source": "tob"})
    assert (found["bid"], found["ask"], found["ask_size"]) == (None, 10.01, 200.0)
    assert (found["quote_ts"], found["quote_source"], found["spread_bps"]) == (9_500, "tob", None)
