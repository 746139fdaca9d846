from __future__ import annotations

import pytest

from shared.control.backoff import delay_s

NO_JITTER = 0.5


@pytest.mark.parametrize(
    ("attempt", "expected_s"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 30.0), (6, 30.0)]
)
def test_each_try_waits_twice_as_long_up_to_the_bound(attempt: int, expected_s: float) -> None:
    assert delay_s(attempt, 2.0, 30.0, NO_JITTER) == expected_s


@pytest.mark.parametrize("attempt", [-3, 0, 1])
def test_the_first_try_waits_the_base(attempt: int) -> None:
    assert delay_s(attempt, 2.0, 30.0, NO_JITTER) == 2.0


def test_a_million_tries_still_wait_the_bound() -> None:
    assert delay_s(1_000_000, 2.0, 60.0, NO_JITTER) == 60.0


@pytest.mark.parametrize(("random_unit", "expected_s"), [(0.0, 8.0), (0.5, 10.0), (0.75, 11.0)])
def test_jitter_spreads_a_wait_by_a_fifth(random_unit: float, expected_s: float) -> None:
    assert delay_s(1, 10.0, 60.0, random_unit) == pytest.approx(expected_s)


def test_a_base_above_the_bound_waits_the_bound() -> None:
    assert delay_s(1, 90.0, 60.0, NO_JITTER) == 60.0
