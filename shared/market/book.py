"""One venue's order book, rebuilt from positional depth rows.

List semantics (insert shifts down, delete shifts up) are right for both row styles that a
gateway sends: true inserts and deletes in the middle, and the "index diff" style that appends
at the end, updates in place and deletes the last row (stoqey/ib#168, ib_async#33).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PUBLISHED_ROWS: Final = 10
INSERT: Final = 0
UPDATE: Final = 1
DELETE: Final = 2
ASK: Final = 0
BID: Final = 1
# What a row did to its side.
IGNORED: Final = 0
RESIZED: Final = 1
MOVED: Final = 2

_MISSING_ROW: Final = b"[null,0,null]"
_HOLE: Final = b""
# A level the vendor sent without a usable value: it has its place, and nothing to show.
_VALUELESS: Final = b"-"
# A hole sorts behind every level, so that a side with holes never counts as in order.
_HOLE_KEY: Final = float("inf")


def render(rows: Sequence[bytes]) -> bytes:
    """JSON of a side: exactly ten rows, missing levels as ``[null,0,null]``."""
    missing = PUBLISHED_ROWS - len(rows)
    return b"[" + b",".join([*rows, *[_MISSING_ROW] * missing]) + b"]"


EMPTY_SIDE: Final = render([])
_PADDING: Final = [
    (b"," if n > 0 else b"") + b",".join([_MISSING_ROW] * (PUBLISHED_ROWS - n)) + b"]"
    for n in range(PUBLISHED_ROWS)
] + [b"]"]


class BookSide:
    """Rows of one side by position, and the JSON of its ten best levels.

    `keys` hold the price with the sign that makes ascending order "best first"; `rows` hold each
    row as ready JSON (``[price,size,"venue"]``), so that a change encodes one row, not ten.
    """

    __slots__ = ("keys", "rows", "json", "in_order", "has_hole", "best", "max_rows")

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self.clear()

    def clear(self) -> None:
        self.keys: list[float] = []
        self.rows: list[bytes] = []
        self.json = EMPTY_SIDE
        self.in_order = True
        self.has_hole = False
        # Key of the best published level, None while the side is empty.
        self.best: float | None = None

    def apply(self, operation: int, position: int, key: float, row: bytes) -> int:
        """Apply one row: `IGNORED` (a delete or row beyond the side), `RESIZED` or `MOVED`."""
        keys, rows = self.keys, self.rows
        if operation == DELETE:
            if position >= len(rows):
                return IGNORED
            del keys[position], rows[position]
        else:
            if position >= self.max_rows:
                return IGNORED
            if position > len(rows):
                # Rows before this one are still on their way: hold their places.
                missing = position - len(rows)
                keys.extend([_HOLE_KEY] * missing)
                rows.extend([_HOLE] * missing)
            if position < len(rows) and rows[position] == _HOLE:
                # The row that this place was held for, also when it comes as an insert.
                keys[position] = key
                rows[position] = row
            elif operation == INSERT or position == len(rows):
                keys.insert(position, key)
                rows.insert(position, row)
                if len(rows) > self.max_rows:
                    del keys[self.max_rows :], rows[self.max_rows :]
            elif keys[position] == key and key != _HOLE_KEY:
                # Nine of ten rows only change a size: the order stays what it was.
                rows[position] = row
                if self.in_order and not self.has_hole and position < PUBLISHED_ROWS:
                    shown = rows[:PUBLISHED_ROWS]
                    self.json = b"[" + b",".join(shown) + _PADDING[len(shown)]
                    return RESIZED
            else:
                keys[position] = key
                rows[position] = row
        self._publish()
        return MOVED

    def _publish(self) -> None:
        keys = self.keys[:PUBLISHED_ROWS]
        if not keys:
            self.clear()
            return
        ordered = sorted(keys)
        if ordered == keys and ordered[-1] != _HOLE_KEY:
            rows = self.rows[:PUBLISHED_ROWS]
            self.in_order, self.has_hole = True, False
        else:
            rows = self._sorted_without_holes(keys)
        self.best = ordered[0] if ordered[0] != _HOLE_KEY else None
        self.json = b"[" + b",".join(rows) + _PADDING[len(rows)]

    def _sorted_without_holes(self, keys: list[float]) -> list[bytes]:
        places = [i for i, key in enumerate(keys) if key != _HOLE_KEY]
        self.has_hole = len(places) < len(keys)
        levels = [keys[i] for i in places]
        self.in_order = levels == sorted(levels)
        return [self.rows[i] for i in sorted(places, key=keys.__getitem__)]


class Book:
    """Both sides of one (symbol, venue) as a live request sees them."""

    __slots__ = ("bids", "asks", "ignored_rows")

    def __init__(self, max_rows: int) -> None:
        """`max_rows` is the number of rows asked for, not the ten published."""
        self.bids = BookSide(max_rows)
        self.asks = BookSide(max_rows)
        # Rows that changed nothing: deletes and rows beyond the side.
        self.ignored_rows = 0

    def apply(self, side: int, operation: int, position: int, level: tuple[float, bytes]) -> bool:
        """Apply one depth row; `level` is (price in dollars, row JSON).

        True when levels moved, so that `fault` may have changed; a mere size change cannot.
        A price that is not above zero marks a level the vendor sent without a value: its place
        is held and it is never published.
        """
        price, row = level
        if side == BID:
            book_side, key = self.bids, -price
        else:
            book_side, key = self.asks, price
        if price <= 0.0:
            key, row = _HOLE_KEY, _VALUELESS
        change = book_side.apply(operation, position, key, row)
        if change == IGNORED:
            self.ignored_rows += 1
        return change == MOVED

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

    @property
    def two_sided(self) -> bool:
        return self.bids.best is not None and self.asks.best is not None

    @property
    def crossed(self) -> bool:
        bid, ask = self.bids.best, self.asks.best
        return bid is not None and ask is not None and -bid > ask

    @property
    def fault(self) -> str:
        """What is wrong right now: ``hole``, ``unsorted``, ``crossed`` or an empty string.

        Rows of one change arrive one by one, so a fault only counts once it lasts
        (`control.integrity`).
        """
        if self.bids.has_hole or self.asks.has_hole:
            return "hole"
        if not (self.bids.in_order and self.asks.in_order):
            return "unsorted"
        return "crossed" if self.crossed else ""


__all__ = [
    "ASK",
    "BID",
    "DELETE",
    "EMPTY_SIDE",
    "IGNORED",
    "INSERT",
    "MOVED",
    "PUBLISHED_ROWS",
    "RESIZED",
    "UPDATE",
    "Book",
    "BookSide",
    "render",
]
