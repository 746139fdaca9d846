from __future__ import annotations

import pytest

from shared.market.book import ASK, BID, DELETE, EMPTY_SIDE, INSERT, UPDATE, Book, render
from tests.unit.market.ladders import levels

MISSING = "[null,0,null]"


def put(book: Book, side: int, operation: int, position: int, price: float) -> None:
    row = f'[{price},1,"ARCA"]'.encode()
    book.apply(side, operation, position, (price, row))


def filled(side: int, *prices: float, max_rows: int = 15) -> Book:
    book = Book(max_rows)
    for position, price in enumerate(prices):
        put(book, side, INSERT, position, price)
    return book


def prices(book: Book, side: int) -> list[float]:
    book_side = book.bids if side == BID else book.asks
    return [price for price, _, _ in levels(book_side.json, side == BID)]


def test_an_empty_side_is_ten_missing_rows() -> None:
    expected = ("[" + ",".join([MISSING] * 10) + "]").encode()
    assert (render([]), EMPTY_SIDE, Book(15).bids.json) == (expected, expected, expected)


def test_a_side_is_padded_to_ten_rows_as_they_were_given() -> None:
    book = Book(15)
    book.apply(BID, INSERT, 0, (585.33, b'[585.33,18,"NSDQ"]'))
    book.apply(BID, INSERT, 1, (585.3, b'[585.3,150,"NASDAQ"]'))
    expected = '[[585.33,18,"NSDQ"],[585.3,150,"NASDAQ"],' + ",".join([MISSING] * 8) + "]"
    assert book.bids.json == expected.encode()


def test_rendering_ten_rows_adds_nothing() -> None:
    assert render([b"[1,1,null]"] * 10) == b"[" + b",".join([b"[1,1,null]"] * 10) + b"]"


def test_an_insert_in_front_shifts_the_rows_down() -> None:
    book = filled(BID, 100.0, 99.9)
    put(book, BID, INSERT, 0, 100.1)
    assert prices(book, BID) == [100.1, 100.0, 99.9]


def test_an_insert_in_the_middle_shifts_only_the_rows_behind_it() -> None:
    book = filled(ASK, 100.0, 100.2)
    put(book, ASK, INSERT, 1, 100.1)
    assert prices(book, ASK) == [100.0, 100.1, 100.2]


def test_a_delete_moves_the_rows_behind_it_up() -> None:
    book = filled(ASK, 100.0, 100.1, 100.2)
    put(book, ASK, DELETE, 0, 0.0)
    assert prices(book, ASK) == [100.1, 100.2]


def test_a_delete_and_an_insert_at_the_top_leave_a_sorted_side() -> None:
    # What ib_async's dict makes of this is [99.9, 100.2], unsorted and one level short.
    book = filled(BID, 100.0, 99.9)
    put(book, BID, INSERT, 0, 100.1)
    put(book, BID, DELETE, 0, 0.0)
    put(book, BID, INSERT, 0, 100.2)
    assert prices(book, BID) == [100.2, 100.0, 99.9]


def test_an_update_replaces_one_row_in_place() -> None:
    book = filled(BID, 100.0, 99.9, 99.8)
    book.apply(BID, UPDATE, 1, (99.85, b'[99.85,7,"ARCA"]'))
    assert levels(book.bids.json, True) == [
        (100.0, 1, "ARCA"), (99.85, 7, "ARCA"), (99.8, 1, "ARCA"),
    ]  # fmt: skip


def test_an_update_behind_the_last_row_appends() -> None:
    book = filled(BID, 100.0)
    put(book, BID, UPDATE, 1, 99.9)
    assert (prices(book, BID), book.fault) == ([100.0, 99.9], "")


def test_the_index_diff_style_appends_updates_and_deletes_the_last_row() -> None:
    book = filled(ASK, 100.0, 100.1)
    put(book, ASK, UPDATE, 0, 99.9)
    put(book, ASK, UPDATE, 1, 100.0)
    put(book, ASK, INSERT, 2, 100.1)
    put(book, ASK, DELETE, 2, 0.0)
    assert prices(book, ASK) == [99.9, 100.0]


