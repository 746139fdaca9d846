"""How much a worker does a second, from two readings of its counters. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from shared.store.ops_reader import RECENT_S, StatusSeen
from shared.views.words import number

# What each worker counts among its figures. The numbers that ibkr_trades gives stand in Redis
# too, and there they are newer than figures told every ten seconds.
COUNTED: Final = {
    "ibkr_trades": "trades",
    "av_options": "requests",
    "av_sentiment": "requests",
}
_LEAST_S: Final = 0.5
_MOST_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """`basis` says over what: `1.0 s`, or `since start` where there is but one reading."""

    per_s: float
    basis: str


@dataclass(frozen=True, slots=True)
class _Reading:
    at_ms: int
    count: float


class Rates:
    """Rates over up to ten seconds of readings."""

    def __init__(self) -> None:
        self._readings: dict[str, deque[_Reading]] = {}

    def observe(self, seen: StatusSeen) -> dict[str, Rate]:
        """The newest known rate of every worker that has told or given anything."""
        rates = {
            worker: Rate(round(amount / RECENT_S, 2), f"{RECENT_S} s")
            for worker, amount in seen.recent.items()
        }
        for worker, name in COUNTED.items():
            reading = _reading(seen, worker, name)
            rate = self._rate(worker, reading) if reading else None
            rate = rate or _since_start(seen, worker, name)
            if rate is not None:
                rates[worker] = rate
        return rates

    def _rate(self, worker: str, now: _Reading) -> Rate | None:
        kept = self._readings.setdefault(worker, deque())
        if kept and now.count < kept[-1].count:
            kept.clear()
        if not kept or now.at_ms > kept[-1].at_ms:
            kept.append(now)
        while len(kept) > 2 and _span_s(kept[1], kept[-1]) >= _MOST_S:
            kept.popleft()
        span_s = _span_s(kept[0], kept[-1])
        if span_s < _LEAST_S:
            return None
        return Rate(round((kept[-1].count - kept[0].count) / span_s, 2), f"{span_s:.1f} s")


def _span_s(first: _Reading, last: _Reading) -> float:
    return (last.at_ms - first.at_ms) / 1000


def _reading(seen: StatusSeen, worker: str, name: str) -> _Reading | None:
    if worker in seen.counts:
        return _Reading(seen.now_ms, seen.counts[worker])
    figures = seen.figures.get(worker, {})
    at_ms, count = number(figures.get("ts")), number(figures.get(name))
    return None if at_ms is None or count is None else _Reading(int(at_ms), count)


def _since_start(seen: StatusSeen, worker: str, name: str) -> Rate | None:
    """A worker's own average: the last that is known of one that was looked at once."""
    figures, beat = seen.figures.get(worker, {}), seen.beats.get(worker, {})
    at_ms, count = number(figures.get("ts")), number(figures.get(name))
    began_ms = number(beat.get("started_ts"))
    if at_ms is None or count is None or began_ms is None or at_ms <= began_ms:
        return None
    return Rate(round(count / (at_ms - began_ms) * 1000, 2), "since start")
