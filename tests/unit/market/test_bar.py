from __future__ import annotations

import pytest

from shared.market.bar import Bar, Candle, candle, minute_of

FIRST = Bar(1381152600, 100.0, 101.0, 99.5, 100.5, 300.0, 100.2, 3)
SECOND = Bar(1381152605, 100.5, 102.0, 100.0, 101.5, 100.0, 101.0, 2)
LAST = Bar(1381152655, 101.5, 101.6, 98.0, 98.5, 600.0, 99.0, 4, backfilled=True)


@pytest.mark.parametrize(
    ("t", "minute"), [(1381152600, 1381152600), (1381152659, 1381152600), (1381152660, 1381152660)]
)
def test_a_minute_begins_on_the_wall_minute(t: int, minute: int) -> None:
    assert minute_of(t) == minute


def test_a_candle_is_the_first_open_the_extremes_and_the_last_close_in_any_order() -> None:
    expected = Candle(
        1381152600, 100.0, 102.0, 98.0, 98.5, 1000.0, 99.56, 9, 3, complete=True, backfilled=True
    )
    assert candle([LAST, FIRST, SECOND]) == expected


def test_a_candle_of_one_bar_is_that_bar() -> None:
    made = candle([FIRST])
    assert (made.open, made.high, made.low, made.close) == (100.0, 101.0, 99.5, 100.5)
    assert (made.volume, made.wap, made.count, made.bars) == (300.0, 100.2, 3, 1)


def test_bars_without_volume_do_not_weigh() -> None:
    quiet = Bar(1381152610, 100.0, 100.0, 100.0, 100.0, 0.0, None, 0)
    assert candle([FIRST, quiet]).wap == 100.2


def test_a_minute_in_which_nothing_traded_has_no_weighted_price() -> None:
    assert candle([Bar(1381152610, 100.0, 100.0, 100.0, 100.0, 0.0, None, 0)]).wap is None


@pytest.mark.parametrize("bars", [[], [FIRST, Bar(1381152660, 1, 1, 1, 1, 1, 1, 1)]])
def test_bars_of_no_or_of_two_minutes_are_refused(bars: list[Bar]) -> None:
    with pytest.raises(ValueError, match="bars of one minute needed, were"):
        candle(bars)


@pytest.mark.parametrize(
    ("volumes", "expected"), [((300.0, 100.0), "400"), ((0.5, 0.5), "1"), ((0.1, 0.2), "0.3")]
)
def test_the_volume_of_a_candle_has_a_fraction_only_where_its_shares_have_one(
    volumes: tuple[float, float], expected: str
) -> None:
    bars = [Bar(1381152600 + n * 5, 1, 1, 1, 1, each, 1, 1) for n, each in enumerate(volumes)]
    assert repr(candle(bars).volume) == expected
