"""Which top-of-book quotes are sent, as whose, until when, and what their replies count."""

from __future__ import annotations

from typing import Any

import hiredis
import pytest

from shared.market.nbbo import FieldValue
from shared.store.quotes import DELAYED
from shared.store.ticker import QUOTE_FIELDS
from tests.unit.store.quote_boards import LATE, REFUSED, UNCHANGED, Board, bids, sources, times


def test_a_quote_is_written_as_top_of_book_with_its_receive_time_and_now() -> None:
    board = Board()
    values: dict[str, FieldValue] = {
        "bid": 585.93,
        "bid_size": 200.0,
        "bid_venue": "SMART",
        "ask": None,
    }
    board.quotes.set("SPY", values, 1005)
    assert board.sent() == [
        [
            *("ticker_quote", "3", "market:SPY:ticker", "coord:depth:live:SPY", "coord:quote:ts"),
            *("tob", "SPY", "1005", "1005", "5000", "60", "2000"),
            *("bid", "585.93", "bid_size", "200.0", "bid_venue", "SMART", "ask", ""),
        ]
    ]


def test_a_delayed_quote_is_written_as_such() -> None:
    board = Board()
    board.quotes.set("SPY", {"bid": 1.0}, 1005, DELAYED)
    assert sources(board.sent()) == ["delayed"]


def test_only_the_newest_quote_of_a_symbol_is_sent() -> None:
    board = Board()
    for bid in (1.0, 2.0, 3.0):
        board.set(bid)
    board.set(9.0, symbol="QQQ")
    assert sorted(bids(board.sent())) == ["3.0", "9.0"]


def test_a_quote_is_pending_until_it_is_confirmed() -> None:
    board = Board()
    assert not board.quotes.pending()
    board.set(1.0)
    board.sent()
    assert board.quotes.pending()
    board.replied(1)
    assert not board.quotes.pending()
    assert board.sent() == []


@pytest.mark.parametrize("reply", [REFUSED, LATE, 2, UNCHANGED])
def test_a_quote_is_confirmed_whatever_redis_made_of_it(reply: int) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(reply)
    assert not board.quotes.pending()
    assert board.sent() == []


def test_a_quote_whose_flush_failed_is_sent_again_as_it_was() -> None:
    board = Board()
    board.set(1.0)
    first = board.sent()
    assert board.sent() == first


@pytest.mark.parametrize("reply", [1, REFUSED, LATE, UNCHANGED])
def test_a_quote_that_changed_while_in_flight_stays_to_be_sent(reply: int) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.set(2.0, 1001)
    board.replied(reply)
    lines = board.sent()
    assert (bids(lines), times(lines)) == (["2.0"], [("1001", "1001", "5000")])


def test_a_quote_of_the_same_values_while_in_flight_stays_to_be_sent() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.set(1.0)
    board.replied(1)
    assert board.quotes.pending()


def test_of_two_flushes_in_a_row_with_one_quote_the_second_changes_nothing() -> None:
    board = Board()
    board.set(1.0)
    assert bids(board.sent()) == bids(board.sent()) == ["1.0"]
    board.replied(1)
    board.set(2.0)
    board.replied(1)
    assert bids(board.sent()) == ["2.0"]


# Withdrawn


def test_a_withdrawn_quote_is_released_once() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.withdraw()
    assert board.sent() == [["ticker_release", "1", "market:SPY:ticker", "tob", *QUOTE_FIELDS]]
    board.replied(1)
    board.withdraw()
    assert not board.quotes.pending()


def test_a_symbol_that_never_had_a_quote_releases_nothing() -> None:
    board = Board()
    board.withdraw()
    assert not board.quotes.pending()


@pytest.mark.parametrize("reply", [1, 2])
def test_a_quote_is_released_as_what_redis_took_it(reply: int) -> None:
    board = Board()
    board.quotes.set("SPY", {"bid": 1.0}, 1000, DELAYED)
    board.sent()
    board.replied(reply)
    board.withdraw()
    assert sources(board.sent()) == ["delayed"]


def test_a_quote_that_was_never_sent_does_not_change_what_is_released() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.quotes.set("SPY", {"bid": 1.0}, 1000, DELAYED)
    board.withdraw()
    assert sources(board.sent()) == ["tob"]


@pytest.mark.parametrize("reply", [REFUSED, LATE, hiredis.ReplyError("WRONGTYPE Operation")])
def test_a_delayed_quote_that_redis_did_not_take_does_not_change_what_is_released(
    reply: Any,
) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.quotes.set("SPY", {"bid": 1.0}, 1001, DELAYED)
    board.sent()
    board.replied(reply)
    board.withdraw()
    assert sources(board.sent()) == ["tob"]


def test_what_redis_took_of_one_symbol_does_not_change_what_another_releases() -> None:
    board = Board()
    board.quotes.set("QQQ", {"bid": 9.0}, 1000, DELAYED)
    board.sent()
    board.replied(1)
    board.set(1.0)
    board.withdraw()
    assert sources(board.sent()) == ["tob"]


def test_a_refused_quote_that_is_withdrawn_is_not_offered_again() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    board.withdraw()
    board.sent()
    board.replied(0)
    board.offer()
    assert not board.quotes.pending()


def test_a_quote_after_a_release_is_written() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.withdraw()
    board.set(2.0)
    assert [line[0] for line in board.sent()] == ["ticker_quote"]


# Figures


@pytest.mark.parametrize(
    ("reply", "counted"),
    [
        (1, (1, 0, 0, 0)),
        (REFUSED, (0, 1, 0, 0)),
        (LATE, (0, 0, 1, 0)),
        (2, (1, 0, 0, 1)),
        (UNCHANGED, (0, 0, 0, 0)),
        (hiredis.ReplyError("WRONGTYPE Operation"), (0, 0, 0, 0)),
    ],
)
def test_each_reply_is_counted_as_what_it_says(reply: Any, counted: tuple[int, ...]) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(reply)
    assert board.counted() == counted


@pytest.mark.parametrize("reply", [1, LATE, 2])
def test_a_quote_is_foreign_until_depth_no_longer_owns_it(reply: int) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    board.set(2.0)
    assert board.counted()[1] == 1
    board.sent()
    board.replied(reply)
    assert board.counted()[1] == 0


def test_replies_to_other_commands_of_a_flush_are_not_counted() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    said, names = board.flights.pop()
    board.quotes.confirmed(said, ["SET last SPY", "ticker_last SPY", *names], [b"OK", 2, 1])
    assert board.counted() == (1, 0, 0, 0)


def test_a_released_quote_is_no_written_one() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.withdraw()
    board.sent()
    board.replied(1)
    assert board.counted() == (1, 0, 0, 0)
