"""The book against a naive one, and against fields that no gateway should send."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.control.integrity import Integrity
from shared.errors import BadRow
from shared.market.book import ASK, BID, DELETE, INSERT, UPDATE, Book
from shared.normalize.ibkr_depth import DepthRowParser
from tests.unit.market.ladders import levels

PLAIN = settings(max_examples=300, deadline=None, database=None, derandomize=True)
Place = tuple[int, int]
VALUELESS: Place = (0, 0)


class Operation(NamedTuple):
    side: int
    operation: int
    position: int
    cents: int
    size: int
    # Else the position is brought to one that the side has, or to the end of it.
    wild: bool


@dataclass
class NaiveSide:
    """(cents, size) by position, None where a row has not come, VALUELESS where it said nothing."""

    max_rows: int
    places: list[Place | None] = field(default_factory=list)

    def apply(self, operation: int, position: int, place: Place) -> None:
        value = place if place[0] > 0 else VALUELESS
        if operation == DELETE:
            del self.places[position : position + 1]
        elif position < self.max_rows:
            self.places += [None] * (position - len(self.places))
            awaited = position < len(self.places) and self.places[position] is None
            width = 1 if operation == UPDATE or awaited else 0
            self.places[position : position + width] = [value]
            del self.places[self.max_rows :]

    def top(self) -> list[Place]:
        shown = self.places[:10]
        return [place for place in shown if place is not None and place != VALUELESS]

    def hole(self) -> bool:
        return None in self.places[:10] or VALUELESS in self.places[:10]

    def cents(self) -> list[int]:
        return [place[0] for place in self.top()]


def naive_fault(bids: NaiveSide, asks: NaiveSide) -> str:
    if bids.hole() or asks.hole():
        return "hole"
    if bids.cents() != sorted(bids.cents(), reverse=True) or asks.cents() != sorted(asks.cents()):
        return "unsorted"
    crossed = bids.top() and asks.top() and bids.cents()[0] > asks.cents()[0]
    return "crossed" if crossed else ""


def shown(side_json: bytes, bids: bool) -> list[Place]:
    return [(round(price * 100), int(size)) for price, size, _ in levels(side_json, bids)]


operations = st.lists(
    st.builds(
        Operation,
        st.sampled_from([ASK, BID]),
        st.sampled_from([INSERT, UPDATE, UPDATE, DELETE]),
        st.integers(0, 20),
        st.sampled_from([9_998, 9_999, 10_000, 10_001, 10_002, 0]),
        st.integers(1, 9),
        st.sampled_from([False] * 15 + [True]),
    ),
    max_size=80,
)


@PLAIN
@given(operations, st.sampled_from([3, 10, 15]))
def test_after_every_row_the_book_is_the_naive_one(rows: list[Operation], max_rows: int) -> None:
    book, bids, asks = Book(max_rows), NaiveSide(max_rows), NaiveSide(max_rows)
    for row in rows:
        naive = bids if row.side == BID else asks
        position = row.position if row.wild else row.position % (len(naive.places) + 1)
        price = row.cents / 100
        level = (price, f'[{price},{row.size},"ARCA"]'.encode())
        book.apply(row.side, row.operation, position, level)
        naive.apply(row.operation, position, (row.cents, row.size))
        # Stable: rows of one price stay in the order of their positions.
        assert shown(book.bids.json, True) == sorted(bids.top(), key=lambda place: -place[0])
        assert shown(book.asks.json, False) == sorted(asks.top(), key=lambda place: place[0])
        assert book.fault == naive_fault(bids, asks)


numbers = st.one_of(
    st.floats().map(lambda value: repr(value).encode()),
    st.integers(-1, 200).map(lambda value: b"%d" % value),
    st.sampled_from([b"1.7976931348623157E308", b"1_0", b" 5", b"", b"nan", b"Infinity"]),
    st.binary(max_size=12),
)
places = st.one_of(st.integers(-1, 20).map(lambda value: b"%d" % value), st.binary(max_size=6))
flags = st.one_of(st.integers(-1, 3).map(lambda value: b"%d" % value), st.binary(max_size=2))
makers = st.one_of(st.sampled_from([b"", b"NSDQ", b'"', b"\\", b"[null"]), st.binary(max_size=20))
wire_rows = st.lists(
    st.tuples(places, makers, flags, flags, numbers, numbers, st.integers(3, 11)), max_size=60
)


@PLAIN
@given(wire_rows)
def test_whatever_the_fields_hold_only_sound_sides_are_published(
    rows: list[tuple[bytes, bytes, bytes, bytes, bytes, bytes, int]],
) -> None:
    book, parser = Book(15), DepthRowParser()
    for place, maker, action, side, price, size, kept in rows:
        fields = [b"13", b"1", b"7", place, maker, action, side, price, size, b"0", b""][:kept]
        with suppress(BadRow):
            book.apply(*parser.parse(fields, b'"NASDAQ"'))
        levels(book.bids.json, True)
        levels(book.asks.json, False)


@PLAIN
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "hole", "unsorted", "crossed"]), st.integers(0, 25)),
        max_size=60,
    )
)
def test_a_fault_is_reported_once_as_soon_as_it_outlasts_its_second(
    observations: list[tuple[str, int]],
) -> None:
    integrity = Integrity()
    since_tick: int | None = None
    reported = False
    tick = 0  # tenths of a second
    for fault, ticks in observations:
        integrity.observe(fault, tick / 10)
        if not fault:
            since_tick = None
        elif since_tick is None:
            since_tick, reported = tick, False
        for _ in range(ticks):
            tick += 1
            due = since_tick is not None and tick / 10 - since_tick / 10 > 1.0 and not reported
            assert integrity.lasting(tick / 10) == (fault if due else "")
            reported = reported or due
