"""Receive-to-readable times of the items written, as a histogram. Pure."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS_MS: Final = (0.25, 0.5, 1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 200, 500, 1000, 5000)


class LatencyHistogram:
    """Counts per bucket (upper bounds in `BOUNDS_MS`, one more above the last)."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.max_ms = 0.0
        self.sum_ms = 0.0

    def observe(self, lag_ms: float, items: int = 1) -> None:
        self.counts[bisect_left(BOUNDS_MS, lag_ms)] += items
        self.sum_ms += lag_ms * items
        if lag_ms > self.max_ms:
            self.max_ms = lag_ms

    def quantile_ms(self, share: float) -> float:
        """Upper bound of the bucket that holds the quantile; the maximum for the last one."""
        total = sum(self.counts)
        if not total:
            return 0.0
        rank, seen = share * total, 0
        for bound, count in zip(BOUNDS_MS, self.counts, strict=False):
            seen += count
            if seen >= rank:
                return min(float(bound), self.max_ms)
        return self.max_ms
