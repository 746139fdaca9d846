"""A venue that left, parked or reset: the symbol's quote goes on without it, in that flush."""

from __future__ import annotations

import json
from typing import Final

from shared.market.depth import BookState, DepthUpdate, Pair
from shared.store.depth import DepthWriter
from tests.unit.store.depth_flushes import changed, encode, numbered, on, sent, ticker, writer
from tests.unit.store.updates import EMPTY, side, update

BATS: Final = Pair("SPY", "BATS")
OF_ARCA: Final = ["bid", "100.0", "bid_size", "300", "bid_venue", "ARCA"]
OF_BATS: Final = ["bid", "100.01", "bid_size", "500", "bid_venue", "BATS"]


def quoted() -> DepthWriter:
    """ARCA bids 100.0 and BATS 100.01, in rows of 1001 and 1002; it is 5000."""
    found = writer()
    numbered(found, 2)
    sent(found, update(1), changed(2, venue="BATS", bids=side((100.01, 500, "BATS"))))
    return found


def reset(seq: int, venue: str = "BATS") -> DepthUpdate:
    """Received at 1000 + `seq`."""
    return changed(seq, venue=venue, state=BookState.RESET, bids=EMPTY, asks=EMPTY)


def bid(lines: list[list[str]]) -> list[str]:
    return ticker(lines)[13:19]


def times(lines: list[list[str]]) -> list[str]:
    """As of when the quote holds, when it was received, and now."""
    return ticker(lines)[8:11]


def venues(lines: list[list[str]]) -> list[str]:
    [book] = on(lines, "market:SPY:book")
    return list(json.loads(book[2])["venues"])


def test_while_no_venue_leaves_the_best_of_all_is_quoted_as_of_the_newest_row() -> None:
    found = quoted()
    found.repeat(["SPY"])
    lines = sent(found)
    assert (bid(lines), times(lines)) == (OF_BATS, ["1002", "1002", "5000"])


# Parked


def test_a_parked_venue_is_out_of_the_quote_of_the_flush_that_parks_it() -> None:
    found = quoted()
    found.park(BATS)
    assert bid(sent(found)) == OF_ARCA


def test_a_parked_venue_is_out_of_the_merged_book_of_the_flush_that_parks_it() -> None:
    found = quoted()
    found.park(BATS)
    assert venues(sent(found)) == ["ARCA"]


def test_a_quote_that_a_parked_venue_left_holds_from_when_it_was_parked() -> None:
    found = quoted()
    found.park(BATS)
    assert times(sent(found)) == ["5000", "5000", "5000"]


def test_a_quote_said_to_hold_lately_is_said_anew_when_a_venue_is_parked() -> None:
    found = quoted()
    found.quoting({"SPY": ["ARCA", "BATS"]})
    assert times(sent(found)) == ["5000", "1002", "5000"]
    found.clock_ms = lambda: 5001
    found.park(BATS)
    lines = sent(found)
    assert (bid(lines), times(lines)) == (OF_ARCA, ["5001", "5001", "5001"])


def test_a_venue_whose_rows_wait_in_the_queue_stays_in_the_quote_until_they_are_out() -> None:
    found = quoted()
    numbered(found, 3)
    found.park(BATS)
    found.repeat(["SPY"])
    lines = sent(found, drained=False)
    assert (bid(lines), times(lines)) == (OF_BATS, ["1002", "1002", "5000"])


def test_a_parking_whose_flush_failed_keeps_the_time_of_the_first_try() -> None:
    found = quoted()
    found.park(BATS)
    encode(found)
    found.clock_ms = lambda: 5300
    lines = sent(found)
    assert (bid(lines), times(lines)) == (OF_ARCA, ["5000", "5000", "5300"])


def test_parking_a_venue_that_is_parked_already_does_not_change_the_quotes_time() -> None:
    found = quoted()
    found.park(BATS)
    sent(found)
    found.clock_ms = lambda: 6000
    found.park(BATS)
    assert times(sent(found)) == ["5000", "5000", "6000"]


# Reset


def test_a_reset_venue_is_out_of_the_quote_of_the_flush_that_resets_it() -> None:
    assert bid(sent(quoted(), reset(3))) == OF_ARCA


def test_a_reset_venue_is_out_of_the_merged_book_of_the_flush_that_resets_it() -> None:
    assert venues(sent(quoted(), reset(3))) == ["ARCA"]


def test_a_quote_that_a_reset_venue_left_holds_from_the_row_that_reset_it() -> None:
    assert times(sent(quoted(), reset(3))) == ["1003", "1003", "5000"]


def test_a_venue_that_is_reset_once_more_does_not_change_the_quotes_time() -> None:
    found = quoted()
    sent(found, reset(3))
    assert times(sent(found, reset(4))) == ["1003", "1003", "5000"]


def test_a_venue_that_was_never_live_does_not_change_the_quotes_time_when_it_is_reset() -> None:
    found = writer()
    assert times(sent(found, update(1), reset(2))) == ["1001", "1001", "5000"]


# Afterwards


def test_a_venue_that_left_earlier_does_not_take_back_the_time_of_one_that_left_later() -> None:
    found = quoted()
    sent(found, changed(3, venue="EDGX"))
    found.park(BATS)
    sent(found)
    assert times(sent(found, reset(4, "EDGX"))) == ["5000", "5000", "5000"]


def test_a_row_received_after_a_venue_left_has_its_own_time() -> None:
    found = quoted()
    sent(found, reset(3))
    assert times(sent(found, update(4))) == ["1004", "1004", "5000"]


def test_a_row_received_before_a_venue_left_does_not_take_the_quote_back() -> None:
    found = quoted()
    found.park(BATS)
    sent(found)
    assert times(sent(found, update(3))) == ["5000", "5000", "5000"]


def test_a_renewal_after_a_venue_left_holds_now_and_keeps_the_time_of_its_leaving() -> None:
    found = quoted()
    found.park(BATS)
    sent(found)
    found.clock_ms = lambda: 6000
    found.quoting({"SPY": ["ARCA"]})
    lines = sent(found)
    assert (bid(lines), times(lines)) == (OF_ARCA, ["6000", "5000", "6000"])


def test_a_venue_that_left_one_symbol_does_not_change_the_time_of_another() -> None:
    found = quoted()
    found.park(BATS)
    sent(found)
    assert times(sent(found, update(1, "QQQ"))) == ["1001", "1001", "5000"]
