"""The batched writer: what comes in is written in order, or stands in the gap ledger.

Self-clocking: a flush goes out at once when none is in flight; while one is, items gather for
the next. An idle system so has the lowest latency and a busy one the largest batches.

After every loss of the connection, and after a reply that says "try again", the last stored `seq`
of each symbol is compared with what was sent (`backlog.reconcile`), so nothing is doubled and
nothing is lost without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import hiredis
from loguru import logger

from shared.errors import StoreUnavailable
from shared.market.depth import DepthUpdate
from shared.store.backlog import Backlog
from shared.store.flush import Flush, Writer
from shared.store.latency import BOUNDS_MS, LatencyHistogram
from shared.store.losses import Losses
from shared.store.resp import RespConnection, pack

_RETRY_WAITS_S: Final = (0.05, 0.1, 0.2, 0.4, 0.5)
# Redis says "not now": the same command may succeed later.
_PASSING: Final = (
    "LOADING",
    "OOM",
    "READONLY",
    "BUSY",
    "NOSCRIPT",
    "MISCONF",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "NOREPLICAS",
)
_LOG_EVERY_REFUSALS: Final = 10_000
# Some ten flushes: enough to keep Redis busy, little enough to stay fresh.
CONGESTED_ENTRIES: Final = 2_000
# A flush in flight for longer is no congestion.
_STUCK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SinkBounds:
    """What fits while Redis is away, and how much goes out at once."""

    max_entries: int
    max_bytes: int
    max_updates: int


class Sink:
    def __init__(self, connection: RespConnection, writer: Writer, bounds: SinkBounds) -> None:
        self._connection = connection
        self._writer = writer
        self._backlog = Backlog(writer.feed, bounds.max_entries, bounds.max_bytes)
        self._max_updates = bounds.max_updates
        self._wake = asyncio.Event()
        self._compare = True
        self._down_since_s: float | None = None
        self._failures = 0
        self._stopping = False
        self._sent_s = 0.0
        self._prepared: Flush | None = None
        self._latency = LatencyHistogram()
        self._flushes = 0
        self._conflated = 0
        self._refused = 0

    @property
    def available(self) -> bool:
        return self._down_since_s is None

    @property
    def losses(self) -> Losses:
        return self._backlog.losses

    def put(self, item: DepthUpdate) -> None:
        """Queue one item; the oldest are dropped where the bounds are reached."""
        self._backlog.put(item)
        self._wake.set()

    def poke(self) -> None:
        """There is something to write besides items."""
        self._wake.set()

    def congested(self) -> bool:
        """Redis takes what comes, only slower than it comes: reading may pause meanwhile.

        Never while Redis is away or stuck: the gateway must be read then, and what does not fit
        into the queue is dropped and counted.
        """
        if len(self._backlog) < CONGESTED_ENTRIES or self._down_since_s is not None:
            return False
        return asyncio.get_running_loop().time() - self._sent_s < _STUCK_S

    def metrics(self) -> dict[str, Any]:
        """Counters and gauges, as they stand in the metrics hash."""
        backlog, latency = self._backlog, self._latency
        return {
            "writes": backlog.written,
            "flushes": self._flushes,
            "batch_size": round(backlog.written / self._flushes, 2) if self._flushes else 0.0,
            "conflated": self._conflated,
            "dropped": backlog.losses.total,
            "refused": self._refused,
            "resent": backlog.resent,
            "queue_depth": len(backlog),
            "queue_bytes": backlog.bytes,
            "max_lag_ms": round(latency.max_ms, 3),
            "latency_bounds_ms": list(BOUNDS_MS),
            "latency_counts": list(latency.counts),
            "latency_p50_ms": round(latency.quantile_ms(0.5), 3),
            "latency_p99_ms": round(latency.quantile_ms(0.99), 3),
        }

    async def open(self, stop: asyncio.Event) -> None:
        """Learn where Redis stands before the first item is numbered; returns early on `stop`."""
        while not stop.is_set() and not await self._recover():
            continue

    async def run(self) -> None:
        """Write until `stop` has been called and the queue is empty."""
        try:
            while True:
                if not self._backlog and not self._prepared and not self._writer.pending():
                    if self._stopping:
                        return
                    await self._wake.wait()
                self._wake.clear()
                if self._compare and not await self._recover():
                    continue
                await self._flush()
        finally:
            self._connection.close()

    def stop(self) -> None:
        """Finish what is queued, then end `run`; the caller sets the deadline."""
        self._stopping = True
        self._wake.set()

    def abandon(self) -> int:
        """Count what is still queued as lost, after a deadline; returns how many."""
        return self._backlog.abandon()

    async def _flush(self) -> None:
        flush = self._next()
        if not flush.replies:
            return
        self._sent_s = asyncio.get_running_loop().time()
        try:
            waiting = self._connection.send(flush.payload, flush.replies)
            if len(self._backlog) >= self._max_updates:
                # Encoded while Redis works, so that it does not wait for us in turn.
                self._prepared = self._encode()
            replies = await waiting
        except StoreUnavailable as error:
            self._again(flush, str(error))
            return
        except asyncio.CancelledError:
            self._put_back(flush)
            raise
        passing = _passing_error(replies)
        if passing:
            self._again(flush, passing)
            await asyncio.sleep(_RETRY_WAITS_S[0])
            return
        self._account(flush, replies)

    def _next(self) -> Flush:
        prepared, self._prepared = self._prepared, None
        return prepared or self._encode()

    def _encode(self) -> Flush:
        batch = self._backlog.take(self._max_updates)
        return self._writer.encode(batch, drained=not self._backlog)

    def _put_back(self, flush: Flush) -> None:
        """Nothing of this flush counts as written, nor of the one prepared behind it."""
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            self._backlog.put_back(prepared.appended)
        self._backlog.put_back(flush.appended)

    def _account(self, flush: Flush, replies: Sequence[Any]) -> None:
        now_s = asyncio.get_running_loop().time()
        self._writer.confirmed(flush)
        self._backlog.confirm(flush.appended, now_s)
        self._flushes += 1
        self._conflated += max(0, len(flush.appended) - 1)
        # Rows handled in one slice share their receive time.
        for received_s, items in groupby(flush.appended, key=attrgetter("received_s")):
            self._latency.observe((now_s - received_s) * 1000.0, len(list(items)))
        for index, reply in enumerate(replies):
            if isinstance(reply, hiredis.ReplyError):
                self._refuse(flush, index, str(reply))

    def _refuse(self, flush: Flush, index: int, error: str) -> None:
        """An error that no retry cures: the item is lost, and that is written down."""
        self._refused += 1
        name = flush.name(index)
        if self._refused % _LOG_EVERY_REFUSALS == 1:
            logger.bind(command=name, refused=self._refused).error(
                "redis_write_failed: {}: {}", name, error
            )
        if index < len(flush.appended):
            self._backlog.refuse(flush.appended[index], f"redis refused: {error[:80]}")
            # An id not above the stream's newest: somebody else wrote there.
            self._compare = self._compare or "equal or smaller" in error

    def _again(self, flush: Flush, reason: str) -> None:
        self._put_back(flush)
        first = flush.name(0) if flush.replies else "connect"
        self._unavailable(first, reason)

    def _unavailable(self, command: str, reason: str) -> None:
        self._compare = True
        if self._down_since_s is None:
            self._down_since_s = asyncio.get_running_loop().time()
            self._failures = 0
            logger.bind(command=command).warning("redis_write_failed: {}: {}", command, reason)

    async def _recover(self) -> bool:
        """Reconnect if need be, load scripts, compare positions; False: not yet."""
        try:
            if not self._connection.connected:
                await self._connection.connect()
            await self._load_scripts()
            await self._compare_positions()
        except StoreUnavailable as error:
            self._unavailable("connect", str(error))
            wait_s = _RETRY_WAITS_S[min(self._failures, len(_RETRY_WAITS_S) - 1)]
            self._failures += 1
            await asyncio.sleep(wait_s)
            self._wake.set()
            return False
        self._compare = False
        if self._down_since_s is not None:
            away_s = asyncio.get_running_loop().time() - self._down_since_s
            self._down_since_s = None
            logger.bind(away_s=round(away_s, 2), failures=self._failures).info(
                "redis is back after {:.1f} s, {} entries queued", away_s, len(self._backlog)
            )
        return True

    async def _load_scripts(self) -> None:
        scripts = self._writer.scripts
        commands = [pack(b"SCRIPT", b"LOAD", script.text.encode()) for script in scripts]
        await self._ask(b"".join(commands), len(commands))

    async def _compare_positions(self) -> None:
        writer = self._writer
        symbols = writer.positions()
        payload = b"".join(writer.position_commands(symbol) for symbol in symbols)
        replies = await self._ask(payload, 2 * len(symbols))
        positions = {
            symbol: writer.position(replies[2 * index : 2 * index + 2])
            for index, symbol in enumerate(symbols)
        }
        resent = self._backlog.reconcile({name: found.seq for name, found in positions.items()})
        for symbol, position in positions.items():
            writer.reseed(symbol, position)
        if resent:
            logger.bind(resent=resent).warning("redis lost confirmed entries, sent again")

    async def _ask(self, payload: bytes, count: int) -> Sequence[Any]:
        if not count:
            return []
        replies = await self._connection.send(payload, count)
        passing = _passing_error(replies)
        if passing:
            raise StoreUnavailable(passing)
        return replies


def _passing_error(replies: Sequence[Any]) -> str:
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(_PASSING):
            return str(reply)
    return ""
