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
from typing import Any, Final, Generic

import hiredis
from loguru import logger

from shared.errors import StoreUnavailable
from shared.store.backlog import Backlog
from shared.store.flush import Flush, Writer
from shared.store.item import ItemT
from shared.store.losses import Losses
from shared.store.outcome import first_passing, judge
from shared.store.positions import load_scripts, read_positions
from shared.store.resp import RespConnection
from shared.store.tally import Tally

_RETRY_WAITS_S: Final = (0.05, 0.1, 0.2, 0.4, 0.5)
_LOG_EVERY_REFUSALS: Final = 10_000
# Some ten flushes: enough to keep Redis busy, little enough to stay fresh.
CONGESTED_ENTRIES: Final = 2_000
# A flush in flight for longer is no congestion.
_STUCK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SinkBounds:
    """What fits while Redis is away, and how much goes out at once.

    `min_gap_s` lies between the beginnings of two flushes that are not full: a writer with many
    last values so says each of them less often.
    """

    max_entries: int
    max_bytes: int
    max_updates: int
    min_gap_s: float = 0.0


class Sink(Generic[ItemT]):
    def __init__(
        self, connection: RespConnection, writer: Writer[ItemT], bounds: SinkBounds
    ) -> None:
        self._connection = connection
        self._writer = writer
        self._backlog: Backlog[ItemT] = Backlog(
            writer.feed, bounds.max_entries, bounds.max_bytes, writer.numbered
        )
        self._max_updates = bounds.max_updates
        self._min_gap_s = bounds.min_gap_s
        self._wake = asyncio.Event()
        self._compare = True
        self._down_since_s: float | None = None
        # Redis answers but takes nothing: it is back when a flush went through, not before.
        self._taking = True
        self._failures = 0
        self._stopping = False
        self._sent_s = 0.0
        self._in_flight: Flush[ItemT] | None = None
        self._prepared: Flush[ItemT] | None = None
        self._tally = Tally()

    @property
    def feed(self) -> str:
        """What it writes, as gaps and metrics name it."""
        return self._writer.feed

    @property
    def available(self) -> bool:
        return self._down_since_s is None

    @property
    def losses(self) -> Losses:
        return self._backlog.losses

    def put(self, item: ItemT) -> None:
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
        backlog = self._backlog
        return {
            **self._tally.metrics(backlog.written),
            **self._writer.metrics(),
            "dropped": backlog.losses.total,
            "resent": backlog.resent,
            "queue_depth": len(backlog),
            "queue_bytes": backlog.bytes,
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
                await self._keep_gap()
                self._wake.clear()
                if self._compare and not await self._recover():
                    continue
                await self._flush()
        finally:
            self._connection.close()

    async def _keep_gap(self) -> None:
        if self._stopping or not self._min_gap_s or len(self._backlog) >= self._max_updates:
            return
        rest_s = self._sent_s + self._min_gap_s - asyncio.get_running_loop().time()
        if rest_s > 0:
            await asyncio.sleep(rest_s)

    def stop(self) -> None:
        """Finish what is queued, then end `run`; the caller sets the deadline."""
        self._stopping = True
        self._wake.set()

    def abandon(self) -> int:
        """Count what is not confirmed as lost, after a deadline; returns how many."""
        if self._in_flight is not None:
            self._again(self._in_flight, self._in_flight.appended)
        return self._backlog.abandon()

    async def _flush(self) -> None:
        flush = self._next()
        if not flush.replies:
            return
        self._in_flight = flush
        try:
            replies = await self._exchange(flush)
        except StoreUnavailable as error:
            self._again(flush, flush.appended, unsure=True)
            self._unavailable(flush.name(0), str(error))
            return
        except asyncio.CancelledError:
            # Not if `abandon` has counted it meanwhile.
            if self._in_flight is flush:
                self._again(flush, flush.appended)
            raise
        await self._settle(flush, replies)

    async def _exchange(self, flush: Flush[ItemT]) -> Sequence[Any]:
        self._sent_s = asyncio.get_running_loop().time()
        waiting = self._connection.send(flush.payload, flush.replies)
        if len(self._backlog) >= self._max_updates:
            # Encoded while Redis works, so that it does not wait for us in turn.
            self._prepared = self._encode()
        return await waiting

    async def _settle(self, flush: Flush[ItemT], replies: Sequence[Any]) -> None:
        outcome = judge(flush, replies)
        now_s = asyncio.get_running_loop().time()
        self._backlog.confirm(outcome.written, now_s)
        self._tally.flushed(outcome.written, now_s)
        for item, index in outcome.refused:
            self._lose(item, flush.name(index), str(replies[index]))
        passing = first_passing(replies)
        if passing is not None:
            await self._hold(flush, outcome.again, passing, str(replies[passing]))
            return
        self._in_flight = None
        for index in range(flush.item_replies, len(replies)):
            if isinstance(replies[index], hiredis.ReplyError):
                self._report(flush.name(index), str(replies[index]))
        self._writer.confirmed(flush, replies)
        self._taking = True
        self._back()

    async def _hold(
        self, flush: Flush[ItemT], again: Sequence[ItemT], failed: int, reason: str
    ) -> None:
        self._taking = False
        self._again(flush, again)
        self._unavailable(flush.name(failed), reason)
        await asyncio.sleep(self._wait_s())

    def _next(self) -> Flush[ItemT]:
        prepared, self._prepared = self._prepared, None
        return prepared or self._encode()

    def _encode(self) -> Flush[ItemT]:
        batch = self._backlog.take(self._max_updates)
        return self._writer.encode(batch, drained=not self._backlog)

    def _again(self, flush: Flush[ItemT], items: Sequence[ItemT], unsure: bool = False) -> None:
        """Queue `items` of a flush once more, and all of the one prepared behind it."""
        prepared, self._prepared = self._prepared, None
        self._in_flight = None
        if prepared is not None:
            self._backlog.put_back(prepared.appended)
            self._writer.repeat({item.symbol for item in prepared.appended})
        self._backlog.put_back(items, unsure)
        self._writer.repeat({item.symbol for item in flush.appended})

    def _lose(self, item: ItemT, name: str, error: str) -> None:
        """An error that no retry cures: the item is lost, and that is written down."""
        self._report(name, error)
        self._backlog.refuse(item, f"redis refused: {error[:80]}")
        # An id not above the stream's newest: somebody else wrote there.
        self._compare = self._compare or "equal or smaller" in error

    def _report(self, name: str, error: str) -> None:
        self._tally.refused += 1
        if self._tally.refused % _LOG_EVERY_REFUSALS == 1:
            logger.bind(command=name, refused=self._tally.refused).error(
                "redis_write_failed: {}: {}", name, error
            )

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
            await load_scripts(self._connection, self._writer.scripts)
            await self._compare_positions()
        except StoreUnavailable as error:
            self._unavailable("connect", str(error))
            await asyncio.sleep(self._wait_s())
            self._wake.set()
            return False
        self._compare = False
        if self._taking:
            self._back()
        return True

    def _wait_s(self) -> float:
        self._failures += 1
        return _RETRY_WAITS_S[min(self._failures, len(_RETRY_WAITS_S)) - 1]

    def _back(self) -> None:
        if self._down_since_s is None:
            return
        away_s = asyncio.get_running_loop().time() - self._down_since_s
        self._down_since_s = None
        logger.bind(away_s=round(away_s, 2), failures=self._failures).info(
            "redis is back after {:.1f} s, {} entries queued", away_s, len(self._backlog)
        )

    async def _compare_positions(self) -> None:
        writer = self._writer
        positions, usable = await read_positions(self._connection, writer)
        resent = self._backlog.reconcile(usable, asyncio.get_running_loop().time())
        for symbol, position in positions.items():
            writer.reseed(symbol, position)
        writer.repeat(positions)  # any may have lost its last values, also where no item was
        if resent:
            logger.bind(resent=resent).warning("redis lost confirmed entries, sent again")
