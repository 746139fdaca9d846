from __future__ import annotations

from simulators.tws.book import ASK, BID, Book, Row
from simulators.tws.quotes import NO_QUOTE, Quote, QuoteOverride, top_of


def test_all_that_stands_at_the_best_price_counts() -> None:
    book = Book()
    book.sides[BID].extend(
        [Row(1_000_000, 100, "NSDQ"), Row(1_000_000, 300, "GSCO"), Row(999_900, 500, "NSDQ")]
    )
    book.sides[ASK].append(Row(1_000_100, 200, "NSDQ"))
    assert top_of(book) == Quote(1_000_000, 400, 1_000_100, 200)


def test_an_empty_book_has_no_quote() -> None:
    assert top_of(Book()) == NO_QUOTE == Quote(-10_000, 0, -10_000, 0)
    assert not NO_QUOTE.two_sided


def test_an_override_takes_the_place_of_what_it_names() -> None:
    quote = Quote(1_000_000, 400, 1_000_100, 200)
    assert QuoteOverride(bid_e4=-10_000, bid_size=-1).over(quote) == Quote(
        -10_000, -1, 1_000_100, 200
    )
    assert QuoteOverride(ask_size=0).over(quote) == Quote(1_000_000, 400, 1_000_100, 0)
