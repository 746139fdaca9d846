"""Heartbeats: the worker's own key, its family's hash, and the family's connected flag."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import orjson

from shared.settings import Settings
from shared.store.connection import Store
from shared.store.keys import Keys

FRESH_MS: Final = 6000
STOPPED_TTL_S: Final = 86_400
IBKR: Final = ("ibkr_depth", "ibkr_trades")
ALPHA_VANTAGE: Final = ("av_options", "av_sentiment")


@dataclass(frozen=True, slots=True)
class Family:
    """Workers that share a hash; `workers` must all be connected for the flag, if there is one.

    A worker without relatives has a family without a name, and no hash.
    """

    name: str
    workers: tuple[str, ...]
    has_flag: bool


def ibkr_family(settings: Settings) -> Family:
    """Every enabled worker of the gateway: `ibkr:connected` speaks for all of them."""
    enabled = settings.supervision.workers()
    return Family("ibkr_ingestion", tuple(name for name in IBKR if name in enabled), True)


def alpha_vantage_family(settings: Settings) -> Family:
    enabled = settings.supervision.workers()
    return Family("alpha_vantage", tuple(name for name in ALPHA_VANTAGE if name in enabled), False)


class HeartbeatWriter:
    def __init__(self, store: Store, keys: Keys, family: Family, ttl_s: int) -> None:
        self._store = store
        self._keys = keys
        self._family = family
        self._ttl_s = ttl_s

    async def write(self, worker: str, beat: dict[str, Any]) -> None:
        """`beat` is the contract's heartbeat object; its `state` decides how long it stays."""
        keys = [self._keys.heartbeat(worker)]
        if self._family.name:
            keys.append(self._keys.family_heartbeat(self._family.name))
        own_ttl_s = STOPPED_TTL_S if beat["state"] == "stopped" else self._ttl_s
        now_ms = time.time_ns() // 1_000_000
        args: list[str | bytes | int] = [worker, orjson.dumps(beat), now_ms, own_ttl_s, self._ttl_s]
        args.append(FRESH_MS)
        if self._family.has_flag:
            keys.append(self._keys.ibkr_connected())
            args += self._family.workers
        await self._store.run("heartbeat", keys, args)
