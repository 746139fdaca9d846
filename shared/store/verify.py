"""Every key of the product in Redis, checked against the contract without holding up anybody.

Writers go on meanwhile: a key may expire or be replaced between two reads, and one document may be
newer than another that it belongs to. So whatever looks wrong is read again, some time later and
in one transaction, and only what is still wrong then is called so.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from redis.exceptions import ResponseError

from shared.errors import StoreRefused
from shared.schema.check import check
from shared.schema.matching import Matcher
from shared.schema.neighbours import TOGETHER, ChainsSeen, gap_ranges
from shared.schema.row import Fault, Limits, Reading, Row, Shape
from shared.schema.table import rows
from shared.settings import Settings
from shared.store import source
from shared.store.connection import Store
from shared.store.keys import Keys

# Keys of one round trip: small ones, those with hundreds of parts, and those of megabytes.
_SLICE: Final = 250
_LONG_SLICE: Final = 8
_HUGE_SLICE: Final = 3
_SCAN_BATCH: Final = 500
# Newest entries looked at of what may be long, and of the ledger that explains holes.
_SAMPLE: Final = 200
_LIST_MOST: Final = 1_100
_GAPS_PAGE: Final = 500
_LEDGER_FULL: Final = 10_000
_AGAIN_AFTER_S: Final = (0.3, 0.7, 1.5)
_LONG: Final = frozenset({Shape.LIST, Shape.ZSET, Shape.STREAM})
_HUGE: Final = frozenset({"calls", "puts", "chain", "sentiment"})
_MIN_TTL_S: Final = 30
_SOURCE: Final = "source"


@dataclass(slots=True)
class VerifyReport:
    """`checked` counts the keys of each row that were there."""

    faults: list[Fault] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    row: Row
    names: Mapping[str, str]


async def verify(store: Store, keys: Keys, settings: Settings) -> VerifyReport:
    """Check every key of the product.

    Raises:
        StoreUnavailable, StoreRefused.
    """
    return await _Verification(store, keys, limits_of(settings)).run()


def limits_of(settings: Settings) -> Limits:
    """What the settings allow; windows are those of an account that has lost all slots but one."""
    ttls, ibkr = settings.modules.data_ingestion.ttls, settings.ibkr
    ingestion, vendor = settings.modules.data_ingestion, settings.alpha_vantage
    instruments = [settings.universe.by_symbol(symbol) for symbol in settings.depth_symbols()]
    pairs = sum(max(1, len(instrument.venues)) for instrument in instruments)
    window_s = pairs * (ibkr.rotation_s + ibkr.slot_cooldown_s)
    return Limits(
        market_data_s=ttls.market_data,
        order_book_s=ttls.order_book,
        trades_s=ttls.trades,
        bars_s=ttls.bars,
        bars_1min_s=ttls.bars_1min,
        options_s=ttls.options,
        greeks_s=ttls.greeks,
        sentiment_s=ttls.sentiment,
        technicals_s=ttls.technicals,
        monitoring_s=ttls.monitoring,
        heartbeat_s=ttls.heartbeat,
        heartbeat_interval_s=ingestion.heartbeat_interval_s,
        metrics_interval_s=ingestion.metrics_interval_s,
        depth_heartbeat_s=max(ibkr.heartbeat_ttl_s, math.ceil(window_s), _MIN_TTL_S),
        venue_book_s=max(ttls.order_book, math.ceil(1.5 * window_s), _MIN_TTL_S),
        bucket_s=max(3_600.0, vendor.daily_cooldown_s) + 1.0,
        stream_maxlen=ibkr.stream_maxlen,
        vendor_names={one.symbol: one.alpha_vantage_name for one in settings.universe.instruments},
    )


class _Verification:
    def __init__(self, store: Store, keys: Keys, limits: Limits) -> None:
        self._store = store
        self._keys = keys
        self._limits = limits
        self._matcher = Matcher(keys)
        self._chains = ChainsSeen(keys, limits.greeks_s > limits.options_s)
        self._checked = {row.name: 0 for row in rows() if row.shape is not Shape.CHANNEL}
        self._order = {name: place for place, name in enumerate(self._checked)}

    async def run(self) -> VerifyReport:
        found, unknown = await self._scan()
        await self._look_around()
        wrong: dict[str, list[Fault]] = {}
        for part in _slices(found):
            wrong.update(await self._checked_part(part, transaction=False, count=True))
        by_key = {one.key: one for one in found}
        for wait_s in _AGAIN_AFTER_S:
            if wrong or unknown:
                await asyncio.sleep(wait_s)
                wrong = await self._again([by_key[key] for key in wrong if key in by_key])
                unknown = await self._still_there(unknown)
        faults = [fault for key in by_key for fault in wrong.get(key, ())]
        faults += (Fault(key, "key", "there", "be a key of the contract") for key in unknown)
        if any(self._checked.values()) and not self._checked[_SOURCE]:
            faults.append(Fault(self._keys.source(), "key", "absent", "be there with other keys"))
        return VerifyReport(faults, self._checked)

    async def _scan(self) -> tuple[list[_Found], list[str]]:
        """Keys of the contract in its order, and keys of ours that are in no row of it."""
        names: dict[str, None] = {}
        for pattern in self._keys.owned_patterns():
            cursor = 0
            while True:
                page: Any = await self._store.call(
                    self._store.client.scan(cursor, match=pattern, count=_SCAN_BATCH)
                )
                cursor = page[0]
                names.update(dict.fromkeys(key.decode("utf-8", "replace") for key in page[1]))
                if not cursor:
                    break
        found, unknown = [], []
        for key in sorted(names):
            match = self._matcher.find(key)
            if match is None:
                unknown.append(key)
            else:
                found.append(_Found(key, *match))
        return sorted(found, key=self._place), unknown

    def _place(self, one: _Found) -> tuple[int, str, int]:
        """In the order of the contract, the documents of one chain together and before greeks."""
        if one.row.name in TOGETHER:
            return self._order[TOGETHER[0]], one.names["symbol"], self._order[one.row.name]
        return self._order[one.row.name], one.key, 0

    async def _look_around(self) -> None:
        """What other keys are compared with: the source, and the numbers known to be lost."""
        try:
            text = await source.current(self._store, self._keys)
        except StoreRefused:
            # Not a string, as the ledger may be no stream: their own rows say so.
            text = None
        entries = await self._gaps()
        full = len(entries) >= _LEDGER_FULL
        since_ms = int(entries[0][0].split(b"-")[0]) if full else 0
        self._limits = replace(
            self._limits,
            source=text if text in ("live", "sim", "replay") else self._limits.source,
            gaps=gap_ranges(fields for _, fields in entries),
            gaps_since_ms=since_ms,
        )

    async def _gaps(self) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        """The whole ledger, oldest first, page by page."""
        entries: list[Any] = []
        start = "-"
        while True:
            try:
                page: Any = await self._store.call(
                    self._store.client.xrange(self._keys.gaps(), start, "+", count=_GAPS_PAGE)
                )
            except StoreRefused:
                return []
            entries += page
            if len(page) < _GAPS_PAGE:
                return entries
            start = f"({page[-1][0].decode()}"

    async def _again(self, suspects: Sequence[_Found]) -> dict[str, list[Fault]]:
        await self._look_around()
        symbols = {one.names["symbol"] for one in suspects if one.row.name in (*TOGETHER, "greeks")}
        self._chains.forget(symbols)
        # With the documents that they are compared with.
        together = {one.key: one for one in (*suspects, *self._documents(symbols))}
        wrong: dict[str, list[Fault]] = {}
        for part in _slices(sorted(together.values(), key=self._place)):
            wrong.update(await self._checked_part(part, transaction=True, count=False))
        return wrong

    def _documents(self, symbols: Iterable[str]) -> Iterator[_Found]:
        keys = self._keys
        for symbol in symbols:
            for key in (keys.calls(symbol), keys.puts(symbol), keys.chain(symbol)):
                match = self._matcher.find(key)
                if match is not None:
                    yield _Found(key, *match)

    async def _still_there(self, keys: Sequence[str]) -> list[str]:
        left: list[str] = []
        for start in range(0, len(keys), _SLICE):
            part = keys[start : start + _SLICE]
            async with self._store.client.pipeline(transaction=False) as pipe:
                for key in part:
                    pipe.exists(key)
                replies = await self._store.call(pipe.execute())
            left += (key for key, there in zip(part, replies, strict=True) if there)
        return left

    async def _checked_part(
        self, part: Sequence[_Found], transaction: bool, count: bool
    ) -> dict[str, list[Fault]]:
        """Faults by key of the keys of one round trip; those that are gone have none."""
        async with self._store.client.pipeline(transaction=transaction) as pipe:
            for one in part:
                pipe.type(one.key)
                pipe.pttl(one.key)
                _ask(pipe, one)
            replies = await self._store.call(pipe.execute(raise_on_error=False))
        now_ms = time.time_ns() // 1_000_000
        wrong: dict[str, list[Fault]] = {}
        reply = iter(replies)
        for one in part:
            kind, ttl_ms, data = next(reply).decode(), next(reply), next(reply)
            size = next(reply) if one.row.shape in _LONG else 0
            if kind == "none" or data is None or not _whole(kind, one, data):
                continue
            if count:
                self._checked[one.row.name] += 1
            reading = _reading(one, kind, size, data)
            faults = check(one.row, reading, ttl_ms, now_ms, self._limits)
            faults += self._chains.check(one.row.name, reading)
            if faults:
                wrong[one.key] = faults
        return wrong


def _ask(pipe: Any, one: _Found) -> None:
    """The value; of what may be long its newest part, and how long it is."""
    match one.row.shape:
        case Shape.LIST:
            pipe.lrange(one.key, 0, _LIST_MOST - 1)
            pipe.llen(one.key)
        case Shape.ZSET:
            pipe.zrange(one.key, -_SAMPLE, -1, withscores=True)
            pipe.zcard(one.key)
        case Shape.STREAM:
            pipe.xrevrange(one.key, "+", "-", count=_SAMPLE)
            pipe.xlen(one.key)
        case Shape.FIELDS | Shape.JSON_MAP | Shape.TEXT_MAP:
            pipe.hgetall(one.key)
        case _:
            pipe.get(one.key)


def _whole(kind: str, one: _Found, data: Any) -> bool:
    """False for a key that expired or changed its type between the commands of one reading."""
    if isinstance(data, ResponseError):
        return kind != one.row.kind
    return bool(data) or one.row.kind == "string"


def _reading(one: _Found, kind: str, size: Any, data: Any) -> Reading:
    length = size if isinstance(size, int) else 0
    return Reading(one.key, kind, data, one.names, length)


def _slices(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    part: list[_Found] = []
    taken = 0.0
    for one in found:
        share = 1 / _most_at_once(one.row)
        # The documents of one chain are read in one transaction where that is asked for.
        if part and (taken + share > 1.0 + 1e-9 or one.row.name == TOGETHER[0]):
            yield part
            part, taken = [], 0.0
        part.append(one)
        taken += share
    if part:
        yield part


def _most_at_once(row: Row) -> int:
    if row.name in _HUGE:
        return _HUGE_SLICE
    return _LONG_SLICE if row.shape in _LONG else _SLICE
