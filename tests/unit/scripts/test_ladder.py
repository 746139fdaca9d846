from __future__ import annotations

import pytest

from scripts.ladder import (
    Ladder,
    UpdateRate,
    caption,
    document,
    levels,
    price_text,
    refusal_text,
    shortfall,
    table_rows,
)
from shared.market.book import ASK, BID, INSERT, Book
from shared.market.depth import Pair

AAPL = Pair("AAPL", "NASDAQ")
MSFT = Pair("MSFT", "NASDAQ")
BIDS = ((230.01, 500, "NSDQ"), (230.0, 1200, "VIRT"))
ASKS = ((230.03, 100, "ETMM"),)


def ladder(**changes: object) -> Ladder:
    fields: dict[str, object] = {
        "pair": AAPL,
        "wire_venue": "ISLAND",
        "bids": BIDS,
        "asks": ASKS,
        "updates": 90,
        "updates_per_s": 20.0,
    }
    return Ladder(**{**fields, **changes})  # type: ignore[arg-type]


def test_levels_are_those_published_without_the_missing_ones() -> None:
    book = Book(15)
    book.apply(BID, INSERT, 0, (230.01, b'[230.01,500,"NSDQ"]'))
    book.apply(BID, INSERT, 1, (230.0, b'[230.0,1200,"VIRT"]'))
    book.apply(ASK, INSERT, 0, (230.03, b'[230.03,100,"ETMM"]'))
    assert levels(book) == (BIDS, ASKS)


def test_a_table_row_holds_the_bid_and_the_ask_of_one_level() -> None:
    assert table_rows(ladder())[0] == ("NSDQ", "500", "230.01", "230.03", "100", "ETMM")


def test_a_shorter_side_leaves_its_cells_empty() -> None:
    assert table_rows(ladder())[1] == ("VIRT", "1200", "230.00", "", "", "")


def test_a_fractional_size_keeps_its_decimals() -> None:
    assert table_rows(ladder(bids=(), asks=((1.0, 0.5, "X"),)))[0][4] == "0.5"


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (230.0, "230.00"),
        (230.1, "230.10"),
        (0.0125, "0.0125"),
        (100.0, "100.00"),
        (700000.5, "700000.50"),
    ],
)
def test_a_price_has_two_decimals_or_as_many_as_it_needs(price: float, text: str) -> None:
    assert price_text(price) == text


def test_the_caption_names_spread_basis_points_and_rate() -> None:
    assert caption(ladder()) == "spread 0.02 (0.87 bps)\n20.0 updates/s, 90 updates"


def test_the_caption_of_a_crossed_book_says_so() -> None:
    crossed = ladder(asks=((230.0, 100, "ETMM"),))
    assert caption(crossed).startswith("spread -0.01 (-0.43 bps), crossed\n")


def test_the_caption_of_a_one_sided_book_names_no_spread() -> None:
    assert caption(ladder(asks=())) == "one-sided\n20.0 updates/s, 90 updates"


def test_the_caption_of_a_refused_ladder_is_the_refusal() -> None:
    assert caption(ladder(refusal="not entitled (354): no")) == "not entitled (354): no"


def test_the_document_holds_every_number_of_the_ladder() -> None:
    assert document(ladder()) == {
        "symbol": "AAPL",
        "venue": "NASDAQ",
        "wire_venue": "ISLAND",
        "state": "live",
        "updates": 90,
        "updates_per_s": 20.0,
        "bid": 230.01,
        "ask": 230.03,
        "mid": 230.02,
        "spread": 0.02,
        "spread_bps": 0.8695,
        "crossed": False,
        "bids": BIDS,
        "asks": ASKS,
        "refusal": None,
        "notices": (),
    }


def test_absent_numbers_are_null_in_the_document() -> None:
    found = document(ladder(bids=(), asks=(), updates=0))
    assert [found[name] for name in ("bid", "ask", "mid", "spread", "spread_bps")] == [None] * 5


def test_ladders_with_rows_fall_short_of_nothing() -> None:
    assert shortfall([ladder(), ladder(pair=MSFT)], 10.0) == ""


def test_a_ladder_without_rows_names_the_time_it_had() -> None:
    assert shortfall([ladder(updates=0)], 10.0) == "AAPL@NASDAQ: no rows within 10 s"


def test_a_ladder_without_rows_repeats_what_the_gateway_said_last() -> None:
    silent = ladder(updates=0, notices=("2103 farm broken", "321 cause - what"))
    assert shortfall([silent], 2.5) == (
        "AAPL@NASDAQ: no rows within 2.5 s, the gateway said: 321 cause - what"
    )


def test_every_ladder_that_falls_short_is_named() -> None:
    both = [ladder(refusal="halted"), ladder(pair=MSFT, updates=0)]
    assert shortfall(both, 10.0) == "AAPL@NASDAQ: halted; MSFT@NASDAQ: no rows within 10 s"


def test_a_symbol_without_a_venue_is_named_alone() -> None:
    assert shortfall([ladder(pair=Pair("ZZTOP", ""), refusal="unknown")], 1) == "ZZTOP: unknown"


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (309, "every depth slot of the account is taken (309): some text"),
        (200, "no such contract (200): some text"),
        (354, "not entitled (354): some text"),
        (10092, "no depth offered there (10092): some text"),
        (316, "refused (316): some text"),
    ],
)
def test_a_refusal_is_one_line_with_its_meaning_and_code(code: int, meaning: str) -> None:
    assert refusal_text(code, "some\n  text ") == meaning


def test_the_rows_that_fill_a_book_are_not_part_of_its_rate() -> None:
    rate = UpdateRate()
    for now_s, rows in ((0.0, 0), (0.25, 30), (1.25, 50), (2.25, 70)):
        rate.observe(now_s, rows)
    assert rate.per_s == 20.0


def test_a_rate_forgets_what_is_older_than_five_seconds() -> None:
    rate = UpdateRate()
    for second, rows in enumerate((10, 1010, 2010, 2011, 2012, 2013, 2014, 2015)):
        rate.observe(float(second), rows)
    assert rate.per_s == 1.0


def test_one_sample_is_no_rate() -> None:
    rate = UpdateRate()
    rate.observe(1.0, 30)
    assert rate.per_s == 0.0
