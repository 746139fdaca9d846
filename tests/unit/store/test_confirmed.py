from __future__ import annotations

import pytest

from shared.store.confirmed import Confirmed, Span
from tests.unit.store.updates import update, updates


def confirmed(*seqs: int) -> Confirmed:
    found = Confirmed()
    for item in updates(*seqs):
        found.add(item)
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
    found = Confirmed()
    for seq, ts_ms in enumerate(times_ms, 1):
        found.add(update(seq, ts_ms=ts_ms))
    assert found.take_above("SPY", 0, 0) == [Span(1, 3, first_ms, last_ms)]
