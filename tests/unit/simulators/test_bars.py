from __future__ import annotations

from simulators.tws.bars import Bar, BarSeries, bar_start_s, merged

# 2023-11-14 22:13:20 UTC, a boundary of 5 seconds and of 20.
T = 1_700_000_000


def bar(start_s: int, prices: tuple[int, int, int, int], volume: float = 100) -> Bar:
    return Bar(start_s, *prices, volume, volume * prices[3], 1)


def test_bars_stand_on_wall_clock_boundaries() -> None:
    assert [bar_start_s(T + s) for s in (0, 4, 5, 9)] == [T, T, T + 5, T + 5]
    assert bar_start_s(T + 41, 60) == T + 40


def test_a_bar_has_the_first_the_extremes_and_the_last() -> None:
    series = BarSeries(100)
    for ms, price_e4, size in ((0, 1_000_000, 100), (1_000, 1_000_500, 50), (4_999, 999_800, 50)):
        series.add(T * 1000 + ms, price_e4, size)
    series.settle(T + 5)
    value_e4 = 100 * 1_000_000 + 50 * 1_000_500 + 50 * 999_800
    assert series.newest(9) == [
        Bar(T, 1_000_000, 1_000_500, 999_800, 999_800, 200, value_e4, trades=3)
    ]


def test_the_average_is_weighted_by_volume() -> None:
    assert Bar(T, 1, 1, 1, 1, 300, 100 * 1_000_000 + 200 * 1_000_300, 2).wap_text == "100.020000"


def test_a_bar_of_quotes_has_neither_volume_nor_average() -> None:
    series = BarSeries(100)
    series.add(T * 1000, 1_000_000, None)
    series.add(T * 1000 + 1, 1_000_100, None)
    series.settle(T + 5)
    (made,) = series.newest(1)
    assert (made.volume, made.wap_text, made.trades, made.close_e4) == (-1, "-1", -1, 1_000_100)


def test_a_bar_is_closed_when_its_end_has_come() -> None:
    series = BarSeries(100)
    series.add(T * 1000, 1_000_000, 100)
    series.settle(T + 4.999)
    assert series.closed_since(0) == []
    series.settle(T + 5)
    assert [b.start_s for b in series.closed_since(0)] == [T]


def test_nothing_traded_is_no_bar() -> None:
    series = BarSeries(100)
    series.add(T * 1000, 1_000_000, 100)
    series.add((T + 12) * 1000, 1_000_000, 100)
    series.settle(T + 60)
    assert [b.start_s for b in series.closed_since(0)] == [T, T + 10]


def test_prints_of_the_next_bar_wait_for_the_one_before_to_close() -> None:
    series = BarSeries(100)
    series.add((T + 4) * 1000, 1_000_000, 100)
    series.add((T + 5) * 1000, 2_000_000, 100)
    series.settle(T + 5)
    assert [b.close_e4 for b in series.closed_since(T)] == [1_000_000]
    assert [b.start_s for b in series.between(T, T + 60)] == [T, T + 5]


def test_a_period_has_its_begin_and_not_its_end() -> None:
    series = BarSeries(100)
    series.put(bar(T + s, (1, 1, 1, 1)) for s in (0, 5, 10))
    assert [b.start_s for b in series.between(T + 5, T + 10)] == [T + 5]


def test_a_bar_can_be_replaced() -> None:
    series = BarSeries(100)
    series.put([bar(T, (1, 1, 1, 1))])
    assert series.replace(bar(T, (1, 9, 1, 1)))
    assert not series.replace(bar(T + 5, (1, 9, 1, 1)))
    assert [b.high_e4 for b in series.newest(9)] == [9]


def test_only_the_newest_bars_are_kept() -> None:
    series = BarSeries(10)
    for at in range(30):
        series.put([bar(T + 5 * at, (1, 1, 1, 1))])
    assert 10 <= len(series.newest(99)) <= 20
    assert series.newest(1)[0].start_s == T + 145


def test_bars_add_up_to_larger_ones() -> None:
    fives = [bar(T + 40, (5, 9, 4, 6)), bar(T + 45, (6, 7, 2, 3)), bar(T + 100, (3, 3, 3, 3))]
    assert merged(fives, 60) == [
        Bar(T + 40, 5, 9, 2, 3, 200, 900, 2),
        Bar(T + 100, 3, 3, 3, 3, 100, 300, 1),
    ]
