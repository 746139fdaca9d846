"""The batched writer: what comes in is written in order, or stands in the gap ledger.

Self-clocking: a flush goes out at once when none is in flight; while one is, items gather for
the next. An idle system so has the lowest latency and a busy one the largest batches.

The queue is bounded in entries and bytes; what does not fit while Redis is away is dropped oldest
first and counted. After every loss of the connection (or a reply that says "try again") the last
stored `seq` of each symbol is compared with what was sent: what Redis has is skipped, what it
lost (a restart) is sent again from a short ring, and the rest becomes a gap. Nothing is doubled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import hiredis
from loguru import logger

from shared.errors import StoreUnavailable
from shared.market.depth import DepthUpdate
from shared.store.latency import BOUNDS_MS, LatencyHistogram
from shared.store.losses import GapEntry, Losses, Lost
from shared.store.resp import RespConnection, pack
from shared.store.scripts import Script

_RETRY_WAITS_S: Final = (0.05, 0.1, 0.2, 0.4, 0.5)
_RING_S: Final = 5.0
_RING_ENTRIES: Final = 20_000
_ENTRY_OVERHEAD_BYTES: Final = 200
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
    "NOGOODSLAVE",
    "UNKILLABLE",
)


class Flush:
    """Packed commands; the first `len(appended)` replies belong to those items in order.

    `names` say what the other replies are about, for the log; `side` is the writer's own note
    of what the flush says besides its items.
    """

    __slots__ = ("payload", "appended", "names", "side")

    def __init__(
        self, payload: bytes, appended: Sequence[DepthUpdate], names: list[str], side: Any
    ) -> None:
        self.payload = payload
        self.appended = appended
        self.names = names
        self.side = side

    @property
    def replies(self) -> int:
        return len(self.appended) + len(self.names)


class Position(NamedTuple):
    """How far a symbol's data stands in Redis; zeros for nothing."""

    seq: int  # of the newest stream entry
    entry_ms: int  # time part of that entry's id
    highest_seq: int  # ever said, also where the stream was deleted since


class Writer(Protocol):
    """Turns items into commands; one per key family."""

    feed: str
    scripts: tuple[Script, ...]

    def encode(self, batch: Sequence[DepthUpdate], drained: bool) -> Flush:
        """Commands for a batch; `drained` says that no item waits behind it."""

    def confirmed(self, flush: Flush) -> None:
        """The flush was carried out."""

    def pending(self) -> bool:
        """Whether there is something to write besides queued items."""

    def positions(self) -> list[str]:
        """Symbols whose stored `seq` has to be compared after a break."""

    def position_commands(self, symbol: str) -> bytes:
        """Two commands that tell a symbol's position."""

    def position(self, replies: Sequence[Any]) -> Position: ...

    def reseed(self, symbol: str, position: Position) -> None:
        """Go on behind what Redis has, where it is ahead of us."""


