"""A million random and invalid rows, from the wire's fields to what is published.

Seeded, so a failure comes back. Every published side is read and checked whenever it changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import orjson

from shared.control.integrity import Integrity
from shared.control.silence import Silence
from shared.errors import BadRow
from shared.feeds.ibkr.depth_rows import DepthRows, Subscription
from shared.market.book import EMPTY_SIDE, Book
from shared.market.depth import DepthUpdate, Pair

OPERATIONS: Final = 1_000_000
RUN: Final = 250  # operations between two resets of the book (TWS error 317)
TICK_S: Final = 0.1
DBL_MAX: Final = b"1.7976931348623157E308"
MISSING: Final = [None, 0, None]
PADDING: Final = [[MISSING] * n for n in range(11)]

# Pools repeat what is common; the rest is what a broken or hostile peer could send.
POSITIONS: Final = [b"%d" % n for n in range(10)] * 12 + [
    b"10", b"13", b"14", b"15", b"16", b"99", b"10000", b"10001", b"-1", b"", b"x", b"1.0",
    b"99999999999999999999", b"\xff",
]  # fmt: skip
ACTIONS: Final = [b"0", b"1", b"2"] * 40 + [b"3", b"-1", b"", b"insert"]
SIDES: Final = [b"0", b"1"] * 60 + [b"2", b"-1", b"", b"BID"]
PRICES: Final = [b"%.2f" % (100 + n / 100) for n in range(-20, 21)] * 4 + [
    b"-1", b"0", b"0.0", b"-0.0", DBL_MAX, b"-" + DBL_MAX, b"nan", b"-nan", b"Infinity",
    b"-Infinity", b"1e400", b"1e-320", b"999999999999", b"1_0", b" 5", b"", b"abc", b"\xff\xfe",
    b"5,94", b"100",
]  # fmt: skip
SIZES: Final = [b"1", b"100", b"300.0", b"0.5", b"18"] * 30 + [
    b"0", b"-5", b"1e11", DBL_MAX, b"nan", b"Infinity", b"1_0", b"", b"x", b"1e-7",
]  # fmt: skip
MAKERS: Final = [b"", b"NSDQ", b"ARCA", b"ISLAND"] * 20 + [
    b'A"B', b"\\", b"[null,0", b"\xff", b"TOO LONG TO BE ONE", b"\x01", b"\n",
]  # fmt: skip
# Rows of an orderly feed, so that faults also heal by themselves.
CALM_PRICES: Final = [b"%.2f" % (100 + n / 100) for n in range(10)]


@dataclass(slots=True)
class Watch:
    """Checks each update as it is published and each tick as the worker's would come."""

    now_s: float = 0.0
    bids: bytes = EMPTY_SIDE
    asks: bytes = EMPTY_SIDE
    best_bid: float | None = None
    best_ask: float | None = None
    checked: int = 0
    bad_rows: int = 0
    wrong_since_s: float | None = None
    due: bool = False
    reported: int = 0
    healed: int = 0
    faults: set[str] = field(default_factory=set)

    def publish(self, update: DepthUpdate) -> None:
        if update.bids != self.bids:
            self.bids = update.bids
            self.best_bid = self._best(update.bids, True)
        if update.asks != self.asks:
            self.asks = update.asks
            self.best_ask = self._best(update.asks, False)

    def _best(self, side: bytes, bids: bool) -> float | None:
        rows = orjson.loads(side)
        assert len(rows) == 10, side
        prices = [row[0] for row in rows if row[0] is not None]
        assert rows[len(prices) :] == PADDING[10 - len(prices)], side
        in_order = sorted(prices, reverse=bids)
        assert prices == in_order and (not prices or min(prices) > 0), side
        self.checked += 1
        return prices[0] if prices else None

    def bad_row(self, _: Subscription, error: BadRow) -> None:
        self.bad_rows += 1

    def follow(self, fault: str) -> None:
        """Keep account of how long something has been wrong."""
        crossed = (
            self.best_bid is not None
            and self.best_ask is not None
            and self.best_bid > self.best_ask
        )
        assert (fault != "") or not crossed, (self.bids, self.asks)
        assert fault != "crossed" or crossed, (self.bids, self.asks)
        self.faults.add(fault)
        if fault and self.wrong_since_s is None:
            self.wrong_since_s, self.due = self.now_s, True
        elif not fault and self.wrong_since_s is not None:
            self.healed += 1
            self.wrong_since_s = None

    def tick(self, integrity: Integrity) -> None:
        found = integrity.lasting(self.now_s)
        lasts_s = self.now_s - self.wrong_since_s if self.wrong_since_s is not None else 0.0
        expected = self.due and lasts_s > 1.0
        assert bool(found) == expected, (found, lasts_s, self.due)
        if found:
            self.due = False
            self.reported += 1


