"""What a Redis says of itself: one look that writes nothing."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.errors import StoreRefused
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.lease import Holder, is_dead

_PINGS: Final = 5

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RedisHealth:
    """Fields of INFO; `maxmemory` 0 is no limit, `directory` is empty where it is not told.

    `source` is whose data it holds; `holders` names the process behind each lease that is held.
    """

    version: str = ""
    role: str = ""
    policy: str = ""
    used_bytes: int = 0
    maxmemory: int = 0
    appendonly: bool = False
    write_fault: str = ""
    cluster: bool = False
    directory: str = ""
    source: str = ""
    holders: Mapping[str, str] = field(default_factory=dict)
    ping_ms: float = 0.0
    skew_s: float = 0.0
    # Why INFO was not given; then nothing above but the keys is known.
    refused: str = ""


async def examine(
    url: str, keys: Keys, workers: Sequence[str], connect_timeout_s: float
) -> RedisHealth:
    """Raises StoreUnavailable, StoreRefused."""
    try:
        store = Store(url, connect_timeout_s)
    except ValueError:
        # The reason may quote a part of the password.
        raise StoreRefused("the address is no usable URL") from None
    # Whether it answers now is the question.
    store.client.set_retry(Retry(NoBackoff(), 0))
    try:
        return await _looked_at(store, keys, workers)
    finally:
        await store.close()


async def _looked_at(store: Store, keys: Keys, workers: Sequence[str]) -> RedisHealth:
    ping_ms = await _ping_ms(store)
    skew_s = await _skew_s(store)
    names = [keys.source(), *(keys.lease(worker) for worker in workers)]
    source, *leases = await store.call(store.client.mget(names))
    info, refused = await _allowed(store, store.client.info())
    config, _ = await _allowed(store, store.client.config_get("dir"))
    held = {worker: raw for worker, raw in zip(workers, leases, strict=True) if raw is not None}
    return health(
        info or {},
        directory=_text((config or {}).get("dir", "")),
        source=_text(source),
        holders={worker: holder for worker, raw in held.items() if (holder := holder_of(raw))},
        ping_ms=ping_ms,
        skew_s=skew_s,
        refused=refused,
    )


def health(info: Mapping[str, Any], **rest: Any) -> RedisHealth:
    """From the fields of INFO as redis-py parses them."""
    return RedisHealth(
        version=_text(info.get("redis_version", "")),
        role=_text(info.get("role", "")),
        policy=_text(info.get("maxmemory_policy", "")),
        used_bytes=int(info.get("used_memory", 0)),
        maxmemory=int(info.get("maxmemory", 0)),
        appendonly=bool(info.get("aof_enabled", 0)),
        write_fault=write_fault(info),
        cluster=bool(info.get("cluster_enabled", 0)),
        **rest,
    )


def write_fault(info: Mapping[str, Any]) -> str:
    """Which way to the disk failed last, after which Redis may refuse every write."""
    ways = {
        "aof_last_write_status": "writing the append-only file",
        "aof_last_bgrewrite_status": "rewriting the append-only file",
        "rdb_last_bgsave_status": "saving a snapshot",
    }
    failed = [words for name, words in ways.items() if info.get(name, "ok") != "ok"]
    return " and ".join(failed)


def holder_of(raw: bytes | str) -> str:
    """Who holds a lease, in words; empty for a process that is known to be gone."""
    try:
        holder = msgspec.json.decode(raw, type=Holder)
    except msgspec.DecodeError:
        return "somebody, its lease is unreadable"
    if is_dead(holder, socket.gethostname()):
        return ""
    return f"pid {holder.pid} on {holder.host}"


async def _ping_ms(store: Store) -> float:
    """The median of a few; the first one also connects and counts for nothing."""
    await store.call(store.client.ping())
    took = []
    for _ in range(_PINGS):
        began_s = time.perf_counter()
        await store.call(store.client.ping())
        took.append((time.perf_counter() - began_s) * 1e3)
    return statistics.median(took)


async def _skew_s(store: Store) -> float:
    """By how much its clock is ahead of ours."""
    began_s = time.time()
    seconds, micros = await store.call(store.client.time())
    return float(seconds) + float(micros) / 1e6 - (began_s + time.time()) / 2


async def _allowed(store: Store, work: Awaitable[Result]) -> tuple[Result | None, str]:
    """The answer, or why it is not given: hosted servers refuse some commands."""
    try:
        return await store.call(work), ""
    except StoreRefused as error:
        return None, str(error)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
