from __future__ import annotations

import pytest

from shared.control.minutes import OPEN_END, Minutes, Outage
from shared.market.bar import Bar, Candle, candle

# A wall minute; bars and clocks below count from it.
M = 1_381_152_600
GRACE_S = 2.0


def bar(at_s: int, price: float = 10.0, volume: float = 100) -> Bar:
    return Bar(M + at_s, price, price, price, price, volume, price, 1)


def backfilled(at_s: int, price: float = 10.0) -> Bar:
    return Bar(M + at_s, price, price, price, price, 100, price, 1, backfilled=True)


def minutes_with(*bars: Bar) -> Minutes:
    minutes = Minutes()
    for each in bars:
        minutes.add(each)
    return minutes


def due(minutes: Minutes, at_s: float) -> list[Candle]:
    return minutes.due(M + at_s, GRACE_S)


def shown(candles: list[Candle]) -> list[tuple[int, int, bool]]:
    """Minute from `M` on, number of bars, whether complete."""
    return [(each.t - M, each.bars, each.complete) for each in candles]


def test_a_minute_is_due_at_its_boundary_plus_the_grace() -> None:
    minutes = minutes_with(bar(0), bar(55, 11.0))
    assert due(minutes, 61.9) == []
    assert due(minutes, 62.0) == [candle([bar(0), bar(55, 11.0)])]


def test_a_minute_without_bars_has_no_candle() -> None:
    assert shown(due(minutes_with(bar(0), bar(120)), 300.0)) == [(0, 1, True), (120, 1, True)]


def test_a_candle_is_handed_out_once() -> None:
    minutes = minutes_with(bar(0))
    due(minutes, 62.0)
    assert due(minutes, 63.0) == []


def test_the_running_minute_is_not_due() -> None:
    assert shown(due(minutes_with(bar(0), bar(60)), 70.0)) == [(0, 1, True)]


def test_a_late_bar_writes_its_minute_again() -> None:
    minutes = minutes_with(bar(0))
    due(minutes, 62.0)
    minutes.add(bar(55, 12.0))
    assert due(minutes, 63.0) == [candle([bar(0), bar(55, 12.0)])]


def test_a_corrected_bar_replaces_the_one_of_the_same_start() -> None:
    minutes = minutes_with(bar(0), bar(5))
    due(minutes, 62.0)
    minutes.add(bar(5, 9.0))
    assert due(minutes, 63.0) == [candle([bar(0), bar(5, 9.0)])]


def test_a_bar_that_comes_again_changes_nothing() -> None:
    minutes = minutes_with(bar(0))
    due(minutes, 62.0)
    minutes.add(bar(0))
    assert due(minutes, 63.0) == []


def test_a_live_bar_that_is_backfilled_with_the_same_values_stays_live() -> None:
    minutes = minutes_with(bar(0))
    minutes.add(backfilled(0))
    assert due(minutes, 62.0)[0].backfilled is False


def test_a_backfilled_bar_with_other_values_corrects_the_live_one() -> None:
    minutes = minutes_with(bar(0))
    minutes.add(backfilled(0, 9.0))
    assert due(minutes, 62.0) == [candle([backfilled(0, 9.0)])]


@pytest.mark.parametrize(
    ("from_s", "to_s", "complete"),
    [
        (M - 10, M, True),
        (M - 10, M + 1, False),
        (M + 20, M + 25, False),
        (M + 59, M + 90, False),
        (M + 60, M + 90, True),
        (M + 20, M + 20, True),
        (M + 20, OPEN_END, False),
    ],
)
def test_a_minute_that_an_outage_touches_is_incomplete(
    from_s: float, to_s: float, complete: bool
) -> None:
    minutes = minutes_with(bar(0))
    minutes.outage(from_s, to_s)
    assert shown(due(minutes, 62.0)) == [(0, 1, complete)]


