"""The hot path: one message 12 or 13 in, one book change and one update out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from shared.control.integrity import Integrity
from shared.control.silence import Silence
from shared.errors import BadRow
from shared.market.book import Book
from shared.market.depth import BookState, DepthUpdate, Pair
from shared.normalize.ibkr_depth import MSG_DEPTH, MSG_DEPTH_L2, DepthRowParser


@dataclass(slots=True, eq=False)
class Subscription:
    """One open depth request and the book its rows build."""

    pair: Pair
    req_id: int
    slot: int
    book: Book
    integrity: Integrity
    silence: Silence
    since_s: float
    venue_json: bytes = b""
    state: BookState = BookState.LIVE
    rows: int = 0
    last_row_s: float = 0.0
    last_row_ts: int = 0
    # The next row is news: the first one, or the first after an interruption.
    awaiting_row: bool = True
    advisory_code: int = 0

    def __post_init__(self) -> None:
        self.venue_json = orjson.dumps(self.pair.venue)


@dataclass(slots=True)
class RowCounters:
    updates: int = 0
    stragglers: int = 0
    bad_rows: int = 0
    resets: int = 0


@dataclass(slots=True)
class DepthRows:
    """Open requests of one connection generation, by request id as it stands on the wire."""

    publish: Callable[[DepthUpdate], None]
    on_first_row: Callable[[Subscription], None]
    on_bad_row: Callable[[Subscription, BadRow], None]
    counters: RowCounters = field(default_factory=RowCounters)
    by_key: dict[bytes, Subscription] = field(default_factory=dict)
    now_s: float = 0.0
    now_ms: int = 0
    _parser: DepthRowParser = field(default_factory=DepthRowParser)
    _clock: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)

    # Each row is complete in itself: nothing waits for the others of its slice.
    on_done: Callable[[], None] | None = None

    @property
    def handlers(self) -> dict[bytes, Callable[[list[bytes]], None]]:
        return {MSG_DEPTH: self.on_row, MSG_DEPTH_L2: self.on_row}

    def on_slice(self) -> None:
        """Rows handled together share their receive time."""
        self.now_s = self._clock()
        self.now_ms = time.time_ns() // 1_000_000

    def add(self, subscription: Subscription) -> None:
        self.by_key[b"%d" % subscription.req_id] = subscription

    def by_id(self, req_id: int) -> Subscription | None:
        return self.by_key.get(b"%d" % req_id)

    def remove(self, subscription: Subscription) -> None:
        """Rows of this request that still come are stragglers from now on."""
        self.by_key.pop(b"%d" % subscription.req_id, None)

    def on_row(self, fields: list[bytes]) -> None:
        subscription = self.by_key.get(fields[2]) if len(fields) > 2 else None
        if subscription is None:
            self.counters.stragglers += 1
            return
        book = subscription.book
        try:
            side, operation, position, level = self._parser.parse(fields, subscription.venue_json)
        except BadRow as error:
            self.counters.bad_rows += 1
            self.on_bad_row(subscription, error)
            return
        moved = book.apply(side, operation, position, level)
        self.counters.updates += 1
        if subscription.awaiting_row:
            self.on_first_row(subscription)
        subscription.rows += 1
        subscription.last_row_s = self.now_s
        subscription.last_row_ts = self.now_ms
        if moved:
            self._judge(subscription)
        self._emit(subscription)

    def reset(self, subscription: Subscription) -> None:
        """Error 317: the vendor empties the book; one entry says so."""
        subscription.book.clear()
        subscription.integrity.reset()
        subscription.state = BookState.RESET
        self.counters.resets += 1
        self.on_slice()
        self._emit(subscription)

    def _judge(self, subscription: Subscription) -> None:
        """Levels moved: is the book whole, and right?"""
        book = subscription.book
        if subscription.state is BookState.RESET and book.two_sided:
            subscription.state = BookState.LIVE
        fault = book.fault
        if fault or subscription.integrity.fault:
            subscription.integrity.observe(fault, self.now_s)

    def _emit(self, subscription: Subscription) -> None:
        book, pair = subscription.book, subscription.pair
        self.publish(
            DepthUpdate(
                pair.symbol,
                pair.venue,
                self.now_ms,
                self.now_s,
                book.bids.json,
                book.asks.json,
                subscription.state,
            )
        )