class Sink:
    def __init__(
        self,
        connection: RespConnection,
        writer: Writer,
        max_entries: int,
        max_bytes: int,
        max_updates: int,
    ) -> None:
        self._connection = connection
        self._writer = writer
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_updates = max_updates
        self._queue: deque[DepthUpdate] = deque()
        self._bytes = 0
        self._ring: deque[DepthUpdate] = deque()
        self._acked: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._compare = True
        self._down_since_s: float | None = None
        self._failures = 0
        self._stopping = False
        self.losses = Losses(writer.feed)
        self.latency = LatencyHistogram()
        self.written = 0
        self.flushes = 0
        self.conflated = 0
        self.refused = 0
        self.resent = 0

    @property
    def available(self) -> bool:
        return self._down_since_s is None

    def metrics(self) -> dict[str, Any]:
        """Counters and gauges, as they stand in the metrics hash."""
        latency = self.latency
        return {
            "writes": self.written,
            "flushes": self.flushes,
            "batch_size": round(self.written / self.flushes, 2) if self.flushes else 0.0,
            "conflated": self.conflated,
            "dropped": self.losses.total,
            "refused": self.refused,
            "resent": self.resent,
            "queue_depth": len(self._queue),
            "queue_bytes": self._bytes,
            "max_lag_ms": round(latency.max_ms, 3),
            "latency_bounds_ms": list(BOUNDS_MS),
            "latency_counts": list(latency.counts),
            "latency_p50_ms": round(latency.quantile_ms(0.5), 3),
            "latency_p99_ms": round(latency.quantile_ms(0.99), 3),
        }

    def put(self, item: DepthUpdate) -> None:
        """Queue one item; drops the oldest where the bounds are reached."""
        queue = self._queue
        queue.append(item)
        self._bytes += _size(item)
        if len(queue) > self._max_entries or self._bytes > self._max_bytes:
            self._drop_oldest("queue full")
        if not self._wake.is_set():
            self._wake.set()

    def poke(self) -> None:
        """There is something to write besides items."""
        self._wake.set()

    async def open(self, stop: asyncio.Event) -> None:
        """Learn where Redis stands before the first item is numbered; returns early on `stop`."""
        while not stop.is_set() and not await self._recover():
            continue

    async def run(self) -> None:
        """Write until `stop` has been called and the queue is empty."""
        try:
            while True:
                if not self._queue and not self._writer.pending():
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
        left = len(self._queue)
        while self._queue:
            self._drop_oldest("shutdown")
        return left

    async def _flush(self) -> None:
        queue = self._queue
        batch = [queue.popleft() for _ in range(min(len(queue), self._max_updates))]
        if not batch and not self._writer.pending():
            return
        flush = self._writer.encode(batch, drained=not queue)
        try:
            replies = await self._connection.send(flush.payload, flush.replies)
        except StoreUnavailable as error:
            self._again(batch, str(error))
            return
        passing = self._passing_error(replies)
        if passing:
            self._again(batch, passing)
            await asyncio.sleep(_RETRY_WAITS_S[1])
            return
        self._writer.confirmed(flush)
        self._account(flush, replies)
        for item in batch:
            self._bytes -= _size(item)

    def _account(self, flush: Flush, replies: list[Any]) -> None:
        now_s = asyncio.get_running_loop().time()
        appended = flush.appended
        self.flushes += 1
        self.conflated += max(0, len(appended) - 1)
        for index, reply in enumerate(replies):
            if isinstance(reply, hiredis.ReplyError):
                self._refuse(flush, index, reply)
        for item in appended:
            self._acked[item.symbol] = item.seq
            self.latency.observe((now_s - item.received_s) * 1000.0)
        self.written += len(appended)
        ring = self._ring
        ring.extend(appended)
        while ring and (len(ring) > _RING_ENTRIES or now_s - ring[0].received_s > _RING_S):
            ring.popleft()

    def _refuse(self, flush: Flush, index: int, reply: hiredis.ReplyError) -> None:
        """An error that no retry cures: the item is lost, and that is written down."""
        self.refused += 1
        appended = flush.appended
        name = (
            f"XADD {appended[index].symbol}"
            if index < len(appended)
            else flush.names[index - len(appended)]
        )
        if self.refused == 1 or self.refused % 10_000 == 0:
            logger.bind(command=name, refused=self.refused).error(
                "redis_write_failed: {}: {}", name, reply
            )
        if index < len(appended):
            self.losses.add(_lost(appended[index]), f"redis refused: {str(reply)[:80]}")
            self.written -= 1
            # An id not above the stream's newest: somebody else wrote there.
            self._compare = self._compare or "equal or smaller" in str(reply)

    def _again(self, batch: list[DepthUpdate], reason: str) -> None:
        self._queue.extendleft(reversed(batch))
        self._compare = True
        if self._down_since_s is None:
            self._down_since_s = asyncio.get_running_loop().time()
            self._failures = 0
            first = f"XADD {batch[0].symbol}" if batch else "flush"
            logger.bind(command=first).warning("redis_write_failed: {}: {}", first, reason)

    async def _recover(self) -> bool:
        """Reconnect if need be, load scripts, compare positions; False: not yet."""
        try:
            if not self._connection.connected:
                await self._connection.connect()
            await self._load_scripts()
            await self._compare_positions()
        except StoreUnavailable as error:
            self._again([], str(error))
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
                "redis is back after {:.1f} s, {} entries queued", away_s, len(self._queue)
            )
        return True

    async def _load_scripts(self) -> None:
        commands = [
            pack(b"SCRIPT", b"LOAD", script.text.encode()) for script in self._writer.scripts
        ]
        if not commands:
            return
        replies = await self._connection.send(b"".join(commands), len(commands))
        passing = self._passing_error(replies)
        if passing:
            raise StoreUnavailable(passing)

    async def _compare_positions(self) -> None:
        symbols = self._writer.positions()
        if not symbols:
            return
        payload = b"".join(self._writer.position_commands(symbol) for symbol in symbols)
        replies = await self._connection.send(payload, 2 * len(symbols))
        passing = self._passing_error(replies)
        if passing:
            raise StoreUnavailable(passing)
        positions = {
            symbol: self._writer.position(replies[2 * index : 2 * index + 2])
            for index, symbol in enumerate(symbols)
        }
        self._skip_stored({symbol: position.seq for symbol, position in positions.items()})
        for symbol, position in positions.items():
            acked = self._acked.get(symbol, 0)
            if position.seq < acked:
                self._resend(symbol, position.seq, acked)
            self._writer.reseed(symbol, position)

    def _skip_stored(self, stored: dict[str, int]) -> None:
        """A flush whose reply was lost may have been carried out."""
        kept = [item for item in self._queue if item.seq > stored.get(item.symbol, 0)]
        skipped = len(self._queue) - len(kept)
        if skipped:
            self.written += skipped
            for item in self._queue:
                if item.seq <= stored.get(item.symbol, 0):
                    self._acked[item.symbol] = max(item.seq, self._acked.get(item.symbol, 0))
            self._queue = deque(kept)
            self._bytes = sum(map(_size, kept))

    def _resend(self, symbol: str, stored: int, acked: int) -> None:
        """Redis lost entries it had confirmed (restart): send the ring's again."""
        again = [item for item in self._ring if item.symbol == symbol and item.seq > stored]
        first = again[0].seq if again else acked + 1
        if first > stored + 1:
            ts_ms = again[0].ts_ms if again else 0
            self.losses.add_range(
                GapEntry(
                    self._writer.feed,
                    symbol,
                    "",
                    stored + 1,
                    first - 1,
                    ts_ms,
                    ts_ms,
                    "redis restart",
                    first - 1 - stored,
                )
            )
        self._ring = deque(item for item in self._ring if item.symbol != symbol)
        self._queue.extendleft(reversed(again))
        self._bytes += sum(map(_size, again))
        self._acked[symbol] = stored
        self.resent += len(again)
        self.written -= len(again)
        logger.bind(symbol=symbol, stored=stored, acked=acked, resent=len(again)).warning(
            "redis lost confirmed entries of {}: {} sent again", symbol, len(again)
        )

    def _drop_oldest(self, reason: str) -> None:
        queue = self._queue
        while queue:
            item = queue.popleft()
            self._bytes -= _size(item)
            self.losses.add(_lost(item), reason)
            if len(queue) <= self._max_entries and self._bytes <= self._max_bytes:
                break

    @staticmethod
    def _passing_error(replies: list[Any]) -> str:
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(_PASSING):
                return str(reply)
        return ""


def _size(item: DepthUpdate) -> int:
    return len(item.bids) + len(item.asks) + _ENTRY_OVERHEAD_BYTES


def _lost(item: DepthUpdate) -> Lost:
    return Lost(item.symbol, item.venue, item.seq, item.ts_ms)
