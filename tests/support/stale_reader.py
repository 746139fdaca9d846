"""Looks at what the watchdog publishes, by the names of the contract; shares no code with it."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import redis

Row = dict[str, Any]


class StaleReader:
    """Keeps every look at the stale hash, ten a second."""

    def __init__(self, redis_url: str) -> None:
        self.looks: list[tuple[int, dict[str, Row]]] = []
        # When the watchdog said that it looked, as often as it was seen to say something new.
        self.checked: list[int] = []
        self.ttls: set[int] = set()
        self.broken: list[str] = []
        self._redis = redis.Redis.from_url(
            redis_url, decode_responses=True, socket_timeout=0.5, socket_connect_timeout=0.5
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._redis.close()

    def now(self) -> dict[str, Row]:
        """What is stale, as seen last."""
        return self.looks[-1][1] if self.looks else {}

    def listed(self, since_ms: int) -> set[str]:
        """Every field that was there at any look since then."""
        return {name for at_ms, rows in self.looks if at_ms >= since_ms for name in rows}

    def rows(self, since_ms: int) -> list[tuple[int, str, Row]]:
        return [
            (at_ms, name, row)
            for at_ms, rows in self.looks
            if at_ms >= since_ms
            for name, row in rows.items()
        ]

    def first(self, name: str, since_ms: int) -> tuple[int, Row]:
        return next((at_ms, row) for at_ms, one, row in self.rows(since_ms) if one == name)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            try:
                with self._redis.pipeline(transaction=True) as pipe:
                    pipe.hgetall("monitoring:data:stale")
                    pipe.ttl("monitoring:data:stale")
                    found, ttl_s = pipe.execute()
            except redis.RedisError:
                continue
            if found:
                self._take(found, int(ttl_s))

    def _take(self, found: dict[str, str], ttl_s: int) -> None:
        checked_ms = int(found.pop("_checked_ts", "0"))
        if not checked_ms:
            self.broken.append(f"no _checked_ts beside {sorted(found)}")
        elif checked_ms not in self.checked[-1:]:
            self.checked.append(checked_ms)
        self.ttls.add(ttl_s)
        rows = {name: json.loads(text) for name, text in found.items()}
        self.looks.append((now_ms(), rows))


def now_ms() -> int:
    return time.time_ns() // 1_000_000
