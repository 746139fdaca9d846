from __future__ import annotations

import pytest

from shared.store.latency import BOUNDS_MS, LatencyHistogram


def histogram(*lags_ms: float) -> LatencyHistogram:
    found = LatencyHistogram()
    for lag_ms in lags_ms:
        found.observe(lag_ms)
    return found


def test_an_empty_histogram_has_no_lag() -> None:
    assert (histogram().quantile_ms(0.99), histogram().max_ms) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("lag_ms", "bucket"), [(0.0, 0), (0.25, 0), (0.26, 1), (1.0, 2), (5000.0, 15), (5000.1, 16)]
)
def test_a_lag_is_counted_in_the_bucket_whose_upper_bound_it_does_not_pass(
    lag_ms: float, bucket: int
) -> None:
    counts = histogram(lag_ms).counts
    assert len(counts) == len(BOUNDS_MS) + 1
    assert [index for index, count in enumerate(counts) if count] == [bucket]


def test_one_observation_may_stand_for_many_items() -> None:
    found = LatencyHistogram()
    found.observe(0.7, 200)
    assert found.counts[2] == 200
    assert found.sum_ms == pytest.approx(140.0)


def test_quantiles_are_the_upper_bounds_of_their_buckets() -> None:
    found = histogram(*[0.4] * 98, 4.0, 90.0)
    assert found.quantile_ms(0.5) == 0.5
    assert found.quantile_ms(0.99) == 5.0
    assert found.quantile_ms(0.999) == 90.0


def test_no_quantile_is_above_the_maximum() -> None:
    assert histogram(0.6).quantile_ms(0.5) == 0.6


def test_beyond_the_last_bound_the_maximum_is_the_quantile() -> None:
    assert histogram(7000.0, 9000.0).quantile_ms(0.5) == 9000.0
