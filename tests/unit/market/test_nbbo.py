from __future__ import annotations

from shared.market.nbbo import Nbbo, Row, merge

BID: Row = (585.33, 18.0, "NASDAQ")
ASK: Row = (585.94, 200.0, "ARCA")


def test_mid_and_spread_carry_no_float_noise() -> None:
    quote = Nbbo(BID, ASK)
    assert (quote.mid(), quote.spread(), quote.spread_bps()) == (585.635, 0.61, 10.416)


def test_one_side_has_neither_mid_nor_spread() -> None:
    for quote in (Nbbo(BID, None), Nbbo(None, ASK), Nbbo(None, None)):
        assert (quote.mid(), quote.spread(), quote.spread_bps()) == (None, None, None)
        assert not quote.crossed


def test_a_locked_market_has_no_spread_and_is_not_crossed() -> None:
    quote = Nbbo((100.0, 1.0, "ARCA"), (100.0, 2.0, "BATS"))
    assert (quote.spread(), quote.spread_bps(), quote.crossed) == (0.0, 0.0, False)


def test_a_crossed_market_has_a_negative_spread() -> None:
    quote = Nbbo((100.1, 1.0, "ARCA"), (100.0, 2.0, "BATS"))
    assert (quote.spread(), quote.spread_bps(), quote.crossed) == (-0.1, -9.995, True)


def test_a_quote_is_told_in_the_fields_of_a_ticker() -> None:
    assert Nbbo(BID, ASK).fields() == {
        "bid": 585.33, "bid_size": 18.0, "bid_venue": "NASDAQ",
        "ask": 585.94, "ask_size": 200.0, "ask_venue": "ARCA",
        "mid": 585.635, "spread": 0.61, "spread_bps": 10.416,
    }  # fmt: skip
    assert Nbbo(None, ASK).fields() == {
        "bid": None, "bid_size": None, "bid_venue": None,
        "ask": 585.94, "ask_size": 200.0, "ask_venue": "ARCA",
        "mid": None, "spread": None, "spread_bps": None,
    }  # fmt: skip


def test_bids_merge_highest_price_first_then_the_larger_size() -> None:
    arca: list[Row] = [(100.0, 5.0, "ARCA"), (99.9, 1.0, "ARCA")]
    bats: list[Row] = [(100.0, 7.0, "BATS"), (99.95, 2.0, "BATS")]
    assert merge([arca, bats], bids=True) == [
        (100.0, 7.0, "BATS"), (100.0, 5.0, "ARCA"), (99.95, 2.0, "BATS"), (99.9, 1.0, "ARCA"),
    ]  # fmt: skip


def test_asks_merge_lowest_price_first_then_the_larger_size() -> None:
    arca: list[Row] = [(100.1, 5.0, "ARCA"), (100.3, 1.0, "ARCA")]
    bats: list[Row] = [(100.1, 7.0, "BATS"), (100.2, 2.0, "BATS")]
    assert merge([arca, bats], bids=False) == [
        (100.1, 7.0, "BATS"), (100.1, 5.0, "ARCA"), (100.2, 2.0, "BATS"), (100.3, 1.0, "ARCA"),
    ]  # fmt: skip


def test_equal_price_and_size_keep_the_order_of_the_venues() -> None:
    rows: list[list[Row]] = [[(100.0, 1.0, "NYSE")], [(100.0, 1.0, "ARCA")]]
    assert [venue for _, _, venue in merge(rows, bids=True)] == ["NYSE", "ARCA"]


def test_no_more_than_ten_rows_are_merged() -> None:
    side: list[Row] = [(100.0 + n, 1.0, "ARCA") for n in range(8)]
    merged = merge([side, side], bids=False)
    assert [price for price, _, _ in merged] == [100.0 + n // 2 for n in range(10)]


def test_nothing_merges_to_nothing() -> None:
    assert (merge([], bids=True), merge([[], []], bids=False)) == ([], [])
