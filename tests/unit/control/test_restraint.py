from __future__ import annotations

from shared.control.restraint import HoldBack, Restraint

DAY: HoldBack = HoldBack(3600.0, "daily limit", announce=True)


def test_a_burst_holds_everyone_back_for_a_moment() -> None:
    assert Restraint(3600.0).refused("burst", True, 0.0) == HoldBack(
        2.0, "burst limit", announce=False
    )


def test_a_minute_limit_holds_back_to_the_end_of_the_minute() -> None:
    found = Restraint(3600.0).refused("minute", True, 0.0)
    assert (found.wait_s, found.announce) == (None, True)


def test_a_used_up_day_is_long_and_told() -> None:
    assert Restraint(3600.0).refused("daily", True, 0.0) == DAY


def test_a_limit_without_a_number_is_tried_again_after_a_minute() -> None:
    found = Restraint(3600.0).refused("daily", False, 0.0)
    assert (found.wait_s, found.announce) == (60.0, True)


def test_a_text_that_may_mean_the_day_does_when_it_is_repeated() -> None:
    restraint = Restraint(3600.0)
    found = [restraint.refused("burst", False, 5.0 * turn) for turn in range(4)]
    assert [one.wait_s for one in found] == [2.0, 2.0, 3600.0, 3600.0]


def test_an_answer_in_between_means_that_the_day_is_not_used_up() -> None:
    restraint = Restraint(3600.0)
    for turn in range(5):
        assert restraint.refused("burst", False, 5.0 * turn).wait_s == 2.0
        restraint.served()


def test_plain_bursts_however_many_never_mean_the_day() -> None:
    restraint = Restraint(3600.0)
    assert {restraint.refused("burst", True, 5.0 * turn).wait_s for turn in range(20)} == {2.0}


def test_calls_refused_together_count_once() -> None:
    restraint = Restraint(3600.0)
    for now_s in (0.0, 0.1, 0.2, 1.9):
        assert restraint.refused("burst", False, now_s).wait_s == 2.0
    # Each of these moved the end of the hold: the next one after it counts.
    assert restraint.refused("burst", False, 4.0).wait_s == 2.0
    assert restraint.refused("burst", False, 6.1).wait_s == 3600.0
