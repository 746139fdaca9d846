from __future__ import annotations

import datetime

import pytest

from simulators.alphavantage.limits import Limits
from simulators.alphavantage.plans import PLANS, Allowance

DAY = datetime.date(2026, 5, 4)


def limits_of(plan: str, count_refused: bool = False) -> Limits:
    return Limits(PLANS[plan], enforced=True, count_refused=count_refused)


@pytest.mark.parametrize(
    ("plan", "per_minute", "per_second"),
    [("75", 75, 5), ("150", 150, 5), ("300", 300, 10), ("600", 600, 20), ("1200", 1200, 30)],
)
def test_each_plan_has_its_own_numbers(plan: str, per_minute: int, per_second: int) -> None:
    assert PLANS[plan] == Allowance(per_minute, per_second)


def test_the_second_holds_so_many_calls_and_slides() -> None:
    limits = limits_of("75")
    assert [limits.take("k", t, DAY) for t in (0.0, 0.125, 0.25, 0.5, 0.75)] == [None] * 5
    assert limits.take("k", 0.999, DAY) == "burst"
    # The call of 0.0 leaves the window at 1.0, that of 0.125 at 1.125.
    assert limits.take("k", 1.0, DAY) is None
    assert limits.take("k", 1.0625, DAY) == "burst"
    assert limits.take("k", 1.125, DAY) is None


def test_the_minute_holds_so_many_calls_and_slides() -> None:
    limits = limits_of("75")
    granted = [limits.take("k", n * 0.5, DAY) for n in range(75)]
    assert granted == [None] * 75
    assert limits.take("k", 37.5, DAY) == "minute"
    assert limits.take("k", 59.999, DAY) == "minute"
    assert limits.take("k", 60.0, DAY) is None
    assert limits.take("k", 60.4, DAY) == "minute"
    assert limits.take("k", 60.5, DAY) is None


def test_a_key_has_windows_of_its_own() -> None:
    limits = limits_of("free")
    assert limits.take("a", 0.0, DAY) is None
    assert limits.take("b", 0.0, DAY) is None
    assert limits.take("a", 0.5, DAY) == "burst"


def test_the_free_plan_ends_with_25_calls_until_the_next_day() -> None:
    limits = limits_of("free")
    assert [limits.take("k", n * 2.0, DAY) for n in range(25)] == [None] * 25
    assert limits.take("k", 100.0, DAY) == "daily"
    assert limits.take("k", 5000.0, DAY) == "daily"
    assert limits.take("k", 5001.0, DAY + datetime.timedelta(days=1)) is None


def test_refused_calls_fill_no_window_unless_told_so() -> None:
    lenient, strict = limits_of("free"), limits_of("free", count_refused=True)
    for limits in (lenient, strict):
        limits.take("k", 0.0, DAY)
        assert limits.take("k", 0.9, DAY) == "burst"
    assert lenient.take("k", 1.0, DAY) is None
    assert strict.take("k", 1.0, DAY) == "burst"


def test_nothing_is_refused_when_limits_are_off() -> None:
    limits = Limits(PLANS["free"], enforced=False, count_refused=False)
    assert [limits.take("k", 0.0, DAY) for _ in range(100)] == [None] * 100


def test_zero_calls_a_second_are_none_at_all() -> None:
    limits = Limits(Allowance(600, 0), enforced=True, count_refused=False)
    assert limits.take("k", 0.0, DAY) == "burst"
