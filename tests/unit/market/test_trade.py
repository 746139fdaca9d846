from __future__ import annotations

import pytest

from shared.market.trade import (
    VENUE_MAP,
    OpenPrint,
    OpenPrints,
    Trade,
    TradeFeed,
    known_letter,
    sized,
    trade_venue,
    twins,
)


def print_of(size: float, price: float = 10.0) -> Trade:
    return Trade("SPY", price, size, None, 7_000, 7_100, TradeFeed.RT_VOLUME)


def open_print(
    size: float, second: int = 7, summed: bool = False, out: bool = False, since_s: float = 1.0
) -> OpenPrint:
    return OpenPrint(print_of(size), second, size, summed, out, since_s)


def sizes(found: list[OpenPrint]) -> list[float]:
    return [entry.trade.size for entry in found]


def test_the_map_holds_the_letters_of_the_contract() -> None:
    assert "".join(sorted(VENUE_MAP)) == "ABCDIJKMNPQTVWXYZ"


@pytest.mark.parametrize(
    ("sent", "venue"),
    [
        ("P", "ARCA"),
        ("Q", "NASDAQ"),
        ("T", "NASDAQ"),
        ("D", "FINRA"),
        ("Z", "BATS"),
        ("ARCA", "ARCA"),
        ("ISLAND", "NASDAQ"),
        ("MEMX", "MEMX"),
        ("U", "U"),
        ("p", "p"),
        ("", None),
    ],
)
def test_a_venue_is_its_canonical_name_and_an_unknown_letter_stays(sent: str, venue: str) -> None:
    assert trade_venue(sent) == venue


@pytest.mark.parametrize(("sent", "known"), [("P", True), ("U", False), ("p", False), ("", True)])
def test_an_unknown_letter_is_told_from_the_others(sent: str, known: bool) -> None:
    assert known_letter(sent) is known


def test_feeds_are_called_as_the_contract_calls_them() -> None:
    assert [str(feed) for feed in TradeFeed] == ["tbt", "rtvolume", "history"]


def test_a_print_of_its_full_size_stays_itself() -> None:
    trade = print_of(300)
    assert sized(trade, 300) is trade


def test_the_rest_of_a_print_is_a_print_of_that_size() -> None:
    assert sized(print_of(0.3), 0.3 - 0.1).size == 0.2


def test_open_prints_are_found_by_price_the_same_second_first() -> None:
    opens = OpenPrints()
    for size, second in ((1, 6), (2, 8), (3, 7), (4, 9), (5, 7)):
        opens.add(open_print(size, second))
    assert sizes(opens.near(10.0, 7)) == [3, 5, 1, 2]
    assert opens.near(10.01, 7) == []


def test_a_print_that_met_its_twin_is_found_no_more() -> None:
    opens = OpenPrints()
    entry = open_print(100)
    opens.add(entry)
    opens.reduce(entry, 100)
    assert opens.near(10.0, 7) == []


def test_prints_that_expire_unseen_are_counted_and_those_that_were_out_are_not() -> None:
    opens = OpenPrints()
    opens.add(open_print(100, since_s=1.0))
    opens.add(open_print(200, since_s=2.0, out=True))
    opens.add(open_print(300, since_s=3.0))
    assert opens.expire(2.5) == 1
    assert sizes(opens.near(10.0, 7)) == [300]


def test_held_prints_are_released_once_in_their_order_and_with_what_is_left() -> None:
    opens = OpenPrints()
    opens.add(open_print(100, out=True))
    opens.add(open_print(200))
    summed = open_print(600, summed=True)
    opens.add(summed)
    opens.reduce(summed, 100)
    assert [trade.size for trade in opens.release()] == [200, 500]
    assert opens.release() == []


def test_prints_of_the_first_second_are_dropped_and_later_ones_stay() -> None:
    opens = OpenPrints()
    opens.add(open_print(100, second=7))
    opens.add(open_print(200, second=8))
    opens.drop_until(7)
    assert sizes(opens.near(10.0, 7)) == [200]


@pytest.mark.parametrize(
    ("near", "size", "summed", "expected"),
    [
        ([100, 200], 200, False, [200]),
        ([100, 100], 100, False, [100]),
        ([100, 200], 300, False, []),
        ([100, 200, 300], 300, True, [100, 200]),
        ([100, 300], 300, True, [300]),
        ([100, 200], 600, True, [100, 200]),
        ([100, 900, 200], 600, True, [100, 200]),
        ([900], 600, True, []),
        ([0.1, 0.2], 0.3, True, [0.1, 0.2]),
        ([], 100, True, []),
    ],
)
def test_a_print_has_one_twin_and_a_sum_has_those_it_can_be_the_sum_of(
    near: list[float], size: float, summed: bool, expected: list[float]
) -> None:
    assert sizes(twins([open_print(each) for each in near], size, summed)) == expected


def test_a_print_that_is_no_sum_may_be_part_of_one() -> None:
    near = [open_print(500), open_print(600, summed=True), open_print(700, summed=True)]
    assert sizes(twins(near, 200, summed=False)) == [600]
