from __future__ import annotations

import pytest

from simulators.tws.book import Book
from simulators.tws.market import LEVELS_MIN, VenueBook, shape_of

VENUES = ("ARCA", "NASDAQ", "SMART")


def run(book: VenueBook, changes: int, transit: str = "orderly") -> None:
    for _ in range(changes):
        for op in book.plan(transit):
            book.apply(op)


def wrong(book: Book) -> list[str]:
    bids, asks = ([row.price_e4 for row in side] for side in (book.bids, book.asks))
    found = []
    if bids != sorted(bids, reverse=True) or asks != sorted(asks):
        found.append("unsorted")
    if bids[0] >= asks[0]:
        found.append("crossed")
    if min(row.size for row in [*book.bids, *book.asks]) <= 0:
        found.append("size")
    return found


@pytest.mark.parametrize("venue", [*VENUES, "IEX", "BEX"])
def test_a_book_is_sorted_and_uncrossed_after_every_change(venue: str) -> None:
    book = VenueBook("7", 58_500, shape_of(venue))
    seen: list[str] = wrong(book)
    for _ in range(3_000):
        run(book, 1)
        seen += wrong(book)
    assert seen == []


@pytest.mark.parametrize("venue", VENUES)
def test_a_full_venue_keeps_twelve_levels_on_each_side(venue: str) -> None:
    book = VenueBook("7", 58_500, shape_of(venue))
    fewest = 99
    for _ in range(2_000):
        run(book, 1)
        fewest = min(fewest, *(len({row.price_e4 for row in side}) for side in book.sides))
    assert fewest >= LEVELS_MIN


def test_a_small_venue_shows_fewer_rows() -> None:
    book = VenueBook("7", 58_500, shape_of("IEX"))
    run(book, 500)
    assert max(len(side) for side in book.sides) <= 6


def test_the_same_seed_gives_the_same_book() -> None:
    first, second = (VenueBook("7:SPY:ARCA", 58_500, shape_of("ARCA")) for _ in range(2))
    run(first, 500)
    run(second, 500)
    assert first.sides == second.sides


def test_another_seed_gives_another_book() -> None:
    first, second = (VenueBook(seed, 58_500, shape_of("ARCA")) for seed in ("7", "8"))
    assert first.sides != second.sides


def test_prices_stay_near_the_base_price() -> None:
    book = VenueBook("7", 58_500, shape_of("ARCA"))
    run(book, 20_000)
    assert abs(book.bids[0].price_e4 - 5_850_000) < 0.05 * 5_850_000


def test_market_makers_share_prices_on_nasdaq() -> None:
    book = VenueBook("7", 23_000, shape_of("NASDAQ"))
    assert len({row.price_e4 for row in book.bids}) < len(book.bids)
    assert "NSDQ" in {row.maker for row in [*book.bids, *book.asks]}


def test_a_plain_venue_has_one_row_per_price_without_maker() -> None:
    book = VenueBook("7", 58_500, shape_of("ARCA"))
    run(book, 500)
    assert len({row.price_e4 for row in book.bids}) == len(book.bids)
    assert {row.maker for row in book.bids} == {""}


def test_a_crossed_book_stays_crossed_until_healed() -> None:
    book = VenueBook("7", 58_500, shape_of("ARCA"))
    before = list(book.bids)
    for op in book.cross():
        book.apply(op)
    run(book, 200)
    assert book.bids[0].price_e4 > book.asks[0].price_e4
    for op in book.heal():
        book.apply(op)
    assert book.bids[0] == before[0]
    assert not book.broken


def test_an_unsorted_book_stays_unsorted_until_healed() -> None:
    book = VenueBook("7", 58_500, shape_of("ARCA"))
    for op in book.unsort():
        book.apply(op)
    run(book, 200)
    assert wrong(book) == ["unsorted"]
    for op in book.heal():
        book.apply(op)
    assert wrong(book) == []


def test_in_crossed_transit_a_side_grows_before_the_other_gives_way() -> None:
    book = VenueBook("7", 58_500, shape_of("ARCA"))
    locked = 0
    for _ in range(500):
        for op in book.plan("crossed"):
            book.apply(op)
            locked += book.bids[0].price_e4 >= book.asks[0].price_e4
    assert locked > 0
    assert wrong(book) == []
