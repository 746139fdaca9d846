from __future__ import annotations

import pytest

from shared.control.mute import Mute

# A bar's start; seconds and clocks below count from it.
T = 1_381_152_600


def traded(until_s: int, now_s: float) -> Mute:
    """Requests of a second ago, the newest bar at `until_s`, a print in that bar."""
    mute = Mute()
    mute.asked(now_s - 1.0)
    mute.print(T + until_s, True, now_s)
    mute.bar(T + until_s, 100, now_s)
    return mute


def bars_judged(mute: Mute, *times_s: float) -> list[bool]:
    return [mute.bars_mute(now_s) for now_s in times_s]


def prints_judged(mute: Mute, *times_s: float) -> list[bool]:
    return [mute.prints_mute(now_s) for now_s in times_s]


def test_nothing_is_mute_before_anything_came() -> None:
    mute = Mute()
    mute.asked(100.0)
    assert (mute.bars_mute(1000.0), mute.prints_mute(1000.0)) == (False, False)


def test_a_symbol_without_a_print_and_without_a_bar_is_quiet_and_not_mute() -> None:
    mute = traded(0, 100.0)
    assert (bars_judged(mute, 101.0, 5000.0), prints_judged(mute, 101.0, 5000.0)) == (
        [False, False], [False, False],
    )  # fmt: skip


def test_a_print_newer_than_every_bar_for_too_long_says_that_the_bars_are_mute() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, True, 106.0)
    assert bars_judged(mute, 107.0, 127.0, 127.1) == [False, False, True]


def test_the_time_without_a_bar_counts_from_the_first_print_beyond_it() -> None:
    mute = traded(0, 100.0)
    for at_s in range(5, 25):
        mute.print(T + at_s, True, 101.0 + at_s)
        mute.bars_mute(101.0 + at_s)
    assert bars_judged(mute, 126.0, 126.1) == [False, True]


def test_prints_of_the_newest_bar_itself_are_proof_of_nothing() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 4, True, 105.0)
    assert bars_judged(mute, 105.0, 200.0) == [False, False]


def test_the_bar_of_the_print_gives_the_bars_their_time_again() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, True, 106.0)
    mute.bars_mute(107.0)
    mute.bar(T + 5, 100, 111.0)
    mute.print(T + 10, True, 126.0)
    assert bars_judged(mute, 127.5, 147.5, 147.6) == [False, False, True]


@pytest.mark.parametrize(("reported", "expected"), [(True, True), (False, False)])
def test_only_a_reported_print_lies_in_a_bar(reported: bool, expected: bool) -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, reported, 106.0)
    assert bars_judged(mute, 107.0, 130.0) == [False, expected]


def test_a_bar_that_comes_late_does_not_make_the_newest_one_older() -> None:
    mute = traded(10, 100.0)
    mute.bar(T + 5, 100, 101.0)
    assert (mute.bar_t, mute.bars_mute(150.0)) == (T + 10, False)


def test_mute_bars_are_repaired_once_a_minute() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, True, 106.0)
    mute.bars_mute(107.0)
    assert bars_judged(mute, 128.0, 128.1, 187.9, 188.0) == [True, False, False, True]


def test_new_requests_give_the_bars_their_time_again() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, True, 106.0)
    mute.bars_mute(107.0)
    mute.asked(120.0)
    mute.print(T + 20, True, 121.0)
    assert bars_judged(mute, 121.0, 141.0, 141.1) == [False, False, True]


def test_bars_with_volume_and_no_print_say_that_the_prints_are_mute() -> None:
    mute = traded(0, 100.0)
    mute.bar(T + 30, 100, 130.0)
    assert prints_judged(mute, 130.0) == [False]
    mute.bar(T + 35, 100, 135.0)
    assert prints_judged(mute, 135.0) == [True]


def test_bars_without_volume_promise_no_print() -> None:
    mute = traded(0, 100.0)
    mute.bar(T + 60, 0, 160.0)
    assert prints_judged(mute, 160.0) == [False]


@pytest.mark.parametrize("reported", [True, False])
def test_any_print_shows_that_prints_come(reported: bool) -> None:
    mute = traded(0, 100.0)
    mute.print(T + 20, reported, 120.0)
    mute.bar(T + 35, 100, 140.0)
    assert prints_judged(mute, 140.0) == [False]


def test_mute_prints_are_repaired_once_a_minute() -> None:
    mute = traded(0, 100.0)
    mute.bar(T + 35, 100, 135.0)
    assert prints_judged(mute, 135.0, 135.1, 194.9, 195.0) == [True, False, False, True]


def test_new_requests_give_the_prints_their_time_again() -> None:
    mute = traded(0, 100.0)
    mute.asked(120.0)
    mute.bar(T + 50, 100, 150.0)
    assert prints_judged(mute, 150.0) == [False]
    mute.bar(T + 55, 100, 155.0)
    assert prints_judged(mute, 155.0) == [True]


def test_bars_and_prints_are_repaired_each_in_its_own_time() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, True, 101.0)
    mute.bars_mute(101.0)
    assert mute.bars_mute(122.0) is True
    mute.bar(T + 30, 100, 135.0)
    assert mute.prints_mute(135.0) is True


def test_a_symbol_that_went_quiet_before_its_bars_were_renewed_is_not_renewed_again() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, True, 106.0)
    assert bars_judged(mute, 107.0, 127.1) == [False, True]
    mute.asked(127.2)
    assert bars_judged(mute, 127.3, 148.0, 188.0, 300.0) == [False, False, False, False]


def test_a_print_of_an_older_second_does_not_take_back_that_a_bar_is_missing() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 20, True, 121.0)
    mute.print(T + 4, True, 121.5)
    assert bars_judged(mute, 122.0, 142.1) == [False, True]


@pytest.mark.parametrize(("at_s", "expected"), [(4, False), (5, True), (9, True)])
def test_a_reported_print_beyond_the_newest_bar_lies_in_none_yet(at_s: int, expected: bool) -> None:
    mute = traded(0, 100.0)
    mute.print(T + at_s, True, 106.0)
    assert mute.unbarred is expected


def test_the_bar_that_comes_and_a_new_request_both_end_that_a_print_lies_in_no_bar() -> None:
    first, second = traded(0, 100.0), traded(0, 100.0)
    for mute in (first, second):
        mute.print(T + 5, True, 106.0)
    first.bar(T + 5, 100, 111.0)
    second.asked(111.0)
    assert (first.unbarred, second.unbarred) == (False, False)


def test_an_unreported_print_lies_in_no_bar_and_is_not_missed_in_one() -> None:
    mute = traded(0, 100.0)
    mute.print(T + 5, False, 106.0)
    assert mute.unbarred is False
