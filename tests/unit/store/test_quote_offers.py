"""Quotes of quiet lines are offered again as holding now, whatever Redis made of them before."""

from __future__ import annotations

import pytest

from shared.store.quotes import DELAYED
from tests.unit.store.quote_boards import LATE, REFUSED, UNCHANGED, Board, bids, sources, times


def told(reply: int = 1) -> Board:
    """SPY's quote, received at 1000, has met this reply."""
    board = Board()
    board.set(1.0)
    board.sent()
    board.replied(reply)
    return board


@pytest.mark.parametrize("reply", [1, 2, UNCHANGED, REFUSED, LATE])
def test_a_quote_is_offered_again_as_holding_now_and_keeps_its_receive_time(reply: int) -> None:
    board = told(reply)
    board.offer(4000)
    assert board.quotes.pending()
    assert board.sent() == [
        [
            *("ticker_quote", "3", "market:SPY:ticker", "coord:depth:live:SPY", "coord:quote:ts"),
            *("tob", "SPY", "4000", "1000", "5000", "60", "2000", "bid", "1.0"),
        ]
    ]


def test_a_quote_that_is_refused_again_and_again_is_offered_each_time() -> None:
    board = told(REFUSED)
    for now_ms in (2000, 3000, 4000):
        board.offer(now_ms)
        assert times(board.sent()) == [(f"{now_ms}", "1000", "5000")]
        board.replied(REFUSED)
        assert board.counted() == (0, 1, 0, 0)


def test_a_quote_stays_foreign_while_it_is_offered() -> None:
    board = told(REFUSED)
    board.offer()
    assert board.counted() == (0, 1, 0, 0)


def test_a_quote_offered_again_is_pending_until_it_is_confirmed() -> None:
    board = told()
    board.offer()
    board.sent()
    assert board.quotes.pending()
    board.replied(UNCHANGED)
    assert not board.quotes.pending()


def test_only_quotes_of_healthy_lines_are_offered() -> None:
    board = told()
    board.set(9.0, symbol="QQQ")
    board.sent()
    board.replied(1)
    board.offer(4000, "QQQ")
    assert bids(board.sent()) == ["9.0"]


def test_a_healthy_line_without_a_quote_offers_nothing() -> None:
    board = Board()
    board.offer()
    assert not board.quotes.pending()
    assert board.sent() == []


def test_without_a_healthy_line_nothing_is_offered() -> None:
    board = told()
    board.quotes.offer_again([], 4000)
    assert not board.quotes.pending()


def test_a_quote_that_was_not_told_yet_is_sent_with_its_own_time() -> None:
    board = Board()
    board.set(1.0)
    board.offer(4000)
    assert times(board.sent()) == [("1000", "1000", "5000")]


def test_a_quote_in_flight_is_not_offered_a_second_time() -> None:
    board = Board()
    board.set(1.0)
    board.sent()
    board.offer(4000)
    board.replied(1)
    assert not board.quotes.pending()


def test_a_new_quote_takes_the_place_of_the_one_that_was_offered() -> None:
    board = told()
    board.offer(4000)
    board.set(2.0, 4001)
    lines = board.sent()
    assert (bids(lines), times(lines)) == (["2.0"], [("4001", "4001", "5000")])


def test_a_new_quote_while_an_offer_is_in_flight_stays_to_be_sent() -> None:
    board = told()
    board.offer(4000)
    board.sent()
    board.set(2.0, 4001)
    board.replied(1)
    assert bids(board.sent()) == ["2.0"]


def test_an_offer_whose_flush_failed_is_sent_again_as_it_was() -> None:
    board = told()
    board.offer(4000)
    board.sent()
    board.offer(4500)
    assert times(board.sent()) == [("4000", "1000", "5000")]


def test_an_offer_on_a_clock_that_stepped_back_keeps_the_time_of_the_last_one() -> None:
    board = told()
    board.offer(4000)
    board.sent()
    board.replied(1)
    board.offer(3999)
    assert times(board.sent()) == [("4000", "1000", "5000")]


def test_a_quote_received_after_the_offers_now_holds_from_its_own_time() -> None:
    board = told()
    board.offer(999)
    assert times(board.sent()) == [("1000", "1000", "5000")]


def test_an_offer_on_a_clock_that_stepped_back_an_hour_holds_from_that_clocks_now() -> None:
    board = Board()
    board.set(1.0, 3_604_000)
    board.sent()
    board.replied(1)
    board.offer(4000)
    assert times(board.sent()) == [("4000", "3604000", "5000")]


def test_an_offer_goes_back_with_the_clock_though_the_last_one_was_an_hour_ahead() -> None:
    board = told()
    for now_ms in (3_604_000, 4000):
        board.offer(now_ms)
        assert times(board.sent()) == [(f"{now_ms}", "1000", "5000")]
        board.replied(1)


def test_a_withdrawn_quote_is_not_offered() -> None:
    board = told()
    board.withdraw()
    board.offer()
    assert [line[0] for line in board.sent()] == ["ticker_release"]


def test_a_delayed_quote_is_offered_again_as_delayed() -> None:
    board = Board()
    board.quotes.set("SPY", {"bid": 1.0}, 1000, DELAYED)
    board.sent()
    board.replied(REFUSED)
    board.offer()
    assert sources(board.sent()) == ["delayed"]


def test_an_offer_that_redis_took_counts_as_a_written_quote() -> None:
    board = told()
    board.offer()
    board.sent()
    board.replied(1)
    assert board.counted() == (2, 0, 0, 0)


# Repeats


def test_a_repeat_sends_the_quotes_of_these_symbols_that_there_are() -> None:
    board = told()
    board.quotes.repeat(["SPY", "QQQ"])
    assert bids(board.sent()) == ["1.0"]


def test_a_repeat_leaves_out_the_symbols_that_are_not_named() -> None:
    board = told()
    board.quotes.repeat(["QQQ"])
    assert not board.quotes.pending()


def test_a_repeated_quote_has_the_time_of_its_last_offer() -> None:
    board = told()
    board.offer(4000)
    board.sent()
    board.replied(UNCHANGED)
    board.quotes.repeat(["SPY"])
    assert times(board.sent()) == [("4000", "1000", "5000")]


def test_a_repeat_does_not_bring_back_a_withdrawn_quote() -> None:
    board = told()
    board.withdraw()
    board.sent()
    board.replied(1)
    board.quotes.repeat(["SPY"])
    assert not board.quotes.pending()
