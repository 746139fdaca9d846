"""Ledgers (gaps, incidents, rotation), metrics and coverage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson
from loguru import logger

from shared.errors import StoreRefused, StoreUnavailable
from shared.store.connection import Store
from shared.store.kept import number, read, text
from shared.store.keys import Keys
from shared.store.ledger_lines import FIELD, LedgerLines
from shared.store.losses import GapEntry

LEDGER_MAXLEN: Final = 10_000
_RETRY_S: Final = 0.5
_LOOK_BACK: Final = 64
_GAPS_READ: Final = 2_000
# A flood of lost lines is told by the thousand.
_TELL_DROPPED: Final = 1_000


class Ledger:
    """Append-only lines, kept in order over a Redis outage and never doubled."""

    def __init__(self, store: Store, keys: Keys, worker: str) -> None:
        self._store = store
        self._keys = keys
        self._worker = worker
        self._lines = LedgerLines(keys.gaps())
        self._wake = asyncio.Event()
        self._refused = 0

    @property
    def pending(self) -> int:
        return len(self._lines)

    @property
    def dropped(self) -> int:
        """Lines that Redis refused, or for which there was no room while it was away."""
        return self._refused + self._lines.dropped

    def metrics(self) -> dict[str, int]:
        return {"ledger_waiting": self.pending, "ledger_dropped": self.dropped}

    def gap(self, entry: GapEntry) -> None:
        # A window of which nothing is lost stands in the ledger and is no alarm.
        log = logger.bind(**entry.fields())
        (log.info if entry.count == 0 else log.warning)("gap in {} of {}", entry.feed, entry.symbol)
        self._add(self._keys.gaps(), entry.fields())

    def incident(self, kind: str, symbol: str, text: str) -> None:
        self._add(
            self._keys.incidents(),
            {
                "ts": _now(),
                "worker": self._worker,
                "kind": kind,
                "symbol": symbol,
                "text": text,
            },
        )

    def rotation(self, fields: Mapping[str, str]) -> None:
        self._add(self._keys.rotation(), {"ts": _now(), **fields})

    def set_field(self, key: str, field: str, value: str) -> None:
        """Set a field of a hash, in order with the lines; an empty value removes it."""
        self._lines.set_field(key, field, value)
        self._wake.set()

    async def run(self) -> None:
        """Write for ever; cancelled by the process after `flush`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._drain()

    async def flush(self, timeout_s: float) -> bool:
        """Write what is pending; False when it did not fit into `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._drain()
        except TimeoutError:
            return False
        return not self.pending

    async def _drain(self) -> None:
        lines = self._lines
        while lines:
            line = lines.first()
            # Until the reply is in, also over a cancellation: this line may be there already.
            repeat, lines.first_sent = lines.first_sent, True
            try:
                await self._append(*line, repeat)
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            except StoreRefused as error:
                self._refused += 1
                logger.error("redis_write_failed: {}: {}", line[0], error)
            lines.done(line)

    async def _append(self, stream: str, fields: dict[str, str], repeat: bool) -> None:
        if FIELD in fields:
            await self._set_field(stream, fields[FIELD], fields["value"])
            return
        pairs = [text for pair in fields.items() for text in pair]
        args: list[str | bytes | int] = [LEDGER_MAXLEN, "1" if repeat else "0", _LOOK_BACK, *pairs]
        await self._store.run("append_once", [stream], args)

    async def _set_field(self, key: str, field: str, value: str) -> None:
        client = self._store.client
        change = client.hset(key, field, value) if value else client.hdel(key, field)
        await self._store.call(change)

    def _add(self, stream: str, fields: dict[str, str]) -> None:
        dropped = self._lines.dropped
        self._lines.add(stream, fields)
        if self._lines.dropped > dropped and dropped % _TELL_DROPPED == 0:
            logger.error("no room for lines of the ledgers, {} dropped", self._lines.dropped)
        self._wake.set()


class Metrics:
    """A worker's field in its family's metrics hash, and the coverage hash."""

    def __init__(self, store: Store, keys: Keys, worker: str, ttl_s: int) -> None:
        self._store = store
        self._keys = keys
        self._worker = worker
        self._ttl_s = ttl_s

    async def write(self, family: str, values: Mapping[str, Any]) -> None:
        now_ms = time.time_ns() // 1_000_000
        document = orjson.dumps({"ts": now_ms, **values})
        await self._store.run(
            "worker_field",
            [self._keys.metrics(family)],
            [self._worker, document, now_ms, self._ttl_s],
        )

    async def coverage(self, symbols: Mapping[str, Mapping[str, float | int]]) -> None:
        key = self._keys.coverage()
        async with self._store.client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if symbols:
                pipe.hset(key, mapping={name: orjson.dumps(row) for name, row in symbols.items()})
                pipe.expire(key, self._ttl_s)
            await self._store.call(pipe.execute())


async def lost_numbers(store: Store, keys: Keys, feed: str) -> dict[str, int]:
    """Newest number per symbol that was given and then lost: it must not be given again."""
    key = keys.gaps()
    raw = await read(store, key, store.client.xrevrange(key, "+", "-", count=_GAPS_READ), [])
    newest: dict[str, int] = {}
    for _, fields in raw:
        lost = number(fields.get(b"to_seq"))
        if fields.get(b"feed") == feed.encode() and lost:
            symbol = text(fields.get(b"symbol"))
            newest[symbol] = max(newest.get(symbol, 0), lost)
    return newest


def _now() -> str:
    return str(time.time_ns() // 1_000_000)
