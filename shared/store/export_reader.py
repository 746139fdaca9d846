"""What an exporter tells besides the ages of the data: one round trip a look, reading only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.settings import VENDOR_WORKERS, WORKERS, Settings
from shared.store.connection import Store
from shared.store.kept import text
from shared.store.keys import STALE_CHECKED, Keys
from shared.store.ledger_counts import LedgerCounts
from shared.store.ops_documents import Document, document, documents, replies, texts, whole
from shared.store.ops_reader import FAMILIES, StaleSeen
from shared.store.token_bucket import account_of
from shared.store.token_policy import BucketState

_UNKNOWN: Final = "other"
# Kinds of incidents are few and ours; whatever else writes there must not make more of them.
_MOST_KINDS: Final = 64

GAP_FEEDS: Final = ("depth", "trades", "bars")
LOST: Final = ("yes", "no", "unknown")
# The symbol of an entry that joins several.
SEVERAL: Final = ""
# Feed, symbol, and whether something was lost.
GapKind = tuple[str, str, str]
# Worker and kind of an incident.
IncidentKind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Exported:
    """`beats` and `figures` are by worker, as they were written; `coverage` is by symbol.

    `updates` and `numbers` are the newest numbers: of depth by symbol, of `ibkr_trades` by
    `trades:SYMBOL` and `bars:SYMBOL`. `refused` is by `symbol:venue`, `breakers` by worker, then
    `symbol:type`. `memory`: bytes used and allowed, None where that may not be asked.
    """

    now_ms: int
    source: str = ""
    session: Mapping[str, str] = field(default_factory=dict)
    stale: StaleSeen = StaleSeen()
    beats: Mapping[str, Document] = field(default_factory=dict)
    figures: Mapping[str, Document] = field(default_factory=dict)
    coverage: Mapping[str, Document] = field(default_factory=dict)
    refused: Mapping[str, Document] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    updates: Mapping[str, int] = field(default_factory=dict)
    live: frozenset[str] = frozenset()
    bucket: BucketState | None = None
    breakers: Mapping[str, Mapping[str, Document]] = field(default_factory=dict)
    memory: tuple[int, int] | None = None
    gaps: Mapping[GapKind, int] = field(default_factory=dict)
    lost: Mapping[GapKind, int] = field(default_factory=dict)
    incidents: Mapping[IncidentKind, int] = field(default_factory=dict)


class ExportReader:
    def __init__(self, store: Store, keys: Keys, settings: Settings) -> None:
        self._store = store
        self._keys = keys
        self._depth = settings.depth_symbols()
        self._symbols = frozenset(settings.universe.symbols())
        key = settings.alpha_vantage.api_key.reveal()
        self._account = account_of(key) if key else ""
        self._gaps: LedgerCounts[GapKind] = LedgerCounts(keys.gaps(), self._gap_kind)
        self._kinds: set[IncidentKind] = set()
        self._incidents: LedgerCounts[IncidentKind] = LedgerCounts(
            keys.incidents(), self._incident_kind
        )

    async def read(self) -> Exported:
        """Raises StoreUnavailable, StoreRefused."""
        pipe = self._store.client.pipeline(transaction=False)
        self._ask(pipe)
        found = iter(await replies(self._store, pipe))
        now_us = _microseconds(next(found))
        self._gaps.take(next(found))
        self._incidents.take(next(found))
        return Exported(
            now_us // 1000,
            source=text(next(found)),
            session=texts(next(found)),
            stale=_stale(next(found)),
            coverage=documents(next(found)),
            refused=documents(next(found)),
            numbers={name: whole(value) for name, value in texts(next(found)).items()},
            memory=_memory(next(found)),
            bucket=self._bucket(now_us, found),
            figures={name: one for _ in FAMILIES for name, one in documents(next(found)).items()},
            breakers={worker: documents(next(found)) for worker in VENDOR_WORKERS},
            beats=_named(WORKERS, found),
            updates={symbol: whole(text(next(found))) for symbol in self._depth},
            live=frozenset(symbol for symbol in self._depth if next(found)),
            gaps=dict(self._gaps.lines),
            lost=dict(self._gaps.items),
            incidents=dict(self._incidents.lines),
        )

    def _ask(self, pipe: Any) -> None:
        """In the order in which `read` takes the replies."""
        keys = self._keys
        pipe.time()
        self._gaps.ask(pipe)
        self._incidents.ask(pipe)
        pipe.get(keys.source())
        for key in (keys.market_session(), keys.stale(), keys.coverage(), keys.depth_fallback()):
            pipe.hgetall(key)
        pipe.hgetall(keys.numbers("ibkr_trades"))
        pipe.info("memory")
        if self._account:
            pipe.hgetall(keys.rate_limit(self._account))
        for family in FAMILIES:
            pipe.hgetall(keys.metrics(family))
        for worker in VENDOR_WORKERS:
            pipe.hgetall(keys.breakers(worker))
        for worker in WORKERS:
            pipe.get(keys.heartbeat(worker))
        for symbol in self._depth:
            pipe.hget(keys.depth_last(symbol), "seq")
        for symbol in self._depth:
            pipe.exists(keys.depth_live(symbol))

    def _bucket(self, now_us: int, found: Iterator[Any]) -> BucketState | None:
        return BucketState.parse(now_us, next(found) or {}) if self._account else None

    def _gap_kind(self, fields: Mapping[str, str]) -> GapKind:
        feed, symbol, count = (fields.get(name, "") for name in ("feed", "symbol", "count"))
        lost = {"": "unknown", "0": "no"}.get(count, "yes")
        known = feed if feed in GAP_FEEDS else _UNKNOWN
        return (known, symbol if symbol in self._symbols else SEVERAL, lost)

    def _incident_kind(self, fields: Mapping[str, str]) -> IncidentKind:
        kind = (fields.get("worker", ""), fields.get("kind", ""))
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            return (_UNKNOWN, _UNKNOWN)
        self._kinds.add(kind)
        return kind


def _microseconds(reply: Any) -> int:
    """The server's clock; ours where this user may not ask for it."""
    if reply is None:
        return time.time_ns() // 1000
    seconds, micros = reply
    return int(seconds) * 1_000_000 + int(micros)


def _stale(found: Any) -> StaleSeen:
    checked = whole(text((found or {}).get(STALE_CHECKED.encode())))
    return StaleSeen(documents(found), checked or None)


def _memory(found: Any) -> tuple[int, int] | None:
    if not isinstance(found, dict):
        return None
    return whole(found.get("used_memory")), whole(found.get("maxmemory"))


def _named(names: tuple[str, ...], found: Iterator[Any]) -> dict[str, Document]:
    pairs = [(name, document(next(found))) for name in names]
    return {name: one for name, one in pairs if one is not None}
