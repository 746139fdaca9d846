from __future__ import annotations

from simulators.tws.book import (
    ASK,
    BID,
    DELETE,
    INSERT,
    UPDATE,
    Book,
    Row,
    RowOp,
    diff_rows,
    price_text,
    shift_rows,
)

A = Row(100_0000, 100, "")
B = Row(100_0100, 200, "")
C = Row(100_0200, 300, "")
GONE = Row(0, 0, "")


def test_price_text_prints_two_decimals() -> None:
    assert price_text(5_859_400) == "585.94"
    assert price_text(5_861_000) == "586.10"


def test_price_text_keeps_a_fraction_of_a_cent() -> None:
    assert price_text(5_859_450) == "585.9450"


def test_price_text_of_a_deleted_row_is_zero() -> None:
    assert price_text(0) == "0.00"


def test_applying_an_insert_moves_the_rows_below_it() -> None:
    book = Book()
    for op in (RowOp(INSERT, ASK, 0, A), RowOp(INSERT, ASK, 1, C), RowOp(INSERT, ASK, 1, B)):
        book.apply(op)
    assert book.asks == [A, B, C]
    assert book.bids == []


def test_applying_a_delete_moves_the_rows_below_it_up() -> None:
    book = Book()
    book.sides[BID].extend([C, B, A])
    book.apply(RowOp(DELETE, BID, 0, GONE))
    assert book.bids == [B, A]


def test_an_insert_into_a_full_view_first_deletes_the_last_row() -> None:
    op = RowOp(INSERT, ASK, 0, A)
    assert shift_rows(op, 2, [A, B, C]) == [RowOp(DELETE, ASK, 1, GONE), op]


def test_an_insert_into_a_view_with_room_is_one_row() -> None:
    op = RowOp(INSERT, ASK, 0, A)
    assert shift_rows(op, 3, [A, B, C]) == [op]


def test_a_delete_brings_the_next_row_into_view() -> None:
    op = RowOp(DELETE, ASK, 0, A)
    rows = shift_rows(op, 2, [B, C])
    assert rows == [RowOp(DELETE, ASK, 0, GONE), RowOp(INSERT, ASK, 1, C)]


def test_a_delete_in_a_short_side_is_one_row() -> None:
    assert shift_rows(RowOp(DELETE, ASK, 0, A), 3, [B]) == [RowOp(DELETE, ASK, 0, GONE)]


def test_a_change_below_the_view_is_not_sent() -> None:
    assert shift_rows(RowOp(UPDATE, ASK, 2, C), 2, [A, B, C]) == []


def test_an_index_diff_updates_in_place_and_appends_at_the_end() -> None:
    assert diff_rows(BID, [B], [C, A]) == [RowOp(UPDATE, BID, 0, C), RowOp(INSERT, BID, 1, A)]


def test_an_index_diff_deletes_from_the_end() -> None:
    assert diff_rows(ASK, [A, B, C], [A]) == [
        RowOp(DELETE, ASK, 2, GONE),
        RowOp(DELETE, ASK, 1, GONE),
    ]