def columns(chance: random.Random, count: int) -> Iterator[list[bytes]]:
    """Fields of messages 12 and 13: wild ones, calm ones, and some that were cut short."""
    pools = (POSITIONS, MAKERS, ACTIONS, SIDES, PRICES, SIZES)
    for place, maker, action, side, price, size in zip(
        *(chance.choices(pool, k=count) for pool in pools), strict=True
    ):
        draw = chance.random()
        if draw < 0.4:
            calm = chance.randrange(10)
            price = CALM_PRICES[calm if side == b"0" else 9 - calm]
            yield [b"12", b"1", b"7", b"%d" % calm, b"1", side, price, b"100", b""]
        elif draw < 0.7:
            yield [b"12", b"1", b"7", place, action, side, price, size, b""]
        elif draw < 0.99:
            yield [b"13", b"1", b"7", place, maker, action, side, price, size, b"0", b""]
        else:
            yield [b"13", b"1", b"7", place, maker, action, side, price, size][
                : int(draw * 1e6) % 9
            ]


def subscription() -> Subscription:
    pair = Pair("AAPL", "NASDAQ")
    return Subscription(pair, 7, 0, Book(15), Integrity(), Silence(60.0), 0.0)


def steps(chance: random.Random) -> Iterator[float]:
    """Seconds between rows: bursts, a steady trickle, and pauses longer than a second."""
    while True:
        pace_s = chance.choice([0.0, 0.001, 0.02, 0.05])
        for _ in range(RUN - 1):
            yield pace_s
        yield chance.choice([0.0, 0.5, 2.5])


def advance(watch: Watch, integrity: Integrity, pause_s: float) -> None:
    """Let time pass tick by tick, as the worker's loop does."""
    until_s = watch.now_s + pause_s
    while watch.now_s + TICK_S < until_s:
        watch.now_s += TICK_S
        watch.tick(integrity)
    watch.now_s = until_s
    watch.tick(integrity)


def run(watch: Watch, rows: DepthRows, book: Subscription, count: int) -> None:
    chance = random.Random(20120621)
    pauses = steps(chance)
    for number, fields in enumerate(columns(chance, count)):
        rows.now_s = watch.now_s
        rows.on_row(fields)
        watch.follow(book.book.fault)
        advance(watch, book.integrity, next(pauses))
        if number % RUN == RUN - 1:
            rows.reset(book)
            watch.follow(book.book.fault)


def test_a_million_rows_of_any_kind_publish_only_sound_sides() -> None:
    watch, book = Watch(), subscription()
    rows = DepthRows(watch.publish, lambda _: None, watch.bad_row, _clock=lambda: watch.now_s)
    rows.add(book)
    run(watch, rows, book, OPERATIONS)
    counters = rows.counters
    seen = counters.updates + counters.bad_rows + counters.stragglers
    assert seen == OPERATIONS
    assert counters.bad_rows == watch.bad_rows
    # What makes the run worth its time: every kind of trouble came, often.
    assert watch.faults == {"", "hole", "unsorted", "crossed"}
    assert watch.checked > 500_000
    assert counters.bad_rows > 100_000
    assert book.book.ignored_rows > 20_000
    assert watch.reported > 2_000
    assert watch.healed > 2_000
