"""Which top-of-book quotes are sent, as whose, and what becomes of those that Redis refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis
import pytest

from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.quotes import DELAYED, QuoteBoard
from shared.store.scripts import script
from shared.store.ticker import QUOTE_FIELDS, FieldValue
from tests.unit.store.resp_commands import commands

SHAS = {script(n).sha: n for n in ("ticker_quote", "ticker_release")}
REFUSED = -1


class Board:
    """A board of two symbols; what it sends as texts, those of a script by its name."""

    def __init__(self) -> None:
        self.quotes = QuoteBoard(Keys(), ["SPY", "QQQ"], 60)
        self.flights: list[tuple[dict[str, object], list[str]]] = []

    def set(self, bid: float, ts_ms: int = 1000, symbol: str = "SPY") -> None:
        self.quotes.set(symbol, {"bid": bid}, ts_ms)

    def sent(self) -> list[list[str]]:
        """Put in flight until the next `replied`."""
        found = Commands()
        said = self.quotes.encode(found)
        self.flights.append((said, found.names))
        lines = commands(b"".join(found.parts))
        assert len(found.names) == len(lines)
        return [[SHAS[line[1]], *line[2:]] for line in lines]

    def replied(self, *replies: Any) -> None:
        self.quotes.confirmed(*self.flights.pop(0), replies)

    def counted(self) -> tuple[int, ...]:
        """Written, foreign, late, from the future."""
        names = ("quotes", "quotes_foreign", "late_quotes", "future_quotes")
        return tuple(self.quotes.metrics()[name] for name in names)


def bids(lines: Sequence[list[str]]) -> list[str]:
    return [line[-1] for line in lines]


def sources(lines: Sequence[list[str]]) -> list[str]:
    return [line[5] if line[0] == "ticker_quote" else line[3] for line in lines]


def test_a_quote_is_written_as_top_of_book_with_its_receive_time() -> None:
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
            *("tob", "SPY", "1005", "1005", "60", "2000"),
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


def test_a_quote_whose_flush_failed_is_sent_again() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    assert bids(board.sent()) == ["1.0"]


@pytest.mark.parametrize("reply", [1, REFUSED, 0])
def test_a_quote_that_changed_while_in_flight_stays_to_be_sent(reply: int) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.set(2.0)
    board.replied(reply)
    assert board.counted()[1] == 0
    assert bids(board.sent()) == ["2.0"]


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


# Refused, since depth owns the symbol


def test_a_refused_quote_is_put_aside_until_it_is_offered_again() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    assert not board.quotes.pending()
    assert board.sent() == []
    board.replied()
    board.quotes.offer_again()
    assert board.quotes.pending()
    assert bids(board.sent()) == ["1.0"]


def test_a_quote_refused_again_is_put_aside_again() -> None:
    board = Board()
    board.set(1.0)
    for _ in range(3):
        assert bids(board.sent()) == ["1.0"]
        board.replied(REFUSED)
        assert board.counted() == (0, 1, 0, 0)
        board.quotes.offer_again()
        assert board.counted() == (0, 0, 0, 0)


def test_a_new_quote_is_sent_though_the_one_before_was_refused() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    board.set(2.0)
    assert bids(board.sent()) == ["2.0"]
    board.replied(1)
    board.quotes.offer_again()
    assert not board.quotes.pending()


def test_offering_again_sends_only_what_was_refused() -> None:
    board = Board()
    board.set(1.0)
    board.set(9.0, symbol="QQQ")
    refused = {"1.0": REFUSED, "9.0": 1}
    board.replied(*(refused[bid] for bid in bids(board.sent())))
    board.quotes.offer_again()
    assert bids(board.sent()) == ["1.0"]


# Withdrawn


def test_a_withdrawn_quote_is_released_once() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.quotes.set("SPY", None, 0)
    assert board.sent() == [["ticker_release", "1", "market:SPY:ticker", "tob", *QUOTE_FIELDS]]
    board.replied(1)
    board.quotes.set("SPY", None, 0)
    assert not board.quotes.pending()


def test_a_symbol_that_never_had_a_quote_releases_nothing() -> None:
    board = Board()
    board.quotes.set("SPY", None, 0)
    assert not board.quotes.pending()


def test_a_quote_is_released_as_what_it_was_said() -> None:
    board = Board()
    board.quotes.set("SPY", {"bid": 1.0}, 1000, DELAYED)
    board.sent()
    board.replied(1)
    board.quotes.set("SPY", None, 0)
    assert sources(board.sent()) == ["delayed"]


def test_a_quote_that_was_never_sent_does_not_change_what_is_released() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.quotes.set("SPY", {"bid": 1.0}, 1000, DELAYED)
    board.quotes.set("SPY", None, 0)
    assert sources(board.sent()) == ["tob"]


def test_a_refused_quote_that_is_withdrawn_is_not_offered_again() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    board.quotes.set("SPY", None, 0)
    board.sent()
    board.replied(0)
    board.quotes.offer_again()
    assert not board.quotes.pending()


def test_a_quote_after_a_release_is_written() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.quotes.set("SPY", None, 0)
    board.set(2.0)
    assert [line[0] for line in board.sent()] == ["ticker_quote"]


# Repeats and figures


def test_a_repeat_sends_the_quotes_of_these_symbols_that_there_are() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    board.quotes.repeat(["SPY", "QQQ"])
    assert bids(board.sent()) == ["1.0"]


@pytest.mark.parametrize(
    ("reply", "counted"),
    [
        (1, (1, 0, 0, 0)),
        (REFUSED, (0, 1, 0, 0)),
        (0, (0, 0, 1, 0)),
        (2, (1, 0, 0, 1)),
        (hiredis.ReplyError("WRONGTYPE Operation"), (0, 0, 0, 0)),
    ],
)
def test_each_reply_is_counted_as_what_it_says(reply: Any, counted: tuple[int, ...]) -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(reply)
    assert board.counted() == counted


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
    board.quotes.set("SPY", None, 0)
    board.sent()
    board.replied(1)
    assert board.counted() == (1, 0, 0, 0)
