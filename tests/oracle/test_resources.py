from __future__ import annotations

from random import Random

import pytest

from tests.oracle.growth import Sample, growth_of
from tests.oracle.lengths import check_tasks
from tests.oracle.resources import check_growth, check_resources, growth_rows


def life(
    count: int, mb_each: float = 0.0, files_each: float = 0.0, base_mb: float = 80.0
) -> list[Sample]:
    return [
        Sample(100.0 + 2 * n, base_mb + mb_each * n, 20 + int(files_each * n), 5)
        for n in range(count)
    ]


def broken(samples: list[Sample]) -> set[str]:
    return set(check_resources({("ibkr_depth", 7): samples}).by_invariant)


def test_tasks_that_never_end_are_found() -> None:
    steady = {"tasks, ibkr_depth": [9, 12, 9, 40, 12, 9], "keys": [1, 1, 1, 1, 1, 900]}
    assert check_tasks(steady).violations == []
    leaking = {"tasks, av_options": [9, 12, 20, 30, 43, 40]}
    assert check_tasks(leaking).violations == ["tasks flat: tasks, av_options: 12, then 43"]


def test_what_stays_as_it_is_is_flat() -> None:
    assert broken(life(300)) == set()


def test_files_that_are_never_closed_are_found() -> None:
    assert broken(life(300, files_each=0.2)) == {"files flat"}


def test_threads_that_are_never_ended_are_found() -> None:
    leaking = [sample._replace(threads=5 + n // 10) for n, sample in enumerate(life(300))]
    assert broken(leaking) == {"threads flat"}


def test_memory_without_bound_is_found() -> None:
    assert broken(life(300, mb_each=2.0)) == {"memory bounded"}


def test_growth_is_told_with_its_confidence() -> None:
    # 0.01 MB every 2 s
    found = growth_of([(s.at_s, s.rss_mb) for s in life(600, mb_each=0.01)])
    assert found is not None
    assert found.per_h == pytest.approx(18.0)
    assert found.low <= found.per_h <= found.high < 18.1
    assert found.verdict == "grows"


def test_a_few_odd_samples_move_nothing() -> None:
    samples = [s._replace(rss_mb=500.0) if n % 97 == 0 else s for n, s in enumerate(life(600))]
    found = growth_of([(s.at_s, s.rss_mb) for s in samples])
    assert found is not None
    assert (found.per_h, found.verdict) == (0.0, "flat")


def test_noise_makes_the_interval_wide_and_a_longer_life_narrow() -> None:
    random = Random(1)

    def width(count: int) -> float:
        points = [(s.at_s, s.rss_mb + random.uniform(-0.2, 0.2)) for s in life(count)]
        found = growth_of(points)
        assert found is not None
        assert found.low < 0 < found.high
        return found.high - found.low

    assert width(2_000) < width(120) / 5


def test_too_short_a_life_tells_nothing() -> None:
    assert growth_of([(s.at_s, s.rss_mb) for s in life(50)]) is None


def test_what_comes_while_it_warms_up_does_not_count() -> None:
    warming = [s._replace(rss_mb=s.rss_mb + min(n, 200) * 0.1) for n, s in enumerate(life(900))]
    row = growth_rows({("ibkr_depth", 7): warming})["ibkr_depth"]
    assert (row["mb_per_h"], row["rss_mb"]) == ([0.0, 0.0, 0.0], [95.0, 100.0])


def test_growth_is_held_against_the_product_once_it_was_seen_for_long() -> None:
    for minutes, found in ((12, {"memory flat"}), (5, set())):
        lives = {("ibkr_depth", 7): life(minutes * 40, mb_each=0.01)}
        assert set(check_growth(growth_rows(lives)).by_invariant) == found
