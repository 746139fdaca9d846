"""How something grew, by a regression that a few odd samples do not move (Theil and Sen). Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import Final, NamedTuple

__all__ = ["Growth", "Life", "Sample", "after_warm_up", "growth_of"]

_HOUR_S: Final = 3_600.0
# What is younger is not looked at, and what is younger than four times that neither in full.
_WARM_UP_S: Final = 300.0
_WARM_UP_SHARE: Final = 0.25
_LEAST_S: Final = 120.0
# Neighbouring samples say the same, so that each block of them counts once.
_BLOCKS: Final = 60
_FEWEST: Final = 8
_OF_95: Final = 1.96
# More than so much an hour is told.
ALLOWED_MB_PER_H: Final = 1.0


class Sample(NamedTuple):
    at_s: float
    rss_mb: float
    files: int
    threads: int


# One process from its first sample to its last.
Life = Sequence[Sample]


class Growth(NamedTuple):
    """Per hour, and where it lies with 95 % confidence."""

    per_h: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        if self.high <= ALLOWED_MB_PER_H:
            return "flat"
        return "grows" if self.low > ALLOWED_MB_PER_H else "too short to tell"


def after_warm_up(life: Life) -> Life:
    begin_s, end_s = life[0].at_s, life[-1].at_s
    warm_s = begin_s + min(_WARM_UP_S, _WARM_UP_SHARE * (end_s - begin_s))
    return [sample for sample in life if sample.at_s >= warm_s]


def growth_of(points: Sequence[tuple[float, float]]) -> Growth | None:
    """Of (seconds, value); None where there is too little to tell."""
    if not points or points[-1][0] - points[0][0] < _LEAST_S:
        return None
    blocks = _blocks(points)
    if len(blocks) < _FEWEST:
        return None
    slopes = sorted(
        (late - early) / (late_s - early_s) * _HOUR_S
        for (early_s, early), (late_s, late) in combinations(blocks, 2)
    )
    count = len(blocks)
    # Sen 1968: how far from the middle of all slopes the true one may lie.
    away = _OF_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18) / 2
    middle = len(slopes) / 2
    low = slopes[max(0, math.floor(middle - away))]
    high = slopes[min(len(slopes) - 1, math.ceil(middle + away))]
    return Growth(median(slopes), low, high)


def _blocks(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    size = max(1, -(-len(points) // _BLOCKS))
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    return [(median(s for s, _ in part), median(value for _, value in part)) for part in parts]
