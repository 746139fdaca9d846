from __future__ import annotations

import pytest

from shared.market.nbbo import Nbbo
from shared.market.quote import Field, Quote, Tick

BID = Tick(Field.BID, 167.40, 300)
ASK = Tick(Field.ASK, 167.44, 200)
NOTHING_SHOWN = {
    "bid": None,
    "bid_size": None,
    "bid_venue": None,
    "ask": None,
    "ask_size": None,
    "ask_venue": None,
    "mid": None,
    "spread": None,
    "spread_bps": None,
}


def quoted(*ticks: Tick) -> Quote:
    quote = Quote()
    for n, tick in enumerate(ticks, 1):
        quote.apply(tick, 1_000 + n)
    return quote


def test_two_sides_give_every_field_of_the_ticker() -> None:
    assert quoted(BID, ASK).quote_fields() == {
        "bid": 167.40,
        "bid_size": 300,
        "bid_venue": "SMART",
        "ask": 167.44,
        "ask_size": 200,
        "ask_venue": "SMART",
        "mid": 167.42,
        "spread": 0.04,
        "spread_bps": 2.3892,
    }


def test_one_side_gives_its_own_fields_alone() -> None:
    shown = {"bid": 167.40, "bid_size": 300, "bid_venue": "SMART"}
    assert quoted(BID).quote_fields() == NOTHING_SHOWN | shown


def test_the_venue_is_the_one_that_was_subscribed() -> None:
    quote = Quote("NYSE")
    quote.apply(BID, 1)
    assert quote.nbbo() == Nbbo((167.40, 300, "NYSE"), None)


def test_there_are_no_fields_before_the_first_tick_of_a_quote() -> None:
    assert quoted(Tick(Field.LAST, 167.41, 100)).quote_fields() is None


def test_a_side_that_went_away_is_removed() -> None:
    assert quoted(BID, Tick(Field.BID, None, None)).quote_fields() == NOTHING_SHOWN


def test_a_side_without_size_is_none_until_its_size_is_back() -> None:
    quote = quoted(BID, Tick(Field.BID_SIZE, None))
    assert quote.nbbo().bid is None
    quote.apply(Tick(Field.BID_SIZE, 500), 9)
    assert quote.nbbo().bid == (167.40, 500, "SMART")


def test_a_price_that_came_without_size_does_not_keep_the_size_of_the_one_before() -> None:
    assert quoted(BID, Tick(Field.BID, 167.41, None)).nbbo().bid is None


def test_a_tick_that_repeats_what_is_known_changes_nothing() -> None:
    quote = quoted(BID)
    assert quote.apply(BID, 9) is False
    assert quote.received_ts_ms == 9


@pytest.mark.parametrize(
    ("tick", "changed"),
    [
        (Tick(Field.BID, 167.41, 300), True),
        (Tick(Field.BID, 167.40, 400), True),
        (Tick(Field.BID_SIZE, 400), True),
        (Tick(Field.BID_SIZE, 300), False),
        (Tick(Field.ASK_SIZE, None), False),
        (Tick(Field.LAST, 167.41, 100), False),
    ],
)
def test_only_bid_ask_and_their_sizes_change_the_quote(tick: Tick, changed: bool) -> None:
    assert quoted(BID).apply(tick, 9) is changed


def test_the_quote_has_the_time_of_its_own_newest_tick() -> None:
    assert quoted(BID, ASK, Tick(Field.LAST, 167.41, 100)).received_ts_ms == 1_002


def test_last_values_and_halts_are_kept() -> None:
    quote = quoted(
        Tick(Field.LAST, 167.41, 100),
        Tick(Field.LAST_TIME, 1_381_152_600_000),
        Tick(Field.LAST_VENUE, None, venue="ARCA"),
        Tick(Field.HALTED, 0),
    )
    assert (quote.get(Field.LAST), quote.get(Field.LAST_SIZE)) == (167.41, 100)
    assert quote.get(Field.LAST_TIME) == 1_381_152_600_000
    assert (quote.last_venue, quote.get(Field.HALTED)) == ("ARCA", 0)


@pytest.mark.parametrize(("data_type", "delayed"), [(1, False), (2, False), (3, True), (4, True)])
def test_message_58_says_whether_the_line_is_delayed(data_type: int, delayed: bool) -> None:
    quote = Quote()
    quote.data_type(data_type)
    assert quote.delayed is delayed


def test_delayed_quotes_are_not_for_the_ticker_unless_allowed() -> None:
    quote = Quote()
    quote.data_type(3)
    quote.apply(Tick(Field.BID, 167.40, 300, delayed=True), 1)
    assert quote.quote_fields() is None
    shown = {"bid": 167.40, "bid_size": 300, "bid_venue": "SMART"}
    assert quote.quote_fields(delayed_too=True) == NOTHING_SHOWN | shown


def test_a_delayed_tick_alone_makes_the_line_delayed_and_clears_what_was_live() -> None:
    quote = quoted(BID, ASK, Tick(Field.BID, 160.00, 100, delayed=True))
    assert quote.delayed is True
    assert quote.nbbo() == Nbbo((160.00, 100, "SMART"), None)


def test_a_line_that_turns_live_forgets_the_delayed_quote() -> None:
    quote = quoted(Tick(Field.BID, 160.00, 100, delayed=True))
    quote.data_type(1)
    assert (quote.delayed, quote.quote_fields()) == (False, None)


def test_a_cleared_quote_keeps_the_days_volume() -> None:
    quote = quoted(BID, Tick(Field.LAST_VENUE, None, venue="ARCA"))
    quote.volume = 67_854
    quote.clear()
    assert (quote.quote_fields(), quote.last_venue, quote.volume) == (None, None, 67_854)
