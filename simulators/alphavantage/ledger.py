from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from .moment import Moment

__all__ = ["COLUMNS", "Arrival", "Ledger", "Peak", "key_name"]

COLUMNS: Final = (
    "n", "mono_s", "wall_s", "key", "client", "function", "symbol", "outcome", "status",
)  # fmt: skip
_ARRIVALS_KEPT: Final = 200_000
_SECONDS_KEPT: Final = 3_600


def key_name(key: str) -> str:
    """What stands for a key wherever people may read it."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Arrival:
    key: str
    client: str
    function: str
    symbol: str


class Peak:
    """The largest number of events in any window of a length, counted as they come."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque()
        self.largest = 0

    def add(self, now_s: float) -> None:
        self._times.append(now_s)
        while self._times[0] <= now_s - self._window_s:
            self._times.popleft()
        self.largest = max(self.largest, len(self._times))


class KeyRecord:
    """All that arrived with one key, whether it was granted or not."""

    def __init__(self) -> None:
        self.requests = 0
        self.outcomes: Counter[str] = Counter()
        self.by_client: Counter[str] = Counter()
        self.by_second: dict[int, int] = {}
        self.peak_60s = Peak(60.0)
        self.peak_1s = Peak(1.0)

    def add(self, now: Moment, client: str, outcome: str) -> None:
        self.requests += 1
        self.outcomes[outcome] += 1
        self.by_client[client] += 1
        second = int(now.wall_s)
        self.by_second[second] = self.by_second.get(second, 0) + 1
        if len(self.by_second) > _SECONDS_KEPT:
            del self.by_second[next(iter(self.by_second))]
        self.peak_60s.add(now.mono_s)
        self.peak_1s.add(now.mono_s)

    def snapshot(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "peak_60s": self.peak_60s.largest,
            "peak_1s": self.peak_1s.largest,
            "outcomes": dict(self.outcomes),
            "by_client": dict(self.by_client),
            "by_wall_second": {str(second): n for second, n in self.by_second.items()},
        }


class Ledger:
    """What was asked, by whom and when; it takes no part in what is answered."""

    def __init__(self) -> None:
        self.requests = 0
        self._keys: dict[str, KeyRecord] = {}
        self._asked: Counter[tuple[str, str]] = Counter()
        self._rows: deque[tuple[Any, ...]] = deque(maxlen=_ARRIVALS_KEPT)

    def add(self, now: Moment, arrival: Arrival, outcome: str, status: int) -> None:
        self.requests += 1
        self._keys.setdefault(arrival.key, KeyRecord()).add(now, arrival.client, outcome)
        self._asked[arrival.function, arrival.symbol] += 1
        self._rows.append(
            (self.requests, now.mono_s, now.wall_s, arrival.key, arrival.client,
             arrival.function, arrival.symbol, outcome, status)
        )  # fmt: skip

    def since(self, number: int) -> Iterator[tuple[Any, ...]]:
        """The rows with a larger number, oldest first."""
        first_kept = self.requests - len(self._rows)
        return islice(self._rows, max(0, number - first_kept), None)

    def snapshot(self) -> dict[str, Any]:
        asked: dict[str, dict[str, int]] = {}
        for (function, symbol), count in self._asked.items():
            asked.setdefault(function, {})[symbol] = count
        return {
            "requests": self.requests,
            "keys": {key: record.snapshot() for key, record in self._keys.items()},
            "asked": asked,
        }

    def forget(self) -> None:
        """Numbers go on, so that a reader's `since` stays good."""
        self._keys.clear()
        self._asked.clear()
        self._rows.clear()
