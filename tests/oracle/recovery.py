"""How soon the product is itself again: from when, of whom, and how long it may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.oracle.evidence import Window

__all__ = ["BOUNDS", "Bound", "PongWatch", "bound_of", "percentile", "too_slow"]

_EVERY_S: Final = 0.02
_ANSWER_S: Final = 2.0
# An answer that took longer ends an outage too: of a Redis that was stopped.
_LATE_MS: Final = 300


class Bound(NamedTuple):
    """Seconds that half of all, and 99 of 100, may take."""

    p50: float
    p99: float


# By the first word of what recovered. Of a worker from the kill, of Redis from its first PONG,
# of the gateway from when it listens again.
BOUNDS: Final[Mapping[str, Bound]] = {
    "kill": Bound(5.0, 10.0),
    "redis": Bound(2.0, 2.0),
    "gateway": Bound(10.0, 10.0),
    "gateway, first connect hangs": Bound(15.0, 15.0),
}


def bound_of(name: str) -> Bound | None:
    """A group's own bound, else that of its kind: `kill -9 av_options` is a kill. One surface of
    a group, `redis: depth`, has none of its own."""
    if ": " in name:
        return None
    return BOUNDS.get(name) or BOUNDS.get(name.partition(" ")[0])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def too_slow(recoveries: Mapping[str, Sequence[float]]) -> list[str]:
    """Groups that are over their bound, in words."""
    found: list[str] = []
    for name, times_s in sorted(recoveries.items()):
        bound = bound_of(name)
        if bound is None or not times_s:
            continue
        p50, p99 = percentile(times_s, 0.5), percentile(times_s, 0.99)
        if p50 > bound.p50 or p99 > bound.p99:
            shown = f"{p50:.1f} s and {p99:.1f} s of {len(times_s)}"
            found.append(f"{name}: {shown}, allowed {bound.p50:g} s and {bound.p99:g} s")
    return found


class PongWatch:
    """Asks Redis all the time, so that it is known to 20 ms when it answers again."""

    def __init__(self, url_of: Callable[[], str]) -> None:
        self._url_of = url_of
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pong watch", daemon=True)
        # From the last PONG before to the first one after.
        self.outages: list[Window] = []
        self.answers = True
        self.loading = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(10)

    def answered_ms(self, since_ms: int) -> int | None:
        """The last first PONG after an outage that ended since then."""
        ended = [outage.to_ms for outage in list(self.outages) if outage.to_ms >= since_ms]
        return ended[-1] if ended else None

    def _run(self) -> None:
        client, last_ms = None, _now_ms()
        while not self._ending.wait(_EVERY_S):
            try:
                client = client or self._connect()
                client.ping()
            except (redis.RedisError, OSError) as error:
                client, self.answers = None, False
                self.loading += isinstance(error, redis.BusyLoadingError)
                continue
            now_ms = _now_ms()
            if not self.answers or now_ms - last_ms > _LATE_MS:
                self.outages.append(Window(last_ms, now_ms))
            last_ms, self.answers = now_ms, True

    def _connect(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._url_of(),
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
