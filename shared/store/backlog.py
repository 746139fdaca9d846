"""Items between the feed and Redis: queued, in flight, or confirmed a moment ago. Pure.

Bounded in entries and in bytes; the oldest go first, each into `losses`. Confirmed items stay in
a short ring, to be sent again should Redis restart without them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final, Generic

from shared.store.confirmed import Confirmed, Position, Span
from shared.store.item import Item, ItemT
from shared.store.losses import GapEntry, Losses, Lost

# Since the confirmation: what waited for long in the queue is no safer in Redis than the rest.
RING_S: Final = 5.0
RING_ENTRIES: Final = 20_000
_size: Final = attrgetter("size_bytes")


class Backlog(Generic[ItemT]):
    def __init__(self, feed: str, max_entries: int, max_bytes: int, numbered: bool = True) -> None:
        self._feed = feed
        # Bars are numbered as they are written, not in the order of their times.
        self._in_order = numbered
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._queue: deque[ItemT] = deque()
        # Confirmed batches with the time of their confirmation.
        self._ring: deque[tuple[float, Sequence[ItemT]]] = deque()
        self._ring_entries = 0
        self._confirmed = Confirmed()
        # Oldest and newest number per symbol of a flush that Redis may have carried out.
        self._unsure: dict[str, tuple[int, int]] = {}
        # Bytes of queued and in-flight items.
        self.bytes = 0
        self.written = 0
        self.resent = 0
        self.losses = Losses(feed, numbered)

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, item: ItemT) -> None:
        self._queue.append(item)
        self.bytes += item.size_bytes
        if len(self._queue) > self._max_entries or self.bytes > self._max_bytes:
            self._drop("queue full", self._max_entries, self._max_bytes)

    def take(self, limit: int) -> list[ItemT]:
        """The oldest items, now in flight: `confirm`, `refuse` or `put_back` must follow."""
        queue = self._queue
        return [queue.popleft() for _ in range(min(len(queue), limit))]

    def put_back(self, batch: Sequence[ItemT], unsure: bool = False) -> None:
        """The flush failed: its items are the oldest again; `unsure` whether Redis has them."""
        self._queue.extendleft(reversed(batch))
        if unsure:
            for item in batch:
                first, newest = self._unsure.get(item.symbol, (item.seq, 0))
                self._unsure[item.symbol] = (min(first, item.seq), max(newest, item.seq))

    def confirm(self, batch: Sequence[ItemT], now_s: float) -> None:
        """Redis has these items."""
        add = self._confirmed.add
        for item in batch:
            add(item)
        self.bytes -= sum(map(_size, batch))
        self.written += len(batch)
        self._keep(batch, now_s)

    def refuse(self, item: ItemT, reason: str) -> None:
        """Redis will never take this item in flight."""
        self.bytes -= item.size_bytes
        self.losses.add(_lost(item), reason)

    def abandon(self) -> int:
        """Give up everything queued, at the end of a stop; returns how many."""
        left = len(self._queue)
        self._drop("shutdown", 0, -1)
        return left

    def reconcile(self, stored: Mapping[str, Position], now_s: float) -> dict[str, int]:
        """Compare with how far Redis stands with each symbol; nothing may be in flight.

        What Redis has of the queue is skipped (a flush whose reply was lost); what it had
        confirmed and lost since is queued again from the ring, the rest becomes a gap. Returns
        how many entries are sent again, per symbol that had lost some.
        """
        self._skip(stored, now_s)
        self._learn(stored)
        resent: dict[str, int] = {}
        for symbol, position in stored.items():
            if position.seq < self._confirmed.newest(symbol):
                resent[symbol] = self._resend(symbol, position)
        return resent

    def _skip(self, stored: Mapping[str, Position], now_s: float) -> None:
        known: list[ItemT] = []
        kept: deque[ItemT] = deque()
        for item in self._queue:
            position = stored.get(item.symbol)
            has = position is not None and item.seq <= position.seq
            (known if has else kept).append(item)
        self._queue = kept
        if known:
            self.confirm(known, now_s)

    def _learn(self, stored: Mapping[str, Position]) -> None:
        """Items dropped since a flush without an answer are no losses where Redis has them."""
        for symbol, (first, newest) in self._unsure.items():
            if symbol in stored:
                newest = min(newest, stored[symbol].seq)
                self.written += self.losses.stored(symbol, newest, first)
        self._unsure.clear()

    def _resend(self, symbol: str, position: Position) -> int:
        cut_ms = position.entry_ms if self._in_order else None
        lost = self._confirmed.take_above(symbol, position.seq, cut_ms)
        again = self._take_from_ring(symbol, position.seq)
        first = again[0] if again else None
        self.written -= len(again) + sum(self._give_up(symbol, span, first) for span in lost)
        # Queued items of the symbol are newer: in front of everything keeps their order.
        self._queue.extendleft(reversed(again))
        self.bytes += sum(map(_size, again))
        self.resent += len(again)
        return len(again)

    def _give_up(self, symbol: str, span: Span, first: ItemT | None) -> int:
        """What of a span is older than `first`, the oldest sent again, is a gap; how many."""
        last, last_ts = span.last, span.last_ts
        if first is not None and first.seq <= last:
            last = first.seq - 1
            last_ts = first.ts_ms if self._in_order else last_ts
        count = last - span.first + 1
        if count <= 0:
            return 0
        seqs, times = (span.first, last), (span.first_ts, last_ts)
        self.losses.add_range(
            GapEntry(self._feed, symbol, "", *seqs, *times, "redis restart", count)
        )
        return count

    def _keep(self, batch: Sequence[ItemT], now_s: float) -> None:
        ring = self._ring
        ring.append((now_s, batch))
        self._ring_entries += len(batch)
        while ring and (self._ring_entries > RING_ENTRIES or now_s - ring[0][0] > RING_S):
            self._ring_entries -= len(ring.popleft()[1])

    def _take_from_ring(self, symbol: str, seq: int) -> list[ItemT]:
        taken: list[ItemT] = []
        kept: deque[tuple[float, Sequence[ItemT]]] = deque()
        for confirmed_s, batch in self._ring:
            rest: list[ItemT] = []
            for item in batch:
                lost = item.symbol == symbol and item.seq > seq
                (taken if lost else rest).append(item)
            kept.append((confirmed_s, rest))
        self._ring = kept
        self._ring_entries -= len(taken)
        return taken

    def _drop(self, reason: str, max_entries: int, max_bytes: int) -> None:
        queue = self._queue
        while queue and (len(queue) > max_entries or self.bytes > max_bytes):
            item = queue.popleft()
            self.bytes -= item.size_bytes
            self.losses.add(_lost(item), reason)


def _lost(item: Item) -> Lost:
    return Lost(item.symbol, item.venue, item.seq, item.ts_ms)