def test_deleting_the_only_row_empties_the_side() -> None:
    book = filled(BID, 100.0)
    put(book, BID, DELETE, 0, 0.0)
    assert (book.bids.json, book.bids.best, book.two_sided) == (EMPTY_SIDE, None, False)


def test_rows_of_several_makers_may_share_a_price() -> None:
    book = filled(BID, 100.0, 100.0, 99.9)
    put(book, BID, INSERT, 1, 100.0)
    assert (prices(book, BID), book.fault) == ([100.0, 100.0, 100.0, 99.9], "")


def test_same_price_rows_keep_the_order_of_their_positions_while_unsorted() -> None:
    book = Book(15)
    for position, (price, maker) in enumerate([(99.0, "A"), (100.0, "B"), (100.0, "C")]):
        book.apply(BID, INSERT, position, (price, f'[{price},1,"{maker}"]'.encode()))
    assert [venue for _, _, venue in levels(book.bids.json, True)] == ["B", "C", "A"]


@pytest.mark.parametrize("position", [2, 3, 14, 15, 9999])
def test_a_delete_of_nothing_is_ignored_and_counted(position: int) -> None:
    book = filled(BID, 100.0, 99.9)
    put(book, BID, DELETE, position, 0.0)
    assert (prices(book, BID), book.ignored_rows) == ([100.0, 99.9], 1)


@pytest.mark.parametrize("operation", [INSERT, UPDATE])
def test_a_row_beyond_the_rows_asked_for_is_ignored_and_counted(operation: int) -> None:
    book = filled(BID, 100.0, max_rows=15)
    put(book, BID, operation, 15, 99.0)
    assert (prices(book, BID), book.ignored_rows) == ([100.0], 1)


def test_an_insert_into_a_full_side_pushes_the_last_row_out() -> None:
    book = filled(ASK, 100.1, 100.2, 100.3, max_rows=3)
    put(book, ASK, INSERT, 0, 100.0)
    assert (book.asks.keys, prices(book, ASK)) == ([100.0, 100.1, 100.2], [100.0, 100.1, 100.2])


def test_ten_levels_are_published_of_the_fifteen_kept() -> None:
    book = filled(ASK, *(100.0 + n for n in range(15)))
    assert (prices(book, ASK), len(book.asks.keys)) == ([100.0 + n for n in range(10)], 15)


def test_a_level_behind_the_tenth_moves_up_when_one_goes() -> None:
    book = filled(ASK, *(100.0 + n for n in range(11)))
    put(book, ASK, DELETE, 3, 0.0)
    assert prices(book, ASK) == [100.0, 101.0, 102.0] + [104.0 + n for n in range(7)]


def test_a_row_before_its_time_is_published_without_the_hole_before_it() -> None:
    book = filled(BID, 100.0)
    put(book, BID, UPDATE, 3, 99.7)
    assert (prices(book, BID), book.fault) == ([100.0, 99.7], "hole")


def test_a_hole_is_gone_once_its_rows_came() -> None:
    book = filled(BID, 100.0)
    for position, price in ((2, 99.8), (1, 99.9)):
        put(book, BID, UPDATE, position, price)
    assert (prices(book, BID), book.fault) == ([100.0, 99.9, 99.8], "")


@pytest.mark.parametrize("price", [0.0, -1.0, -0.0])
def test_a_level_without_a_value_holds_its_place_unpublished(price: float) -> None:
    book = filled(BID, 100.0, 99.9, 99.8)
    put(book, BID, UPDATE, 1, price)
    assert (prices(book, BID), book.fault) == ([100.0, 99.8], "hole")


def test_a_side_of_holes_alone_is_published_empty() -> None:
    book = filled(ASK, 0.0, 0.0)
    assert (book.asks.json, book.asks.best, book.fault) == (EMPTY_SIDE, None, "hole")


def test_an_unsorted_side_is_published_sorted_and_called_unsorted() -> None:
    book = filled(ASK, 100.2, 100.0, 100.1)
    assert (prices(book, ASK), book.asks.best, book.fault) == (
        [100.0, 100.1, 100.2], 100.0, "unsorted",
    )  # fmt: skip


