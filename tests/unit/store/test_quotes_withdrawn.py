"""What a withdrawal names while it is not known what Redis took, and that none is forgotten."""

from __future__ import annotations

from shared.store.quotes import DELAYED
from tests.unit.store.quote_boards import LATE, REFUSED, Board, bids, sources


def told() -> Board:
    """Redis has SPY's live quote."""
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(1)
    return board


def delay(board: Board, symbol: str = "SPY") -> None:
    board.quotes.set(symbol, {"bid": 1.0}, 1001, DELAYED)


# Which sources


def test_a_quote_in_flight_is_named_by_its_withdrawal() -> None:
    board = Board()
    delay(board)
    board.sent()
    board.withdraw()
    assert "delayed" in sources(board.sent())


def test_a_quote_in_flight_is_named_beside_the_one_that_redis_took() -> None:
    board = told()
    delay(board)
    board.sent()
    board.withdraw()
    assert sources(board.sent()) == ["delayed", "tob"]


def test_a_live_quote_in_flight_is_named_beside_the_delayed_one_that_redis_took() -> None:
    board = Board()
    delay(board)
    board.sent()
    board.replied(1)
    board.set(2.0)
    board.sent()
    board.withdraw()
    assert sources(board.sent()) == ["delayed", "tob"]


def test_every_source_named_is_released_by_a_command_of_its_own() -> None:
    board = told()
    delay(board)
    board.sent()
    board.withdraw()
    assert [line[:4] for line in board.sent()] == [
        ["ticker_release", "1", "market:SPY:ticker", "delayed"],
        ["ticker_release", "1", "market:SPY:ticker", "tob"],
    ]


def test_a_quote_whose_reply_was_lost_is_named_though_another_was_refused_since() -> None:
    board = told()
    delay(board)
    board.sent()
    board.flights.pop()
    board.set(2.0)
    board.sent()
    board.replied(REFUSED)
    board.withdraw()
    assert sources(board.sent()) == ["delayed", "tob"]


def test_a_withdrawal_whose_flush_failed_names_the_same_sources_again() -> None:
    board = told()
    delay(board)
    board.sent()
    board.withdraw()
    board.sent()
    assert sources(board.sent()) == ["delayed", "tob"]


def test_a_quote_that_redis_took_in_place_of_another_is_named_alone() -> None:
    board = told()
    delay(board)
    board.sent()
    board.replied(1)
    board.withdraw()
    assert sources(board.sent()) == ["delayed"]


def test_what_is_in_flight_of_one_symbol_is_not_named_by_the_withdrawal_of_another() -> None:
    board = told()
    delay(board, "QQQ")
    board.sent()
    board.withdraw()
    assert sources([line for line in board.sent() if line[0] == "ticker_release"]) == ["tob"]


# Every withdrawal is sent


def test_a_withdrawal_is_pending_until_it_is_confirmed() -> None:
    board = told()
    board.withdraw()
    board.sent()
    assert board.quotes.pending()
    board.replied(1)
    assert not board.quotes.pending()


def test_a_second_withdrawal_is_pending_though_the_first_is_confirmed_behind_it() -> None:
    board = told()
    board.withdraw()
    board.sent()
    board.set(2.0)
    board.sent()
    board.withdraw()
    board.replied(1)
    assert board.quotes.pending()


def test_of_two_withdrawals_around_a_quote_the_second_is_sent_behind_it() -> None:
    board = told()
    board.withdraw()
    board.sent()
    board.set(2.0)
    assert bids(board.sent()) == ["2.0"]
    board.withdraw()
    board.replied(1)
    board.replied(1)
    assert [line[0] for line in board.sent()] == ["ticker_release"]


def test_a_withdrawal_confirmed_behind_a_new_quote_does_not_keep_that_back() -> None:
    board = told()
    board.withdraw()
    board.sent()
    board.set(2.0)
    board.replied(1)
    assert bids(board.sent()) == ["2.0"]


def test_a_quote_withdrawn_twice_in_a_row_is_released_once() -> None:
    board = told()
    board.withdraw()
    board.sent()
    board.withdraw()
    board.replied(1)
    assert not board.quotes.pending()


# Foreign


def test_a_refused_quote_that_is_withdrawn_is_no_longer_foreign() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    board.withdraw()
    board.sent()
    assert board.counted() == (0, 1, 0, 0)
    board.replied(0)
    assert board.counted() == (0, 0, 0, 0)


def test_a_withdrawal_leaves_the_foreign_quotes_of_other_symbols_foreign() -> None:
    board = Board()
    for symbol in ("SPY", "QQQ"):
        board.set(1.0, symbol=symbol)
    board.sent()
    board.replied(REFUSED, REFUSED)
    assert board.counted() == (0, 2, 0, 0)
    board.withdraw()
    board.sent()
    board.replied(0)
    assert board.counted() == (0, 1, 0, 0)


def test_a_quote_refused_behind_a_withdrawal_is_foreign_again() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(REFUSED)
    board.withdraw()
    board.sent()
    board.replied(LATE)
    board.set(2.0)
    board.sent()
    board.replied(REFUSED)
    assert board.counted() == (0, 1, 0, 0)
