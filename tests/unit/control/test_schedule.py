from __future__ import annotations

import math

import pytest

from shared.control.schedule import Poll, Schedule

SYMBOLS = ("SPY", "QQQ", "IWM", "DIA")
SPY = Poll("SPY", "options", 10.0)
QQQ = Poll("QQQ", "options", 10.0)


def anyone(poll: Poll) -> bool:
    return True


def schedule(*polls: Poll, jitter: float = 0.0, unit: float = 0.5) -> Schedule:
    return Schedule(polls, jitter, lambda: unit, 0.0)


def options(number: int = 4, interval_s: float = 10.0) -> list[Poll]:
    return [Poll(symbol, "options", interval_s) for symbol in SYMBOLS[:number]]


def fetched(*polls: Poll, at_s: float = 0.0) -> Schedule:
    """All of them were fetched at `at_s`, at once."""
    made = schedule(*polls)
    for poll in polls:
        made.start(poll, at_s)
        made.finish(poll)
    return made


def started(made: Schedule, until_s: float, step_s: float = 0.125) -> list[tuple[float, str]]:
    """Who is started when, each served the moment it is due."""
    starts, now_s = [], 0.0
    while now_s <= until_s:
        while (poll := made.due(now_s, anyone)) is not None:
            made.start(poll, now_s)
            made.finish(poll)
            starts.append((now_s, poll.symbol))
        now_s += step_s
    return starts


def test_at_the_start_all_are_due_in_the_given_order() -> None:
    assert started(schedule(*options()), 0.0) == [(0.0, symbol) for symbol in SYMBOLS]


def test_turns_are_spread_evenly_after_the_first_fetch() -> None:
    assert started(schedule(*options()), 25.0)[4:] == [
        *((5.0, "IWM"), (7.5, "DIA"), (10.0, "SPY"), (12.5, "QQQ")),
        *((15.0, "IWM"), (17.5, "DIA"), (20.0, "SPY"), (22.5, "QQQ"), (25.0, "IWM")),
    ]


def test_the_indicators_of_a_symbol_share_their_moments() -> None:
    polls = [
        Poll(symbol, kind, 60.0) for symbol in ("SPY", "QQQ") for kind in ("RSI", "MACD", "ATR")
    ]
    starts = started(schedule(*polls), 119.0)[6:]
    assert starts == [(30.0, "QQQ")] * 3 + [(60.0, "SPY")] * 3 + [(90.0, "QQQ")] * 3


def test_every_interval_is_spread_on_its_own() -> None:
    polls = [*options(2), Poll("SPY", "sentiment", 300.0), Poll("QQQ", "sentiment", 300.0)]
    made = fetched(*polls)
    due = []
    for now_s in (149.9, 150.0, 299.9, 300.0):
        poll = made.due(now_s, lambda poll: poll.kind == "sentiment")
        due.append(poll and poll.symbol)
        if poll is not None:
            made.start(poll, now_s)
            made.finish(poll)
    assert due == [None, "QQQ", None, "SPY"]


def test_a_turn_is_moved_around_its_moment_and_the_grid_is_not() -> None:
    units = iter([0.0, 0.75, 0.5])
    made = Schedule([SPY], 0.2, lambda: next(units), 0.0)
    moments = []
    for now_s in (0.0, 9.0, 20.5):
        made.start(SPY, now_s)
        made.finish(SPY)
        moments.append(now_s + made.wait_s(now_s))
    assert moments == pytest.approx([9.0, 20.5, 30.0])


def test_what_is_in_flight_is_not_due() -> None:
    made = schedule(SPY, QQQ)
    made.start(SPY, 0.0)
    assert (made.due(0.0, anyone), made.in_flight) == (QQQ, 1)
    assert made.due(100.0, lambda poll: poll == SPY) is None
    made.finish(SPY)
    assert (made.due(100.0, lambda poll: poll == SPY), made.in_flight) == (SPY, 0)


def test_what_is_not_allowed_stays_due_and_the_next_one_goes() -> None:
    made = schedule(SPY, QQQ)
    assert made.due(0.0, lambda poll: poll != SPY) == QQQ
    assert made.due(0.0, lambda poll: False) is None
    assert (made.due(0.0, anyone), made.wait_s(0.0)) == (SPY, 0.0)


def test_what_is_skipped_waits_for_its_next_turn_without_being_in_flight() -> None:
    made = schedule(SPY)
    made.skip(SPY, 0.0)
    assert (made.in_flight, made.due(9.9, anyone), made.due(10.0, anyone)) == (0, None, SPY)
    made.skip(SPY, 10.0)
    assert made.wait_s(10.0) == 10.0


def test_the_most_overdue_goes_first() -> None:
    made = fetched(SPY, Poll("QQQ", "options", 12.0))
    assert [made.due(11.9, anyone), made.due(40.0, anyone)] == [SPY, SPY]
    made.start(SPY, 40.0)
    assert made.due(40.0, anyone) == Poll("QQQ", "options", 12.0)


def test_a_late_turn_takes_those_it_missed_with_it() -> None:
    made = fetched(SPY)
    made.start(SPY, 34.0)
    made.finish(SPY)
    assert made.wait_s(34.0) == 6.0


