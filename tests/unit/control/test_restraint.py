from __future__ import annotations

from shared.control.restraint import HoldBack, Restraint

DAY: HoldBack = HoldBack(3600.0, "daily limit", announce=True)


def test_a_burst_holds_everyone_back_for_a_moment() -> None:
    assert Restraint(3600.0).refused("burst", True) == HoldBack(2.0, "burst limit", announce=False)


def test_a_minute_limit_holds_back_to_the_end_of_the_minute() -> None:
    found = Restraint(3600.0).refused("minute", True)
    assert (found.wait_s, found.announce) == (None, True)


def test_a_used_up_day_is_long_and_told() -> None:
    assert Restraint(3600.0).refused("daily", True) == DAY


def test_a_limit_without_a_number_is_tried_again_after_a_minute() -> None:
    found = Restraint(3600.0).refused("daily", False)
    assert (found.wait_s, found.announce) == (60.0, True)


def test_a_text_that_may_mean_the_day_does_when_it_is_repeated() -> None:
    restraint = Restraint(3600.0)
    found = [restraint.refused("burst", False) for _ in range(4)]
    assert [one.wait_s for one in found] == [2.0, 2.0, 3600.0, 3600.0]


def test_an_answer_in_between_means_that_the_day_is_not_used_up() -> None:
    restraint = Restraint(3600.0)
    for _ in range(5):
        assert restraint.refused("burst", False).wait_s == 2.0
        restraint.served()


def test_plain_bursts_however_many_never_mean_the_day() -> None:
    restraint = Restraint(3600.0)
    assert {restraint.refused("burst", True).wait_s for _ in range(20)} == {2.0}
