from __future__ import annotations

import pytest

from tests.unit.feeds.bar_keeping import M, Rig, bar, history, said


def interrupted(at_s: float, heard_s: float, requested_s: float) -> Rig:
    rig = Rig()
    rig.interrupt(at_s, heard_s)
    rig.request(requested_s)
    return rig


def test_a_bar_is_published_as_it_came() -> None:
    rig = Rig()
    rig.live(bar(0))
    assert rig.outlet.bars == [("SPY", bar(0))]


def test_a_bar_shows_that_the_request_works() -> None:
    rig = Rig()
    rig.state.bars.ended("SPY", 0.0)
    rig.live(bar(0))
    assert rig.state.bars.ended("SPY", 10.0) == 1.0


@pytest.mark.parametrize(
    ("heard_s", "requested_s", "window"),
    [
        (100.0, 130.0, (90, 140)),
        (104.9, 134.9, (90, 140)),
        (94.9, 135.0, (80, 145)),
        (99.999, 100.0, (85, 110)),
    ],
)
def test_a_window_begins_ten_seconds_before_its_cause_and_ends_behind_the_running_bar(
    heard_s: float, requested_s: float, window: tuple[int, int]
) -> None:
    assert interrupted(104.9, heard_s, requested_s).pending() == [(*window, "disconnect")]


@pytest.mark.parametrize("heard_s", [None, 500.0])
def test_a_window_begins_before_now_where_nothing_was_heard_or_a_clock_ran_ahead(
    heard_s: float | None,
) -> None:
    rig = Rig()
    rig.interrupt(120.0, heard_s)
    rig.request(130.0)
    assert rig.pending() == [(110, 140, "disconnect")]


def test_a_window_that_lasts_keeps_its_beginning_and_its_reason() -> None:
    rig = Rig()
    rig.interrupt(100.0, 100.0)
    rig.keeper.interrupted(["SPY"], "later", (M + 200) * 1000)
    rig.request(220.0)
    assert rig.pending() == [(90, 230, "disconnect")]


def test_a_window_is_not_asked_for_while_it_lasts() -> None:
    rig = Rig()
    rig.interrupt(100.0, 100.0)
    assert rig.pending() == []


def test_a_request_without_an_interruption_asks_for_nothing() -> None:
    rig = Rig()
    rig.request(130.0)
    assert rig.pending() == []


def test_data_that_flows_again_by_itself_closes_the_window_of_its_symbol_alone() -> None:
    rig = Rig()
    rig.interrupt(100.0, 100.0)
    rig.interrupt(100.0, 100.0, "QQQ")
    rig.at_s = 130.0
    rig.keeper.restored(["QQQ"])
    assert (rig.pending(), rig.pending("QQQ")) == ([], [(90, 140, "disconnect")])


def test_what_history_has_is_published_and_what_came_live_stays() -> None:
    rig = Rig()
    rig.live(bar(90))
    rig.interrupt(104.0, 104.0)
    rig.request(120.0)
    rig.live(bar(125, 12.0))
    rig.fill(history(90, 9.0), history(95), history(100), history(125, 9.0))
    assert rig.outlet.bars[2:] == [("SPY", history(95)), ("SPY", history(100))]
    assert rig.state.counters.bars_filled == 2


@pytest.mark.parametrize("at_s", [85, 130, 600])
def test_bars_outside_of_the_window_are_left_out(at_s: int) -> None:
    rig = interrupted(104.0, 104.0, 120.0)
    rig.fill(history(at_s))
    assert (rig.outlet.bars, rig.state.counters.bars_filled) == ([], 0)


def test_the_bar_that_was_in_progress_at_the_request_is_replaced() -> None:
    rig = interrupted(104.0, 104.0, 123.0)
    rig.live(bar(120, 12.0), bar(125, 12.0))
    rig.fill(history(120, 9.0), history(125, 9.0))
    assert rig.outlet.bars[2:] == [("SPY", history(120, 9.0))]


def test_the_bar_in_progress_stays_where_history_says_the_same() -> None:
    rig = interrupted(104.0, 104.0, 123.0)
    rig.live(bar(120))
    rig.fill(history(120))
    assert (rig.outlet.bars[1:], rig.state.counters.bars_filled) == ([], 0)


