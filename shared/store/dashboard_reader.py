"""What a dashboard looks at: one round trip a look, only commands that read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.store.connection import Store
from shared.store.kept import text
from shared.store.keys import Keys
from shared.store.ops_documents import document, replies, texts, whole
from shared.store.ops_ledgers import Entry

# A symbol that trades more often than this in a second shows the newest of it.
_TRADES: Final = 100
_ROTATIONS: Final = 2_000


class Print(msgspec.Struct, frozen=True):
    """A stored trade, as much as a chart needs."""

    ts: int
    price: float
    size: float
    seq: int


@dataclass(frozen=True, slots=True)
class SymbolSample:
    """`book` is the merged one, None where there is none; `live`: depth of it is open and healthy.

    `updates` is the number of the newest depth update; `trades` are newest first.
    """

    book: Mapping[str, Any] | None = None
    live: bool = False
    updates: int = 0
    trades: tuple[Print, ...] = ()


@dataclass(frozen=True, slots=True)
class MarketSample:
    """All symbols at one moment; `numbers` are the newest numbers of their trades."""

    now_ms: int
    symbols: Mapping[str, SymbolSample] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)


class Contract(msgspec.Struct, frozen=True):
    expiration: str
    strike: float
    type: str
    implied_volatility: float | None = None
    open_interest: int | None = None
    volume: int | None = None


class Chain(msgspec.Struct, frozen=True):
    """A chain without what a chart does not need: a large one is megabytes."""

    as_of: str
    fetched_ts: int
    by_contract: dict[str, Contract]
    expirations: list[dict[str, Any]]
    metrics: dict[str, Any]


class DashboardReader:
    """Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    async def sample(self, symbols: Iterable[str]) -> MarketSample:
        keys, names = self._keys, list(symbols)
        pipe = self._store.client.pipeline(transaction=False)
        pipe.hgetall(keys.numbers("ibkr_trades"))
        for symbol in names:
            pipe.get(keys.book(symbol))
            pipe.exists(keys.depth_live(symbol))
            pipe.hget(keys.depth_last(symbol), "seq")
            pipe.lrange(keys.trades(symbol), 0, _TRADES - 1)
        numbers, *rest = await replies(self._store, pipe)
        samples = {name: _sample(rest[at * 4 : at * 4 + 4]) for at, name in enumerate(names)}
        return MarketSample(time.time_ns() // 1_000_000, samples, _numbers(texts(numbers)))

    async def ticker(self, symbol: str) -> dict[str, str]:
        pipe = self._store.client.pipeline(transaction=False)
        pipe.hgetall(self._keys.ticker(symbol))
        return texts((await replies(self._store, pipe))[0])

    async def options(self, symbol: str) -> tuple[dict[str, str], dict[str, str]]:
        """What became of the polls of the chain, and the ticker of its underlying."""
        pipe = self._store.client.pipeline(transaction=False)
        pipe.hgetall(self._keys.options_monitor(symbol))
        pipe.hgetall(self._keys.ticker(symbol))
        monitor, ticker = await replies(self._store, pipe)
        return texts(monitor), texts(ticker)

    async def chain(self, symbol: str) -> Chain | None:
        raw = await self._store.call(self._store.client.get(self._keys.chain(symbol)))
        try:
            return msgspec.json.decode(raw, type=Chain) if raw else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    async def rotation(self, after: str) -> list[Entry]:
        """Entries behind an id or a time (ms), oldest first."""
        start = f"({after}" if "-" in after else after
        found: Any = await self._store.call(
            self._store.client.xrange(self._keys.rotation(), start, "+", count=_ROTATIONS)
        )
        return [Entry(text(name), texts(fields)) for name, fields in found]


def impatient(store: Store) -> Store:
    """Whose calls fail at once: who looks four times a second sees for himself that it is back."""
    store.client.set_retry(Retry(NoBackoff(), 0))
    return store


def _sample(found: Sequence[Any]) -> SymbolSample:
    book, live, updates, trades = found
    prints = (_print(one) for one in trades or ())
    return SymbolSample(
        document(book), bool(live), whole(text(updates)), tuple(one for one in prints if one)
    )


def _print(raw: bytes) -> Print | None:
    try:
        return msgspec.json.decode(raw, type=Print)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _numbers(found: Mapping[str, str]) -> dict[str, int]:
    kinds = ((name.partition(":"), value) for name, value in found.items())
    return {symbol: whole(value) for (kind, _, symbol), value in kinds if kind == "trades"}
