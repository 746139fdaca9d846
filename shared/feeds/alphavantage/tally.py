"""Counters of a round of polls, and a log that tells the first failure and the recovery."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loguru import logger

from shared.control.circuit import Outcome
from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer

_LATENCIES_KEPT: Final = 512
# Upper bounds of a histogram that can be summed over time and processes, as percentiles cannot.
FETCH_BOUNDS_MS: Final = (10, 25, 50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 15_000)
# So many transport faults in a row, whatever the symbol, are no longer one symbol's.
_OUT_OF_REACH: Final = 3


@dataclass(slots=True)
class PollTally:
    """`attempts` begins with 0 for each type that will be polled."""

    answers: Counter[str] = field(default_factory=Counter)
    # Requests sent by type of data, repeated ones too.
    attempts: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    bad_documents: int = 0
    store_retries: int = 0
    unstored: int = 0
    failures: int = 0
    connected: bool = False
    last_error: str = ""
    _faults: int = 0
    _latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES_KEPT))
    _fetch_counts: list[int] = field(default_factory=lambda: [0] * (len(FETCH_BOUNDS_MS) + 1))
    _fetch_sum_ms: float = 0.0
    _failing: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def answered(self) -> bool:
        return bool(self.answers)

    def answer(self, poll: Poll, answer: Answer) -> None:
        self.answers[answer.kind] += 1
        self.attempts[poll.kind] += answer.attempts
        self.bytes += len(answer.body)
        if answer.kind == "transport":
            self._faults += 1
            self.last_error = answer.text
            self.connected = self.connected and self._faults < _OUT_OF_REACH
            return
        self._faults = 0
        self.connected = True
        self._latencies.append(answer.fetch_ms)
        self._fetch_counts[bisect_left(FETCH_BOUNDS_MS, answer.fetch_ms)] += 1
        self._fetch_sum_ms += answer.fetch_ms

    def outcome(self, poll: Poll, outcome: Outcome, text: str) -> None:
        """The first failure is a warning, the recovery says how many there were."""
        name = (poll.symbol, poll.kind)
        if outcome == "failed":
            self.failures += 1
            self._failing[name] += 1
            level = "WARNING" if self._failing[name] == 1 else "DEBUG"
            logger.log(level, "{} {} failed: {}", poll.symbol, poll.kind, text)
        elif outcome in ("ok", "empty") and (count := self._failing.pop(name, 0)):
            logger.info("{} {} is back after {} failures", poll.symbol, poll.kind, count)

    def figures(self) -> dict[str, Any]:
        """Counters since the start; percentiles in ms over the last answers."""
        latencies = sorted(self._latencies)
        return {
            "requests": self.attempts.total(),
            "requests_by_type": dict(self.attempts),
            "answers": dict(self.answers),
            "bytes": self.bytes,
            "failures": self.failures,
            "bad_documents": self.bad_documents,
            "store_retries": self.store_retries,
            "unstored": self.unstored,
            "fetch_ms_p50": _quantile(latencies, 0.5),
            "fetch_ms_p99": _quantile(latencies, 0.99),
            "fetch_bounds_ms": list(FETCH_BOUNDS_MS),
            "fetch_counts": list(self._fetch_counts),
            "fetch_sum_ms": round(self._fetch_sum_ms, 3),
        }


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
