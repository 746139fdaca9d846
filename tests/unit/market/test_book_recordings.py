"""Real books: the recorded first minute of AAPL on NASDAQ, in both row styles."""

from __future__ import annotations

import pytest

from shared.market.book import Book
from shared.normalize.ibkr_depth import DepthRowParser
from tests.support.recordings import (
    RecordedBook,
    depth_books,
    depth_operations,
    needs_depth_recording,
)
from tests.unit.market.ladders import levels

pytestmark = needs_depth_recording


def as_recorded(book: Book) -> RecordedBook:
    bids, asks = (
        tuple((round(price * 10_000), int(size)) for price, size, _ in levels(side.json, is_bid))
        for side, is_bid in ((book.bids, True), (book.asks, False))
    )
    return RecordedBook(bids, asks)


def replayed(style: str, max_rows: int) -> dict[int, tuple[RecordedBook, str]]:
    """Book and fault after the last operation of each recorded event."""
    book, parser = Book(max_rows), DepthRowParser()
    seen: dict[int, tuple[RecordedBook, str]] = {}
    for operation in depth_operations(style):
        book.apply(*parser.parse(operation.fields(), b'"NASDAQ"'))
        seen[operation.ev] = (as_recorded(book), book.fault)
    return seen


@pytest.mark.parametrize("max_rows", [10, 15])
@pytest.mark.parametrize("style", ["shift", "replace"])
def test_every_recorded_event_leaves_the_recorded_book(style: str, max_rows: int) -> None:
    books = depth_books()
    seen = replayed(style, max_rows)
    assert len(seen) == 938
    assert {ev: found for ev, (found, _) in seen.items() if found != books[ev]} == {}
    assert {fault for _, fault in seen.values()} == {""}