def resized(book: Book, side: int, position: int, price: float) -> list[tuple[float, float]]:
    """Price and size of a side after one of its rows changed its size to 7."""
    book.apply(side, UPDATE, position, (price, f'[{price},7,"ARCA"]'.encode()))
    shown = levels((book.bids if side == BID else book.asks).json, side == BID)
    return [(price, size) for price, size, _ in shown]


def test_a_size_that_changes_alone_is_published_in_place() -> None:
    book = filled(BID, 100.0, 99.9, 99.8)
    assert resized(book, BID, 1, 99.9) == [(100.0, 1), (99.9, 7), (99.8, 1)]


def test_a_size_that_changes_in_an_unsorted_side_leaves_it_published_sorted() -> None:
    book = filled(ASK, 100.2, 100.0, 100.1)
    assert resized(book, ASK, 0, 100.2) == [(100.0, 1), (100.1, 1), (100.2, 7)]
    assert book.fault == "unsorted"


def test_a_size_that_changes_beside_a_hole_leaves_it_unpublished() -> None:
    book = filled(ASK, 100.0, 0.0, 100.1)
    assert resized(book, ASK, 2, 100.1) == [(100.0, 1), (100.1, 7)]
    assert book.fault == "hole"


def test_a_size_that_changes_behind_the_tenth_level_shows_once_it_moves_up() -> None:
    book = filled(ASK, *(100.0 + n for n in range(11)))
    assert (110.0, 7) not in resized(book, ASK, 10, 110.0)
    put(book, ASK, DELETE, 0, 0.0)
    assert levels(book.asks.json, False)[-1] == (110.0, 7, "ARCA")


def test_a_hole_is_named_before_disorder() -> None:
    book = filled(ASK, 100.2, 100.0, 0.0)
    assert (prices(book, ASK), book.fault) == ([100.0, 100.2], "hole")


def test_a_bid_above_the_ask_crosses_the_book() -> None:
    book = filled(BID, 100.1)
    put(book, ASK, INSERT, 0, 100.0)
    assert (book.crossed, book.fault) == (True, "crossed")


def test_a_locked_book_is_not_crossed() -> None:
    book = filled(BID, 100.0)
    put(book, ASK, INSERT, 0, 100.0)
    assert (book.crossed, book.fault, book.two_sided) == (False, "", True)


def test_one_side_alone_is_never_crossed() -> None:
    assert (filled(BID, 100.0).crossed, filled(ASK, 100.0).crossed) == (False, False)


def test_disorder_behind_the_tenth_level_is_no_fault() -> None:
    book = filled(ASK, *(100.0 + n for n in range(10)), 120.0, 115.0)
    assert book.fault == ""


def test_clearing_empties_both_sides_and_the_fault() -> None:
    book = filled(BID, 100.0, 100.5)
    put(book, ASK, UPDATE, 2, 99.0)
    book.clear()
    assert (book.bids.json, book.asks.json, book.fault) == (EMPTY_SIDE, EMPTY_SIDE, "")
    put(book, BID, INSERT, 0, 99.0)
    assert prices(book, BID) == [99.0]


def test_the_sides_do_not_share_rows() -> None:
    book = filled(BID, 100.0)
    put(book, ASK, INSERT, 0, 100.1)
    put(book, ASK, DELETE, 0, 0.0)
    assert (prices(book, BID), prices(book, ASK)) == ([100.0], [])


def test_an_insert_fills_the_place_that_was_held_for_it() -> None:
    book = Book(15)
    for position in (2, 0, 1):
        price = 100.0 + position
        book.apply(ASK, INSERT, position, (price, f'[{price},1,"ARCA"]'.encode()))
    assert book.asks.keys == [100.0, 101.0, 102.0]
    assert book.fault == ""


def test_an_insert_shifts_a_level_that_came_without_a_value() -> None:
    book = Book(15)
    book.apply(ASK, INSERT, 0, (0.0, b""))
    book.apply(ASK, INSERT, 0, (100.0, b'[100.0,1,"ARCA"]'))
    assert len(book.asks.keys) == 2
    assert book.fault == "hole"
