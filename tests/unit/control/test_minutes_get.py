from __future__ import annotations

import pytest

from shared.control.minutes import Minutes
from shared.market.bar import Bar

# A wall minute; bars and clocks below count from it.
M = 1_381_152_600


def bar(at_s: int, price: float = 10.0, backfilled: bool = False) -> Bar:
    return Bar(M + at_s, price, price, price, price, 100, price, 1, backfilled)


def minutes_with(*bars: Bar) -> Minutes:
    minutes = Minutes(keep_minutes=2)
    for each in bars:
        minutes.add(each)
    return minutes


def test_a_bar_is_found_by_its_start() -> None:
    minutes = minutes_with(bar(0), bar(55, 11.0), bar(60, 12.0))
    assert [minutes.get(M + at_s) for at_s in (0, 55, 60)] == [bar(0), bar(55, 11.0), bar(60, 12.0)]


@pytest.mark.parametrize("at_s", [-5, 5, 59, 60, 3600])
def test_there_is_no_bar_where_none_came(at_s: int) -> None:
    assert minutes_with(bar(0), bar(55)).get(M + at_s) is None


def test_the_bar_that_replaced_another_is_found() -> None:
    minutes = minutes_with(bar(0))
    minutes.add(bar(0, 9.0, backfilled=True))
    assert minutes.get(M) == bar(0, 9.0, backfilled=True)


def test_the_live_bar_stays_where_a_backfilled_one_says_the_same() -> None:
    live = bar(0)
    minutes = minutes_with(live)
    minutes.add(bar(0, backfilled=True))
    assert minutes.get(M) is live


def test_a_restored_bar_is_found() -> None:
    minutes = Minutes()
    minutes.restore([bar(30)])
    assert minutes.get(M + 30) == bar(30)


def test_a_bar_is_found_after_its_candle_was_handed_out() -> None:
    minutes = minutes_with(bar(0))
    minutes.due(M + 62, 2.0)
    assert minutes.get(M) == bar(0)


def test_a_bar_of_a_forgotten_minute_is_not_found() -> None:
    minutes = minutes_with(bar(0), bar(180))
    minutes.due(M + 250, 2.0)
    assert (minutes.get(M), minutes.get(M + 180)) == (None, bar(180))


def test_a_bar_that_was_refused_is_not_found() -> None:
    minutes = minutes_with(bar(0), bar(180))
    minutes.due(M + 250, 2.0)
    minutes.add(bar(5))
    assert minutes.get(M + 5) is None
