"""What an operator sees of the product as a whole: processes, staleness, coverage, budget."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.errors import StoreRefused
from shared.store.breaker_state import read_breakers
from shared.store.connection import Store
from shared.store.kept import text
from shared.store.keys import Keys
from shared.store.ops_documents import Document, document, documents, replies, texts, whole, words
from shared.store.token_bucket import BucketPolicy, TokenBucket

FAMILIES: Final = ("ibkr", "alpha_vantage", "watchdog")
_CHECKED: Final = "_checked_ts"
_ROTATIONS: Final = 500
# Long enough to even out the turns of the rotation.
RECENT_S: Final = 10


@dataclass(frozen=True, slots=True)
class StaleSeen:
    """`checked_ms` is None where nobody has checked; `stopped`: and nobody goes on to."""

    rows: dict[str, Document] = field(default_factory=dict)
    checked_ms: int | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class StatusSeen:
    """`beats` and `figures` are by worker, as they were written.

    `counts`: numbers that a worker gave so far. `recent`: those of the last `RECENT_S`, told by
    streams. `memory`: bytes used, and allowed.
    """

    now_ms: int
    source: str = ""
    session: dict[str, str] = field(default_factory=dict)
    beats: dict[str, Document] = field(default_factory=dict)
    figures: dict[str, Document] = field(default_factory=dict)
    stale: StaleSeen = StaleSeen()
    counts: dict[str, int] = field(default_factory=dict)
    recent: dict[str, int] = field(default_factory=dict)
    memory: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CoverageSeen:
    """`rotation` is the newest part of the ledger, oldest entry first.

    `live` are the venues of each symbol's open books: a slot may be held since before that part.
    """

    now_ms: int
    rows: dict[str, Document] = field(default_factory=dict)
    rotation: tuple[dict[str, str], ...] = ()
    started_ms: int = 0
    refused: dict[str, Document] = field(default_factory=dict)
    live: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BudgetSeen:
    """`bucket` is None where no account is known."""

    now_ms: int
    bucket: Document | None
    figures: dict[str, Document]
    breakers: dict[str, dict[str, Document]]


class OpsReader:
    """Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    async def status(self, workers: Iterable[str], symbols: Iterable[str]) -> StatusSeen:
        """`symbols` are those with depth."""
        names, now_ms = list(workers), _now_ms()
        pipe = self._store.client.pipeline(transaction=False)
        self._ask_status(pipe, names)
        for symbol in symbols:
            pipe.hget(self._keys.depth_last(symbol), "seq")
            pipe.xrange(self._keys.depth_stream(symbol), now_ms - RECENT_S * 1000, "+", count=1)
        source, session, stale, numbers, *rest = await replies(self._store, pipe)
        figures, rest = rest[: len(FAMILIES)], rest[len(FAMILIES) :]
        beats = zip(names, map(document, rest[: len(names)]), strict=True)
        return StatusSeen(
            now_ms,
            text(source),
            texts(session),
            {name: beat for name, beat in beats if beat is not None},
            {name: one for found in figures for name, one in documents(found).items()},
            _stale(stale),
            {"ibkr_trades": _trades(texts(numbers))} if numbers else {},
            {"ibkr_depth": _recent(rest[len(names) :])},
            await self._memory(),
        )

    def _ask_status(self, pipe: Any, workers: Iterable[str]) -> None:
        keys = self._keys
        pipe.get(keys.source())
        pipe.hgetall(keys.market_session())
        pipe.hgetall(keys.stale())
        pipe.hgetall(keys.numbers("ibkr_trades"))
        for family in FAMILIES:
            pipe.hgetall(keys.metrics(family))
        for name in workers:
            pipe.get(keys.heartbeat(name))

    async def stale(self) -> StaleSeen:
        pipe = self._store.client.pipeline(transaction=False)
        pipe.hgetall(self._keys.stale())
        pipe.get(self._keys.heartbeat("watchdog"))
        found, beat = await replies(self._store, pipe)
        stopped = (document(beat) or {}).get("state") == "stopped"
        return replace(_stale(found), stopped=stopped)

    async def holds_lease(self, worker: str) -> bool:
        return bool(await self._store.call(self._store.client.exists(self._keys.lease(worker))))

    async def is_live(self, symbol: str) -> bool:
        """Whether depth of the symbol is open and healthy."""
        return bool(
            await self._store.call(self._store.client.exists(self._keys.depth_live(symbol)))
        )

    async def coverage(self) -> CoverageSeen:
        pipe = self._store.client.pipeline(transaction=False)
        pipe.hgetall(self._keys.coverage())
        pipe.xrevrange(self._keys.rotation(), "+", "-", count=_ROTATIONS)
        pipe.get(self._keys.heartbeat("ibkr_depth"))
        pipe.hgetall(self._keys.depth_fallback())
        rows, rotation, beat, refused = await replies(self._store, pipe)
        found = documents(rows)
        return CoverageSeen(
            _now_ms(),
            found,
            tuple(texts(fields) for _, fields in reversed(rotation or ())),
            whole((document(beat) or {}).get("started_ts")),
            documents(refused),
            await self._live(found),
        )

    async def _live(self, symbols: Iterable[str]) -> dict[str, tuple[str, ...]]:
        names = list(symbols)
        if not names:
            return {}
        pipe = self._store.client.pipeline(transaction=False)
        for symbol in names:
            pipe.get(self._keys.depth_live(symbol))
        found = zip(names, await replies(self._store, pipe), strict=True)
        return {symbol: venues for symbol, raw in found if (venues := words(raw))}

    async def budget(
        self, account: str, policy: BucketPolicy, workers: Iterable[str]
    ) -> BudgetSeen:
        """`account` is empty where there is no API key."""
        bucket = None
        if account:
            bucket = await TokenBucket(self._store, self._keys, account, policy).stats()
        pipe = self._store.client.pipeline(transaction=False)
        pipe.hgetall(self._keys.metrics("alpha_vantage"))
        figures = documents((await replies(self._store, pipe))[0])
        breakers = {}
        for worker in workers:
            kept = await read_breakers(self._store, self._keys, worker)
            circuits = {name: document(value) for name, value in kept.items()}
            breakers[worker] = {name: one for name, one in circuits.items() if one is not None}
        return BudgetSeen(_now_ms(), bucket, figures, breakers)

    async def _memory(self) -> tuple[int, int] | None:
        """None where this user may not ask."""
        try:
            found: Any = await self._store.call(self._store.client.info("memory"))
        except StoreRefused:
            return None
        return whole(found.get("used_memory")), whole(found.get("maxmemory"))


def _stale(found: Any) -> StaleSeen:
    checked = whole(text((found or {}).get(_CHECKED.encode())))
    return StaleSeen(documents(found), checked or None)


def _trades(numbers: dict[str, str]) -> int:
    return sum(whole(value) for name, value in numbers.items() if name.startswith("trades:"))


def _recent(found: Sequence[Any]) -> int:
    """Of pairs (newest number, oldest entry of the time): an entry's id ends in its number."""
    total = 0
    for newest, entries in zip(found[::2], found[1::2], strict=True):
        if entries:
            oldest = whole(text(entries[0][0]).partition("-")[2])
            total += max(0, whole(newest) - oldest + 1)
    return total


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