def test_a_written_minute_is_written_again_when_an_outage_in_it_becomes_known() -> None:
    minutes = minutes_with(bar(0))
    due(minutes, 62.0)
    minutes.outage(M + 30, M + 40)
    assert shown(due(minutes, 63.0)) == [(0, 1, False)]


def test_minutes_after_the_end_of_an_outage_are_complete() -> None:
    minutes = minutes_with(bar(0))
    minutes.outage(M + 30)
    minutes.add(bar(120))
    assert shown(due(minutes, 182.0)) == [(0, 1, False), (120, 1, False)]
    minutes.outage_ended(M + 100)
    assert shown(due(minutes, 183.0)) == [(120, 1, True)]
    assert minutes.outages == (Outage(M + 30, M + 100),)


def test_an_outage_that_ends_where_it_began_was_none() -> None:
    minutes = minutes_with(bar(0))
    minutes.outage(M + 30)
    minutes.outage_ended(M + 30)
    assert minutes.outages == ()


def test_the_end_of_one_outage_leaves_those_that_had_ended() -> None:
    minutes = Minutes()
    minutes.outage(M + 10, M + 20)
    minutes.outage(M + 30)
    minutes.outage_ended(M + 40)
    assert minutes.outages == (Outage(M + 10, M + 20), Outage(M + 30, M + 40))


def test_a_filled_outage_makes_its_minute_complete() -> None:
    minutes = minutes_with(bar(0), bar(55))
    minutes.outage(M + 5, M + 55)
    due(minutes, 62.0)
    minutes.add(backfilled(30))
    minutes.filled(M + 5, M + 55)
    assert due(minutes, 63.0) == [candle([bar(0), backfilled(30), bar(55)])]


def test_an_outage_in_which_nothing_traded_is_filled_without_a_bar() -> None:
    minutes = minutes_with(bar(0))
    minutes.outage(M + 5, M + 55)
    due(minutes, 62.0)
    minutes.filled(M, M + 60)
    assert shown(due(minutes, 63.0)) == [(0, 1, True)]


def test_an_outage_that_is_filled_in_part_leaves_the_rest() -> None:
    minutes = minutes_with(bar(0), bar(60), bar(120))
    minutes.outage(M + 30, M + 150)
    minutes.filled(M + 60, M + 120)
    assert minutes.outages == (Outage(M + 30, M + 60), Outage(M + 120, M + 150))
    assert shown(due(minutes, 200.0)) == [(0, 1, False), (60, 1, True), (120, 1, False)]


def test_what_was_filled_elsewhere_leaves_an_outage_as_it_is() -> None:
    minutes = Minutes()
    minutes.outage(M + 30, M + 40)
    minutes.filled(M, M + 30)
    minutes.filled(M + 40, M + 60)
    assert minutes.outages == (Outage(M + 30, M + 40),)


def test_a_stop_writes_the_running_minute_as_incomplete() -> None:
    minutes = minutes_with(bar(0), bar(60))
    assert shown(minutes.flush(M + 70, GRACE_S)) == [(0, 1, True), (60, 1, False)]


def test_a_stop_does_not_write_again_what_was_written() -> None:
    minutes = minutes_with(bar(0))
    due(minutes, 62.0)
    assert minutes.flush(M + 63, GRACE_S) == []


def test_a_minute_with_all_its_bars_is_complete_at_a_stop_within_the_grace() -> None:
    minutes = minutes_with(*(bar(at_s) for at_s in range(0, 60, 5)))
    assert shown(minutes.flush(M + 60.5, GRACE_S)) == [(0, 12, True)]


def test_a_minute_that_was_flushed_early_is_written_again_at_its_end() -> None:
    minutes = minutes_with(bar(0))
    minutes.flush(M + 30, GRACE_S)
    assert shown(due(minutes, 62.0)) == [(0, 1, True)]


