"""Depth rows: the stream of updates, the newest update, books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

from shared.schema import ttls
from shared.schema.row import Context, Flaw, Item, Reading, Row, Shape
from shared.schema.sequence import risen_by_one
from shared.schema.times import not_ahead
from shared.schema.values import Ms, Name, Payload, Seq, Side, Venue, about

SECTION: Final = "Depth"
DEPTH: Final = ("ibkr_depth",)
# Redis trims a stream by whole nodes, and only as it is written.
_TRIM_SLACK: Final = 1_000


class StreamEntry(Payload, frozen=True):
    ts: Annotated[Ms, about("when the row was received")]
    bids: Annotated[Side, about("the venue's bids after the row, JSON: 10 rows, see Conventions")]
    asks: Annotated[Side, about("the venue's asks after the row, JSON: 10 rows, see Conventions")]
    seq: Annotated[Seq, about("number of the entry in the symbol's sequence, from 1")]
    venue: Annotated[Venue, about("whose book changed")]


class DepthLast(Payload, frozen=True):
    ts: Annotated[Ms, about("when the newest update was received")]
    bid0: Annotated[str, about("best bid price of that book, empty when it has none")]
    ask0: Annotated[str, about("best ask price of that book, empty when it has none")]
    bids_json: Annotated[Side, about("its bids, JSON: 10 rows, see Conventions")]
    asks_json: Annotated[Side, about("its asks, JSON: 10 rows, see Conventions")]
    venue: Annotated[Venue, about("venue of the newest update")]
    seq: Annotated[Seq, about("number of the newest update")]


class VenueBook(Payload, frozen=True):
    symbol: Annotated[Name, about("symbol, as in the key")]
    venue: Annotated[Venue, about("venue, as in the key")]
    ts: Annotated[Ms, about("when the newest row was received: depth carries no vendor time")]
    received_ts: Annotated[Ms, about("the same")]
    seq: Annotated[Seq, about("number of the newest update of this venue")]
    bids: Annotated[Side, about("bids: 10 rows, see Conventions")]
    asks: Annotated[Side, about("asks: 10 rows, see Conventions")]
    state: Annotated[
        Literal["live", "reset", "parked"],
        about(
            "`live`; `reset`: emptied by the vendor, until refilled;"
            " `parked`: no open request, the last known book"
        ),
    ]


class Book(Payload, frozen=True):
    symbol: Annotated[Name, about("symbol, as in the key")]
    venues: Annotated[list[Venue], about("venues whose live books are merged, sorted")]
    ts: Annotated[Ms, about("when the newest of their rows was received")]
    received_ts: Annotated[Ms, about("the same")]
    bids: Annotated[
        Side,
        about("best ten bids of all venues; of equal prices the larger size, with several venues"),
    ]
    asks: Annotated[
        Side,
        about("best ten asks of all venues; of equal prices the larger size, with several venues"),
    ]
    crossed: Annotated[bool, about("whether the best bid is above the best ask")]


def side_flaws(name: str, side: Sequence[Any], bids: bool, by_size: bool) -> Iterator[Flaw]:
    """Levels first, best first; then the missing ones."""
    prices = [row[0] for row in side if row[0] is not None]
    if [row[0] for row in side[: len(prices)]] != prices:
        yield Flaw(name, _shown(side), "have its missing levels last")
        return
    for place, row in enumerate(side):
        if row[0] is None and (row[1] or row[2] is not None):
            yield Flaw(f"{name}[{place}]", list(row), "be [null, 0, null] where no price is")
        if row[0] is not None and row[2] is None:
            yield Flaw(f"{name}[{place}]", list(row), "name a market maker or venue")
    if prices != sorted(prices, reverse=bids):
        yield Flaw(
            name, _shown(side), f"be sorted by price, {'highest' if bids else 'lowest'} first"
        )
    elif by_size and _sizes_rise(side[: len(prices)]):
        yield Flaw(name, _shown(side), "have the larger size first among equal prices")


def _sizes_rise(rows: Sequence[Any]) -> bool:
    pairs = zip(rows, rows[1:], strict=False)
    return any(one[0] == other[0] and one[1] < other[1] for one, other in pairs)


def _shown(side: Sequence[Any]) -> str:
    return ", ".join("null" if row[0] is None else f"{row[0]:g}" for row in side)


def _entry_sides(item: Item, _: Context) -> Iterator[Flaw]:
    yield from side_flaws("bids", item.doc.bids, True, False)
    yield from side_flaws("asks", item.doc.asks, False, False)


def _merged_sides(item: Item, _: Context) -> Iterator[Flaw]:
    book: Book = item.doc
    # A single venue's levels stand as it sent them.
    several = len(book.venues) > 1
    yield from side_flaws("bids", book.bids, True, several)
    yield from side_flaws("asks", book.asks, False, several)
    bid, ask = book.bids[0][0], book.asks[0][0]
    crossed = bid is not None and ask is not None and bid > ask
    if book.crossed != crossed:
        yield Flaw("crossed", book.crossed, f"be {crossed}: best bid {bid}, best ask {ask}")
    if not book.venues or book.venues != sorted(set(book.venues)):
        yield Flaw("venues", book.venues, "be at least one venue, sorted, each once")


def _last_sides(item: Item, _: Context) -> Iterator[Flaw]:
    last: DepthLast = item.doc
    yield from side_flaws("bids_json", last.bids_json, True, False)
    yield from side_flaws("asks_json", last.asks_json, False, False)
    for name, text, side in (
        ("bid0", last.bid0, last.bids_json),
        ("ask0", last.ask0, last.asks_json),
    ):
        prices = [row[0] for row in side if row[0] is not None]
        best = (max if name == "bid0" else min)(prices, default=None)
        if not _spells(text, best):
            yield Flaw(name, text or "empty", f"be {'empty' if best is None else best}")


def _spells(text: str, price: float | None) -> bool:
    try:
        return text == "" if price is None else float(text) == price
    except ValueError:
        return False


def _received(item: Item, _: Context) -> Iterator[Flaw]:
    if item.doc.received_ts != item.doc.ts:
        yield Flaw("ts", item.doc.ts, f"be received_ts, {item.doc.received_ts}")


def _entry_id(item: Item, _: Context) -> Iterator[Flaw]:
    at_ms, _dash, number = str(item.at).partition("-")
    if int(number) != item.doc.seq:
        yield Flaw("seq", item.doc.seq, f"be {number}, as in the id")
    # The id never goes back, also when the clock does.
    if int(at_ms) < item.doc.ts:
        yield Flaw("ts", item.doc.ts, f"be at most {at_ms}, as in the id")


def _numbers(items: Sequence[Item], reading: Reading, context: Context) -> Iterator[Flaw]:
    newest_first = [(item.path, item.doc.seq, item.doc.ts) for item in items]
    yield from risen_by_one(newest_first, "depth", context)
    most = context.limits.stream_maxlen
    if reading.size > most * 1.1 + _TRIM_SLACK:
        yield Flaw("length", reading.size, f"be about {most} at most")


ROWS: Final = (
    Row(
        "depth_stream", SECTION, lambda keys: keys.depth_stream("{symbol}"), Shape.STREAM,
        StreamEntry, ttls.NEVER, DEPTH,
        "Every change of a symbol's books, one entry per row received and one per reset, also when"
        " the ten levels stay the same. Ids are `<receive time ms>-<seq>`. Trimmed with"
        " `MAXLEN ~ ibkr.stream_maxlen` (10000).",
        "once a symbol had depth",
        (_entry_sides, _entry_id), (_numbers,), ("bids", "asks"),
    ),
    Row(
        "depth_last", SECTION, lambda keys: keys.depth_last("{symbol}"), Shape.FIELDS,
        DepthLast, ttls.NEVER, DEPTH,
        "The newest update of a symbol, of whichever venue; also keeps `seq` over a lost stream.",
        "once a symbol had depth",
        (_last_sides,), (), ("bids_json", "asks_json"),
    ),
    Row(
        "depth_heartbeat", SECTION, lambda keys: keys.depth_heartbeat("{symbol}"), Shape.TEXT,
        Annotated[Ms, about("receive time of the newest update")], ttls.DEPTH_HEARTBEAT, DEPTH,
        "When a symbol's newest update was received; outlasts the pause between two turns of"
        " rotation.",
        "while the symbol has depth in turns",
        (not_ahead,),
    ),
    Row(
        "venue_book", SECTION, lambda keys: keys.venue_book("{symbol}", "{venue}"), Shape.JSON,
        VenueBook, ttls.VENUE_BOOK, DEPTH,
        "One venue's book; between its turns the last known one, marked `parked`.",
        "while the pair has depth in turns",
        (_entry_sides, _received),
    ),
    Row(
        "book", SECTION, lambda keys: keys.book("{symbol}"), Shape.JSON,
        Book, ttls.ORDER_BOOK, DEPTH,
        "The live books of all venues of a symbol, merged.",
        "while a venue's book is live, and until it expires",
        (_merged_sides, _received),
    ),
)  # fmt: skip
