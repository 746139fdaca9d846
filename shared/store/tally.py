"""What a sink has done so far, in numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from shared.store.item import Item
from shared.store.latency import BOUNDS_MS, LatencyHistogram


class Tally:
    def __init__(self) -> None:
        self.flushes = 0
        self.refused = 0
        self._conflated = 0
        self._latency = LatencyHistogram()

    def flushed(self, written: Sequence[Item], now_s: float) -> None:
        self.flushes += 1
        # Only the newest of a symbol leaves its last values.
        self._conflated += len(written) - len({item.symbol for item in written})
        # Rows handled in one slice share their receive time.
        for received_s, items in groupby(written, key=attrgetter("received_s")):
            self._latency.observe((now_s - received_s) * 1000.0, len(list(items)))

    def metrics(self, written: int) -> dict[str, Any]:
        latency = self._latency
        return {
            "writes": written,
            "flushes": self.flushes,
            "batch_size": round(written / self.flushes, 2) if self.flushes else 0.0,
            "conflated": self._conflated,
            "refused": self.refused,
            "max_lag_ms": round(latency.max_ms, 3),
            "latency_bounds_ms": list(BOUNDS_MS),
            "latency_counts": list(latency.counts),
            "latency_sum_ms": round(latency.sum_ms, 3),
            "latency_p50_ms": round(latency.quantile_ms(0.5), 3),
            "latency_p99_ms": round(latency.quantile_ms(0.99), 3),
        }
