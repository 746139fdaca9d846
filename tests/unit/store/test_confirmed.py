from __future__ import annotations

import pytest

from shared.store.confirmed import Confirmed, Span
from tests.unit.store.updates import update, updates


def confirmed(*seqs: int) -> Confirmed:
    found = Confirmed()
    for item in updates(*seqs):
        found.add(item)
    return found


def late(*starts_ms: int) -> Confirmed:
    """Of bars, whose numbers say nothing about their times."""
    found = Confirmed()
    for seq, start_ms in enumerate(starts_ms, 1):
        found.add(update(seq, ts_ms=start_ms))
    return found


def test_an_unknown_symbol_has_no_number() -> None:
    assert confirmed(1).newest("QQQ") == 0
    assert confirmed(1).take_above("QQQ", 0, 0) == []


def test_consecutive_numbers_are_one_span() -> None:
    assert confirmed(4, 5, 6).take_above("SPY", 0, 0) == [Span(4, 6, 1004, 1006)]


def test_a_missing_number_starts_a_new_span() -> None:
    found = confirmed(1, 2, 5)
    assert found.take_above("SPY", 0, 0) == [Span(1, 2, 1001, 1002), Span(5, 5, 1005, 1005)]


def test_a_span_is_cut_at_the_newest_entry_of_redis() -> None:
    found = confirmed(1, 2, 3)
    assert found.take_above("SPY", 2, 1002) == [Span(3, 3, 1002, 1003)]
    assert found.newest("SPY") == 2


def test_a_span_that_is_cut_without_a_time_has_all_of_its_times_above_the_cut() -> None:
    found = late(100_000, 110_000, 50_000)
    assert found.take_above("SPY", 2, None) == [Span(3, 3, 50_000, 110_000)]


def test_a_span_that_is_cut_without_a_time_keeps_all_of_its_times_below_the_cut() -> None:
    found = late(100_000, 110_000, 50_000)
    found.take_above("SPY", 2, None)
    assert found.take_above("SPY", 0, None) == [Span(1, 2, 50_000, 110_000)]


def test_a_span_that_is_cut_at_an_entry_ends_with_the_time_of_that_entry() -> None:
    found = confirmed(1, 2, 3)
    found.take_above("SPY", 2, 1002)
    assert found.take_above("SPY", 0, 0) == [Span(1, 2, 1001, 1002)]


def test_what_was_taken_is_forgotten() -> None:
    found = confirmed(1, 2, 3)
    found.take_above("SPY", 0, 0)
    assert found.take_above("SPY", 0, 0) == []


def test_only_the_newest_64_spans_are_remembered() -> None:
    found = confirmed(*range(1, 202, 2))
    spans = found.take_above("SPY", 0, 0)
    assert (len(spans), spans[0].first, spans[-1].last) == (64, 75, 201)


@pytest.mark.parametrize(
    ("times_ms", "first_ms", "last_ms"),
    [
        ((5000, 10_000, 15_000), 5000, 15_000),
        ((15_000, 10_000, 5000), 5000, 15_000),
        ((10_000, 5000, 15_000), 5000, 15_000),
        ((10_000, 15_000, 5000), 5000, 15_000),
        ((5000, 5000, 5000), 5000, 5000),
    ],
)
def test_a_span_reaches_from_the_oldest_to_the_newest_time_in_it(
    times_ms: tuple[int, int, int], first_ms: int, last_ms: int
) -> None:
    assert late(*times_ms).take_above("SPY", 0, 0) == [Span(1, 3, first_ms, last_ms)]
