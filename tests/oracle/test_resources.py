from __future__ import annotations

import pytest

from tests.oracle.resources import Sample, check_resources, slope_of


def life(
    count: int, mb_each: float = 0.0, files_each: float = 0.0, base_mb: float = 80.0
) -> list[Sample]:
    return [
        Sample(100.0 + 2 * n, base_mb + mb_each * n, 20 + int(files_each * n), 5)
        for n in range(count)
    ]


def broken(samples: list[Sample]) -> set[str]:
    return set(check_resources({("ibkr_depth", 7): samples}).by_invariant)


def test_what_stays_as_it_is_is_flat() -> None:
    assert broken(life(300)) == set()


def test_files_that_are_never_closed_are_found() -> None:
    assert broken(life(300, files_each=0.2)) == {"files flat"}


def test_threads_that_are_never_ended_are_found() -> None:
    leaking = [sample._replace(threads=5 + n // 10) for n, sample in enumerate(life(300))]
    assert broken(leaking) == {"threads flat"}


def test_memory_without_bound_is_found() -> None:
    assert broken(life(300, mb_each=2.0)) == {"memory bounded"}


def test_a_slope_is_told_with_its_confidence() -> None:
    found = slope_of(life(600, mb_each=0.01))
    assert found is not None
    # 0.01 MB every 2 s
    assert found.mb_per_h == pytest.approx(18.0)
    assert found.plus_minus < 0.01


def test_too_short_a_life_has_no_slope() -> None:
    assert slope_of(life(100)) is None
