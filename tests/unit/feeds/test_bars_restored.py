from __future__ import annotations

import pytest

from shared.market.bar import candle
from tests.unit.feeds.bar_keeping import GRACE_S, M, Rig, bar, history, in_loop, said


def killed(covered_s: int, now_s: float, *bars_s: int) -> Rig:
    """A worker that takes up such bars of SPY, and what came later than `covered_s` is missing."""
    rig = Rig(now_s)
    rig.keeper.restore("SPY", [bar(at_s) for at_s in bars_s], [], (M + covered_s) * 1000)
    return rig


@pytest.mark.parametrize(("now_s", "window"), [(0.0, (0, 10)), (47.0, (0, 55)), (60.0, (60, 70))])
def test_a_first_start_fetches_the_running_minute(now_s: float, window: tuple[int, int]) -> None:
    rig = Rig(now_s)
    rig.keeper.restore("SPY", [], [], None)
    rig.request(now_s)
    assert rig.pending() == [(*window, "start")]


def test_a_first_start_that_is_filled_is_no_loss() -> None:
    rig = Rig(47.0)
    rig.keeper.restore("SPY", [], [], None)
    rig.request(47.0)
    rig.fill(history(0), history(40))
    assert (rig.outlet.bars, rig.outlet.losses) == (
        [("SPY", history(0)), ("SPY", history(40))], [],
    )  # fmt: skip
    assert rig.due(62.0) == [(0, 2, True)]


def test_a_first_start_that_is_not_filled_is_a_loss() -> None:
    rig = Rig(47.0)
    rig.keeper.restore("SPY", [], [], None)
    rig.request(47.0)
    rig.keeper.unfilled(rig.state.backfill.pending("SPY")[0], "no answer")
    assert said(rig.outlet.losses) == [("SPY", 0, 55, "start: not filled, no answer", None)]


def test_a_first_start_with_a_bar_that_cannot_be_read_is_a_loss() -> None:
    rig = Rig(47.0)
    rig.keeper.restore("SPY", [], [], None)
    rig.request(47.0)
    rig.fill(history(0), unreadable=1)
    assert said(rig.outlet.losses) == [
        ("SPY", 0, 55, "start: not filled, 1 bars could not be read", 1)
    ]


def test_a_restart_fetches_what_came_after_the_time_that_was_covered() -> None:
    rig = killed(31, 45.0, 0, 5, 20)
    rig.request(47.0)
    assert rig.pending() == [(20, 55, "restart")]


def test_a_kill_in_the_middle_of_a_minute_costs_its_candle_nothing() -> None:
    rig = killed(31, 45.0, 0, 5, 20)
    rig.request(47.0)
    rig.live(bar(50), bar(55))
    assert rig.due(62.0) == [(0, 5, False)]
    rig.fill(history(20), history(30), history(45), history(50))
    assert rig.due(63.0) == [(0, 7, True)]
    assert said(rig.outlet.losses) == [("SPY", 20, 55, "restart: filled, 2 bars", 0)]


def test_restored_bars_are_not_published_again() -> None:
    rig = killed(31, 45.0, 20, 25)
    rig.request(47.0)
    rig.fill(history(20), history(25), history(30))
    assert rig.outlet.bars == [("SPY", history(30))]


def test_a_minute_that_ended_while_nobody_ran_gets_its_candle() -> None:
    rig = killed(31, 300.0, 0, 30)
    rig.request(301.0)
    rig.fill(history(55), history(65))
    assert rig.due(310.0) == [(0, 3, True), (60, 1, True)]


def test_a_candle_that_an_earlier_run_left_incomplete_is_fetched_to_its_end() -> None:
    rig = Rig(40.0)
    left = candle([bar(0), bar(5)], complete=False)
    rig.keeper.restore("SPY", [bar(0), bar(5)], [left], (M + 30) * 1000)
    rig.request(42.0)
    assert rig.pending() == [(0, 60, "restart")]
    rig.fill(history(30))
    assert rig.due(63.0) == [(0, 3, True)]


def test_an_older_incomplete_candle_is_fetched_as_well() -> None:
    rig = Rig(200.0)
    left = candle([bar(0)], complete=False)
    rig.keeper.restore("SPY", [bar(0), bar(120)], [left], (M + 190) * 1000)
    rig.request(201.0)
    assert rig.pending() == [(0, 210, "restart")]


def test_a_complete_candle_of_an_earlier_run_is_not_written_again() -> None:
    rig = Rig(70.0)
    rig.keeper.restore("SPY", [bar(0), bar(60)], [candle([bar(0)])], (M + 80) * 1000)
    rig.request(90.0)
    rig.fill()
    assert rig.due(122.0) == [(60, 1, True)]


def test_nothing_is_covered_beyond_what_a_restart_has_to_fetch() -> None:
    rig = killed(31, 45.0)
    assert rig.keeper.covered((M + 45) * 1000) == {}
    rig.request(47.0)
    assert rig.keeper.covered((M + 48) * 1000) == {"SPY": (M + 30) * 1000}


def test_a_restart_fetches_nothing_of_a_symbol_without_a_window() -> None:
    rig = killed(31, 45.0)
    rig.request(47.0)
    rig.request(47.0, "QQQ")
    assert (rig.pending(), rig.pending("QQQ")) == ([(20, 55, "restart")], [])


def test_a_stop_writes_the_running_minute_as_incomplete() -> None:
    rig = Rig(70.0)
    rig.live(bar(0), bar(60))
    in_loop(rig.keeper.flush, GRACE_S)
    assert [(each.t - M, each.complete) for each in rig.outlet.candles] == [(0, True), (60, False)]


def test_a_bar_of_a_forgotten_minute_is_published_counted_and_told_once_a_minute() -> None:
    rig = Rig(3600.0)
    rig.live(bar(0), bar(3600))
    rig.due(3700.0)
    rig.live(bar(5), bar(10))
    assert rig.outlet.bars[2:] == [("SPY", bar(5)), ("SPY", bar(10))]
    assert rig.state.counters.late_bars == 2
    assert rig.outlet.incidents == [
        ("late_bar", "SPY", f"bar of {M + 5} came too late for its candle")
    ]


@pytest.mark.parametrize(("later_s", "told"), [(59.9, 1), (60.0, 2)])
def test_late_bars_are_told_again_after_a_minute(later_s: float, told: int) -> None:
    rig = Rig(3600.0)
    rig.live(bar(0), bar(3600))
    rig.due(3700.0)
    rig.live(bar(5), now_s=1000.0)
    rig.live(bar(10), now_s=1000.0 + later_s)
    assert (rig.state.counters.late_bars, len(rig.outlet.incidents)) == (2, told)


def test_late_bars_of_each_symbol_are_told() -> None:
    rig = Rig(3600.0)
    for symbol in ("SPY", "QQQ"):
        rig.live(bar(0), bar(3600), symbol=symbol)
    rig.due(3700.0)
    for symbol in ("SPY", "QQQ"):
        rig.live(bar(5), symbol=symbol)
    assert rig.outlet.incidents == [
        ("late_bar", "SPY", f"bar of {M + 5} came too late for its candle"),
        ("late_bar", "QQQ", f"bar of {M + 5} came too late for its candle"),
    ]


def test_a_bar_that_a_candle_can_take_is_not_late() -> None:
    rig = Rig(3600.0)
    rig.live(bar(0), bar(3600))
    rig.due(3700.0)
    rig.live(bar(3605))
    assert (rig.state.counters.late_bars, rig.outlet.incidents) == (0, [])