def test_a_turn_sooner_than_half_an_interval_after_a_late_one_is_left_out() -> None:
    made = fetched(SPY)
    made.start(SPY, 36.0)
    made.finish(SPY)
    assert made.wait_s(36.0) == 14.0


def test_a_poll_in_flight_over_its_turns_fires_once() -> None:
    made = fetched(SPY)
    made.start(SPY, 10.0)
    made.finish(SPY)
    assert made.due(44.0, anyone) == SPY
    made.start(SPY, 44.0)
    made.finish(SPY)
    assert (made.due(44.0, anyone), made.wait_s(44.0)) == (None, 6.0)


def test_a_turn_moved_forward_keeps_half_an_interval_from_a_late_one() -> None:
    made = schedule(SPY, jitter=0.5, unit=0.0)
    made.start(SPY, 4.0)
    made.finish(SPY)
    assert made.wait_s(4.0) == 5.0


def test_the_wait_is_until_the_next_turn() -> None:
    made = fetched(*options())
    assert (made.wait_s(0.0), made.wait_s(4.5), made.wait_s(5.0)) == (5.0, 0.5, 0.0)
    assert made.wait_s(60.0) == 0.0


def test_without_anything_to_wait_for_the_wait_has_no_end() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    assert (made.wait_s(100.0), made.overdue_s(100.0)) == (math.inf, 0.0)
    empty = schedule()
    assert (empty.wait_s(0.0), empty.overdue_s(0.0), empty.due(0.0, anyone)) == (math.inf, 0, None)


def test_the_most_overdue_tells_how_short_calls_are() -> None:
    made = fetched(SPY, QQQ)
    assert (made.overdue_s(4.0), made.overdue_s(7.0)) == (0.0, 2.0)


# Trying again


def test_what_is_tried_again_is_due_after_its_wait() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.retry(SPY, 0.5, 2.0)
    assert (made.in_flight, made.wait_s(0.5)) == (0, 2.0)


def test_a_try_again_that_is_later_than_the_next_turn_comes_with_it() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.retry(SPY, 0.5, 60.0)
    assert made.wait_s(0.5) == 9.5


def test_a_turn_missed_in_flight_does_not_cut_the_wait_short() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.retry(SPY, 11.0, 3.0)
    assert made.wait_s(11.0) == 3.0


def test_a_try_again_does_not_move_the_grid() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.retry(SPY, 0.5, 2.0)
    made.start(SPY, 2.5)
    made.finish(SPY)
    assert made.wait_s(2.5) == 7.5


def test_a_try_again_is_made_once() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.retry(SPY, 0.5, 2.0)
    made.skip(SPY, 2.5)
    assert made.wait_s(2.5) == 7.5


# Outside market hours


def test_slowed_down_the_turns_are_spread_over_the_longer_interval() -> None:
    made = fetched(*options())
    made.slow_down(6.0, 0.0)
    assert started(made, 100.0) == [
        *((30.0, "IWM"), (45.0, "DIA"), (60.0, "SPY"), (75.0, "QQQ"), (90.0, "IWM"))
    ]


def test_what_has_no_data_yet_is_fetched_at_once_though_slowed_down() -> None:
    made = schedule(*options())
    made.slow_down(6.0, 0.0)
    assert started(made, 1.0) == [(0.0, symbol) for symbol in SYMBOLS]


def test_what_is_overdue_stays_due_when_slowed_down() -> None:
    made = fetched(SPY)
    made.slow_down(6.0, 12.0)
    assert (made.due(12.0, anyone), made.overdue_s(12.0)) == (SPY, 2.0)


def test_a_try_again_is_not_put_off_by_slowing_down() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.retry(SPY, 0.5, 2.0)
    made.slow_down(6.0, 1.0)
    assert made.wait_s(1.0) == 1.5


def test_back_at_full_speed_the_turns_come_within_an_interval_and_not_at_once() -> None:
    made = fetched(*options())
    made.slow_down(6.0, 0.0)
    made.slow_down(1.0, 20.0)
    assert started(made, 30.0) == [
        *((20.0, "SPY"), (22.5, "QQQ"), (25.0, "IWM"), (27.5, "DIA"), (30.0, "SPY"))
    ]


def test_back_at_full_speed_half_an_interval_lies_after_the_last_start() -> None:
    made = fetched(SPY)
    made.slow_down(6.0, 0.0)
    made.start(SPY, 60.0)
    made.finish(SPY)
    made.slow_down(1.0, 61.0)
    assert made.wait_s(61.0) == 10.0


def test_what_is_in_flight_gets_its_next_turn_from_the_new_interval() -> None:
    made = schedule(SPY)
    made.start(SPY, 0.0)
    made.slow_down(6.0, 15.0)
    made.finish(SPY)
    assert made.wait_s(15.0) == 60.0


def test_the_same_speed_again_changes_nothing() -> None:
    made = fetched(SPY)
    made.slow_down(6.0, 4.0)
    wait_s = made.wait_s(10.0)
    made.slow_down(6.0, 10.0)
    made.slow_down(6.0, 10.0)
    assert made.wait_s(10.0) == wait_s
