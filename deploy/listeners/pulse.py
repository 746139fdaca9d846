"""What Redis says of the workers, and since when it has answered at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.listeners.log import log
from shared.store.keys import Keys

NAME: Final = "guardian"
_TIMEOUT_S: Final = 1.0


class Pulse:
    def __init__(self, url: str, keys: Keys) -> None:
        self.client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._keys = keys
        self.since_s: float | None = None

    def read(self, pids: Mapping[str, int], now_s: float) -> dict[str, int]:
        """The time stamp of each worker's heartbeat, where this pid wrote it."""
        try:
            found = self._read(pids)
        except redis.RedisError as error:
            if self.since_s is not None:
                log("WARNING", f"redis does not answer, nobody is judged: {error}")
            self.since_s = None
            return {}
        if self.since_s is None:
            log("INFO", "redis answers")
            self.since_s = now_s
        return found

    def forget(self, now_s: float) -> None:
        """This process did not run for a while: what it knows is old."""
        if self.since_s is not None:
            self.since_s = now_s

    def _read(self, pids: Mapping[str, int]) -> dict[str, int]:
        with self.client.pipeline(transaction=False) as pipe:
            # A write that changes nothing: a Redis that answers and takes no write (out of memory,
            # disk full, a replica) stops every heartbeat, too.
            pipe.setrange(self._keys.control(NAME), 0, "")
            for worker in pids:
                pipe.get(self._keys.heartbeat(worker))
            _, *beats = pipe.execute()
        return _stamps(zip(pids, pids.values(), beats, strict=True))


def _stamps(rows: Iterable[tuple[str, int, object]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for worker, pid, text in rows:
        try:
            beat = json.loads(str(text))
            if beat["pid"] == pid:
                found[worker] = int(beat["ts"])
        except (ValueError, TypeError, KeyError):
            continue
    return found
