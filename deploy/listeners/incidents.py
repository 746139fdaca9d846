"""The guardian's lines in the incident stream, kept in order while Redis is away."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

import redis

from deploy.listeners.log import log
from deploy.listeners.pulse import NAME
from deploy.listeners.seen import Incident
from shared.store.keys import Keys
from shared.store.scripts import script

_MAXLEN: Final = 10_000
_LOOK_BACK: Final = 64
_KEPT: Final = 1_000


class Incidents:
    def __init__(self) -> None:
        self._waiting: deque[list[str]] = deque(maxlen=_KEPT)
        # The oldest one may be there already: its reply was lost.
        self._repeat = False

    def add(self, incident: Incident) -> None:
        log("WARNING", incident.text, kind=incident.kind)
        ts = str(time.time_ns() // 1_000_000)
        fields = {
            "ts": ts, "worker": NAME, "kind": incident.kind, "symbol": "", "text": incident.text,
        }  # fmt: skip
        if len(self._waiting) == _KEPT:
            # The oldest one goes, and with it what is known of it.
            self._repeat = False
        self._waiting.append([word for pair in fields.items() for word in pair])

    def write(self, client: redis.Redis, keys: Keys) -> None:
        """Write what waits; what cannot be written goes on waiting."""
        lua = script("append_once").text
        while self._waiting:
            repeat, self._repeat = self._repeat, True
            words = [str(_MAXLEN), "1" if repeat else "0", str(_LOOK_BACK), *self._waiting[0]]
            try:
                client.eval(lua, 1, keys.incidents(), *words)
            except redis.RedisError:
                return
            self._waiting.popleft()
            self._repeat = False
