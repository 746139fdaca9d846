"""Items between the feed and Redis: queued, in flight, or confirmed a moment ago. Pure.

Bounded in entries and in bytes; the oldest go first, each into `losses`. Confirmed items stay in
a short ring, to be sent again should Redis restart without them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from shared.market.depth import DepthUpdate
from shared.store.losses import GapEntry, Losses, Lost

RING_S: Final = 5.0
RING_ENTRIES: Final = 20_000
_ENTRY_OVERHEAD_BYTES: Final = 200


class Backlog:
    def __init__(self, feed: str, max_entries: int, max_bytes: int) -> None:
        self._feed = feed
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._queue: deque[DepthUpdate] = deque()
        self._ring: deque[DepthUpdate] = deque()
        self._acked: dict[str, int] = {}
        # Bytes of queued and in-flight items.
        self.bytes = 0
        self.written = 0
        self.resent = 0
        self.losses = Losses(feed)

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, item: DepthUpdate) -> None:
        self._queue.append(item)
        self.bytes += len(item.bids) + len(item.asks) + _ENTRY_OVERHEAD_BYTES
        if len(self._queue) > self._max_entries or self.bytes > self._max_bytes:
            self._drop("queue full", self._max_entries, self._max_bytes)

    def take(self, limit: int) -> list[DepthUpdate]:
        """The oldest items, now in flight: `confirm` or `put_back` must follow."""
        queue = self._queue
        return [queue.popleft() for _ in range(min(len(queue), limit))]

    def put_back(self, batch: Sequence[DepthUpdate]) -> None:
        """The flush failed: its items are the oldest again."""
        self._queue.extendleft(reversed(batch))

    def confirm(self, batch: Sequence[DepthUpdate], now_s: float) -> None:
        """Redis has these items."""
        acked = self._acked
        for item in batch:
            acked[item.symbol] = item.seq
        self.bytes -= sum(map(_size, batch))
        self.written += len(batch)
        ring = self._ring
        ring.extend(batch)
        while ring and (len(ring) > RING_ENTRIES or now_s - ring[0].received_s > RING_S):
            ring.popleft()

    def refuse(self, item: DepthUpdate, reason: str) -> None:
        """Redis will never take this one of a confirmed batch."""
        self.written -= 1
        self.losses.add(_lost(item), reason)

    def abandon(self) -> int:
        """Give up everything queued, at the end of a stop; returns how many."""
        left = len(self._queue)
        self._drop("shutdown", 0, -1)
        return left

    def reconcile(self, stored: Mapping[str, int]) -> dict[str, int]:
        """Compare with the newest `seq` that Redis has of each symbol.

        What Redis has of the queue is skipped (a flush whose reply was lost); what it had
        confirmed and lost since is queued again from the ring, the rest becomes a gap. Returns
        how many entries are sent again, per symbol that had lost some.
        """
        self._skip(stored)
        resent: dict[str, int] = {}
        for symbol, seq in stored.items():
            if seq < self._acked.get(symbol, 0):
                resent[symbol] = self._resend(symbol, seq)
        return resent

    def _skip(self, stored: Mapping[str, int]) -> None:
        kept: deque[DepthUpdate] = deque()
        for item in self._queue:
            if item.seq > stored.get(item.symbol, 0):
                kept.append(item)
                continue
            self._acked[item.symbol] = max(item.seq, self._acked.get(item.symbol, 0))
            self.bytes -= _size(item)
            self.written += 1
        self._queue = kept

    def _resend(self, symbol: str, stored: int) -> int:
        acked = self._acked[symbol]
        again = [item for item in self._ring if item.symbol == symbol and item.seq > stored]
        first = again[0].seq if again else acked + 1
        if first > stored + 1:
            ts_ms = again[0].ts_ms if again else 0
            count = first - 1 - stored
            self.losses.add_range(
                GapEntry(
                    self._feed,
                    symbol,
                    "",
                    stored + 1,
                    first - 1,
                    ts_ms,
                    ts_ms,
                    "redis restart",
                    count,
                )
            )
        self._ring = deque(item for item in self._ring if item.symbol != symbol)
        # Queued items of the symbol are newer: in front of everything keeps their order.
        self._queue.extendleft(reversed(again))
        self.bytes += sum(map(_size, again))
        self._acked[symbol] = stored
        self.written -= acked - stored
        self.resent += len(again)
        return len(again)

    def _drop(self, reason: str, max_entries: int, max_bytes: int) -> None:
        queue = self._queue
        while queue and (len(queue) > max_entries or self.bytes > max_bytes):
            item = queue.popleft()
            self.bytes -= _size(item)
            self.losses.add(_lost(item), reason)


def _size(item: DepthUpdate) -> int:
    return len(item.bids) + len(item.asks) + _ENTRY_OVERHEAD_BYTES


def _lost(item: DepthUpdate) -> Lost:
    return Lost(item.symbol, item.venue, item.seq, item.ts_ms)
