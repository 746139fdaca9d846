from __future__ import annotations

from shared.store.tally import Tally
from tests.unit.store.updates import update, updates


def test_before_the_first_flush_all_figures_are_zero() -> None:
    metrics = Tally().metrics(0)
    assert (metrics["flushes"], metrics["batch_size"], metrics["latency_p99_ms"]) == (0, 0.0, 0.0)


def test_all_but_the_newest_of_each_symbol_are_conflated() -> None:
    tally = Tally()
    tally.flushed([*updates(1, 2, 3), *updates(1, 2, symbol="QQQ")], 2.0)
    assert tally.metrics(5)["conflated"] == 3


def test_the_latency_of_every_item_is_counted_once() -> None:
    tally = Tally()
    tally.flushed([update(1, ts_ms=1000), update(2, ts_ms=1000), update(3, ts_ms=1001)], 1.0014)
    counts = tally.metrics(3)["latency_counts"]
    assert (sum(counts), counts[1], counts[3]) == (3, 1, 2)


def test_the_batch_size_is_the_mean_over_all_flushes() -> None:
    tally = Tally()
    tally.flushed(updates(1, 2, 3), 1.1)
    tally.flushed(updates(4), 1.1)
    assert tally.metrics(4)["batch_size"] == 2.0