def test_a_candle_is_incomplete_before_the_fill_and_complete_after_it() -> None:
    rig = Rig()
    rig.live(bar(0), bar(5))
    rig.interrupt(20.0, 20.0)
    rig.request(40.0)
    rig.live(bar(50), bar(55))
    assert rig.due(62.0) == [(0, 4, False)]
    rig.fill(history(15), history(30))
    assert rig.due(63.0) == [(0, 6, True)]
    assert rig.outlet.candles[-1].backfilled is True


def test_a_window_that_history_does_not_fill_leaves_its_candle_incomplete() -> None:
    rig = Rig()
    rig.live(bar(0))
    rig.interrupt(20.0, 20.0)
    rig.request(40.0)
    rig.due(62.0)
    rig.keeper.unfilled(rig.state.backfill.pending("SPY")[0], "no answer")
    assert rig.due(63.0) == []
    assert said(rig.outlet.losses) == [("SPY", 10, 50, "disconnect: not filled, no answer", None)]


def test_the_end_of_a_window_is_entered_with_its_reason_and_how_many_bars_it_had() -> None:
    rig = interrupted(104.0, 104.0, 120.0)
    rig.fill(history(95), history(100))
    assert said(rig.outlet.losses) == [("SPY", 90, 130, "disconnect: filled, 2 bars", 0)]


def test_a_window_in_which_nothing_traded_is_entered_as_filled() -> None:
    rig = interrupted(104.0, 104.0, 120.0)
    rig.fill()
    assert said(rig.outlet.losses) == [("SPY", 90, 130, "disconnect: filled, 0 bars", 0)]


def test_what_lies_beyond_reach_is_entered_as_not_filled_and_the_rest_asked_for() -> None:
    rig = Rig(reach_s=60.0)
    rig.interrupt(100.0, 100.0)
    rig.request(200.0)
    assert said(rig.outlet.losses) == [
        ("SPY", 90, 140, "disconnect: not filled, beyond reach", None)
    ]
    assert rig.pending() == [(140, 210, "disconnect")]


def test_without_reach_every_window_is_entered_as_not_filled_and_nothing_asked_for() -> None:
    rig = Rig(reach_s=0.0)
    rig.interrupt(100.0, 100.0)
    rig.request(120.0)
    assert said(rig.outlet.losses) == [
        ("SPY", 90, 130, "disconnect: not filled, beyond reach", None)
    ]
    assert rig.pending() == []


@pytest.mark.parametrize("n", [1, 3])
def test_a_window_with_bars_that_cannot_be_read_is_not_filled_and_counts_them(n: int) -> None:
    rig = interrupted(104.0, 104.0, 120.0)
    rig.fill(history(95), history(100), unreadable=n)
    assert rig.outlet.bars == [("SPY", history(95)), ("SPY", history(100))]
    assert said(rig.outlet.losses) == [
        ("SPY", 90, 130, f"disconnect: not filled, {n} bars could not be read", n)
    ]
    assert rig.state.counters.bars_filled == 2


def test_the_candle_of_a_bar_that_cannot_be_read_stays_incomplete() -> None:
    rig = Rig()
    rig.live(bar(0))
    rig.interrupt(20.0, 20.0)
    rig.request(40.0)
    rig.due(62.0)
    rig.fill(history(15), unreadable=1)
    assert rig.due(63.0) == [(0, 2, False)]


def test_a_live_bar_that_cannot_be_read_is_fetched_back() -> None:
    rig = Rig()
    rig.live(bar(90))
    rig.at_s = 101.0
    rig.keeper.unreadable("SPY", (M + 100) * 1000)
    assert rig.pending() == [(90, 110, "unreadable bar")]
    rig.fill(history(95))
    assert rig.outlet.bars[1:] == [("SPY", history(95))]
    assert said(rig.outlet.losses) == [("SPY", 90, 110, "unreadable bar: filled, 1 bars", 0)]


def test_a_live_bar_that_cannot_be_read_makes_its_candle_incomplete_until_it_is_there() -> None:
    rig = Rig()
    rig.live(bar(0))
    rig.at_s = 31.0
    rig.keeper.unreadable("SPY", (M + 30) * 1000)
    assert rig.due(62.0) == [(0, 1, False)]
    rig.fill(history(25))
    assert rig.due(63.0) == [(0, 2, True)]


def test_a_bar_that_cannot_be_read_does_not_end_the_outage_that_lasts() -> None:
    rig = Rig()
    rig.interrupt(100.0, 100.0)
    rig.at_s = 101.0
    rig.keeper.unreadable("SPY", (M + 99) * 1000)
    assert rig.pending() == []
    rig.request(160.0)
    assert rig.pending() == [(90, 170, "disconnect")]
