from __future__ import annotations

from typing import Final

import pytest

from shared.control.trade_history import PublishedPrints
from shared.market.trade import Trade, TradeFeed

# The second of a print, in ms.
T: Final = 1_381_152_600_000


def print_of(
    size: float = 100,
    at_ms: int = 0,
    price: float = 10.0,
    feed: TradeFeed = TradeFeed.HISTORY,
    venue: str | None = "ARCA",
) -> Trade:
    return Trade("SPY", price, size, venue, T + at_ms, T + 9_000, feed)


def published(*trades: Trade, now_s: float = 0.0) -> PublishedPrints:
    made = PublishedPrints()
    for each in trades:
        made.add(each, now_s)
    return made


def test_without_a_published_print_all_of_history_is_missing_in_its_order() -> None:
    history = [print_of(300), print_of(100), print_of(200)]
    assert published().missing(history) == history


def test_a_print_that_went_out_is_left_out() -> None:
    out = published(print_of(200))
    assert out.missing([print_of(100), print_of(200), print_of(300)]) == [
        print_of(100), print_of(300),
    ]  # fmt: skip


def test_each_print_that_went_out_answers_for_one_of_its_equals() -> None:
    out = published(print_of(100), print_of(100))
    assert out.missing([print_of(100)] * 3) == [print_of(100)]


def test_a_live_print_answers_for_the_one_of_history_whatever_it_says_beside_the_price() -> None:
    live = print_of(100, 123, feed=TradeFeed.RT_VOLUME, venue=None)
    assert published(live).missing([print_of(100)]) == []


@pytest.mark.parametrize("at_ms", [0, 1, 999])
def test_prints_of_one_second_are_the_same_whatever_their_millisecond(at_ms: int) -> None:
    assert published(print_of(at_ms=at_ms)).missing([print_of()]) == []


@pytest.mark.parametrize(
    "other",
    [print_of(at_ms=-1), print_of(at_ms=1000), print_of(price=10.01), print_of(size=101)],
    ids=["the second before", "the second after", "another price", "another size"],
)
def test_a_print_of_another_second_price_or_size_is_another_one(other: Trade) -> None:
    assert published(other).missing([print_of()]) == [print_of()]


def test_what_is_missing_can_be_asked_again() -> None:
    out = published(print_of(100))
    assert [out.missing([print_of(100)] * 2) for _ in range(2)] == [[print_of(100)]] * 2


@pytest.mark.parametrize(("later_s", "missing"), [(600.0, []), (600.1, [print_of(100)])])
def test_a_print_is_remembered_for_ten_minutes(later_s: float, missing: list[Trade]) -> None:
    out = published(print_of(100), now_s=50.0)
    out.add(print_of(200), 50.0 + later_s)
    assert out.missing([print_of(100)]) == missing


def test_all_prints_that_are_too_old_are_forgotten_at_once() -> None:
    out = published(print_of(100), print_of(200), print_of(300))
    out.add(print_of(400), 1000.0)
    history = [print_of(size) for size in (100, 200, 300, 400)]
    assert out.missing(history) == history[:3]


def test_the_newest_twenty_thousand_prints_are_remembered() -> None:
    out = published(print_of(1), print_of(2))
    for _ in range(19_999):
        out.add(print_of(3), 0.0)
    assert out.missing([print_of(1), print_of(2)]) == [print_of(1)]
