from __future__ import annotations

import pytest

from shared.control.pacing import Pacing


def three_in_ten_seconds(*sent_s: float) -> Pacing:
    pacing = Pacing(3, 10.0)
    for at_s in sent_s:
        pacing.sent(at_s)
    return pacing


def test_all_requests_are_free_before_the_first() -> None:
    assert Pacing(60, 600.0).free(0.0) == 60


def test_every_request_takes_one() -> None:
    assert three_in_ten_seconds(100.0, 101.0).free(101.0) == 1


def test_no_request_is_free_once_all_were_sent() -> None:
    assert three_in_ten_seconds(100.0, 101.0, 102.0).free(102.0) == 0


@pytest.mark.parametrize(
    ("now_s", "free"), [(109.9, 0), (110.0, 1), (110.9, 1), (111.0, 2), (112.0, 3), (500.0, 3)]
)
def test_a_request_is_free_again_once_its_window_is_over(now_s: float, free: int) -> None:
    assert three_in_ten_seconds(100.0, 101.0, 102.0).free(now_s) == free


def test_the_window_slides_with_what_is_sent_later() -> None:
    pacing = three_in_ten_seconds(100.0, 101.0, 102.0)
    pacing.sent(110.0)
    assert [pacing.free(now_s) for now_s in (110.5, 111.0, 119.9, 120.0)] == [0, 1, 2, 3]


def test_a_refusal_holds_everything_back_for_its_wait() -> None:
    pacing = three_in_ten_seconds()
    pacing.refused(100.0, 60.0)
    assert [pacing.free(now_s) for now_s in (100.0, 159.9, 160.0)] == [0, 0, 3]


def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    pacing = three_in_ten_seconds()
    pacing.refused(100.0, 60.0)
    pacing.refused(110.0, 5.0)
    assert [pacing.free(now_s) for now_s in (115.1, 160.0)] == [0, 3]


def test_what_was_sent_before_a_refusal_still_counts_behind_it() -> None:
    pacing = three_in_ten_seconds(100.0, 103.0)
    pacing.refused(103.0, 8.0)
    assert [pacing.free(now_s) for now_s in (110.9, 111.0, 113.0)] == [0, 2, 3]


def test_more_requests_than_were_free_leave_none_and_no_debt_is_shown() -> None:
    pacing = three_in_ten_seconds(100.0, 101.0, 102.0, 103.0, 104.0)
    assert [pacing.free(now_s) for now_s in (104.0, 111.0, 112.0, 113.0)] == [0, 0, 1, 2]