def test_a_restored_running_minute_goes_on_with_its_old_bars() -> None:
    minutes = Minutes()
    minutes.restore([bar(0, 9.0), bar(5)])
    minutes.add(bar(30, 11.0))
    assert due(minutes, 62.0) == [candle([bar(0, 9.0), bar(5), bar(30, 11.0)])]


def test_a_restored_candle_that_its_bars_still_give_is_not_written_again() -> None:
    minutes = Minutes()
    minutes.restore([bar(0), bar(60)], [candle([bar(0)])])
    assert shown(due(minutes, 122.0)) == [(60, 1, True)]


def test_a_restored_candle_that_lacks_a_bar_is_written_again() -> None:
    minutes = Minutes()
    minutes.restore([bar(0), bar(55)], [candle([bar(0)])])
    assert shown(due(minutes, 62.0)) == [(0, 2, True)]


def test_a_restored_incomplete_minute_stays_so_until_all_of_it_is_filled() -> None:
    minutes = Minutes()
    minutes.restore([bar(0)], [candle([bar(0)], complete=False)])
    minutes.filled(M, M + 30)
    assert due(minutes, 62.0) == []
    minutes.filled(M + 30, M + 60)
    assert shown(due(minutes, 63.0)) == [(0, 1, True)]


def test_only_the_last_minutes_are_remembered() -> None:
    minutes = Minutes(keep_minutes=2)
    for at_s in (0, 60, 120, 180):
        minutes.add(bar(at_s))
    due(minutes, 250.0)
    assert [minutes.add(bar(at_s, 11.0)) for at_s in (0, 60, 120)] == [False, True, True]
    assert minutes.refused_bars == 1


def test_a_bar_of_a_forgotten_minute_makes_no_candle_of_its_own() -> None:
    minutes = Minutes(keep_minutes=1)
    minutes.add(bar(0))
    minutes.add(bar(600))
    due(minutes, 662.0)
    minutes.add(bar(5))
    assert due(minutes, 663.0) == []


def test_minutes_of_an_unfilled_outage_are_remembered_and_taken() -> None:
    minutes = Minutes(keep_minutes=1)
    minutes.add(bar(0))
    minutes.outage(M + 30, M + 570)
    minutes.add(bar(600))
    due(minutes, 662.0)
    assert [minutes.add(backfilled(at_s)) for at_s in (30, 300)] == [True, True]
    minutes.filled(M, M + 600)
    assert shown(due(minutes, 663.0)) == [(0, 2, True), (300, 1, True)]


def test_a_clock_that_runs_ahead_makes_no_minute_forgotten() -> None:
    minutes = minutes_with(bar(0))
    minutes.due(M + 86_400, GRACE_S)
    assert minutes.add(bar(5)) is True


def test_a_bar_that_runs_ahead_makes_no_minute_forgotten() -> None:
    minutes = minutes_with(bar(0), bar(86_400))
    due(minutes, 62.0)
    assert minutes.add(bar(5)) is True


def test_outages_are_bounded() -> None:
    minutes = Minutes()
    for n in range(70):
        minutes.outage(M + n, M + n + 0.5)
    assert (len(minutes.outages), minutes.outages[0].from_s) == (64, M + 6)


@pytest.mark.parametrize("now_s", [1_790_000_000.0, M + 86_400.0])
def test_bars_of_a_recording_are_taken_where_no_minute_was_there_before_them(now_s: float) -> None:
    minutes = Minutes()
    minutes.due(now_s, GRACE_S)
    assert [minutes.add(bar(0)), minutes.refused_bars] == [True, 0]
    assert shown(minutes.due(now_s, GRACE_S)) == [(0, 1, True)]


def test_what_was_forgotten_stays_so_however_late_it_is_looked_at() -> None:
    minutes = Minutes(keep_minutes=1)
    minutes.add(bar(0))
    minutes.add(bar(600))
    due(minutes, 662.0)
    minutes.due(1_790_000_000.0, GRACE_S)
    assert [minutes.add(bar(at_s)) for at_s in (5, 605)] == [False, True]
