from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = [
    "ASK",
    "BID",
    "DELETE",
    "INSERT",
    "UPDATE",
    "Book",
    "Row",
    "RowOp",
    "diff_rows",
    "price_text",
    "shift_rows",
]

ASK: Final = 0
BID: Final = 1
INSERT: Final = 0
UPDATE: Final = 1
DELETE: Final = 2

_price_texts: dict[int, str] = {}
_PRICE_TEXTS_MAX: Final = 200_000


class Row(NamedTuple):
    # 1/10000 dollar, so that every printed price is exact.
    price_e4: int
    size: float
    maker: str


NO_ROW: Final = Row(0, 0, "")


class RowOp(NamedTuple):
    operation: int
    side: int
    position: int
    row: Row


class Book:
    """Both sides of one venue's book, best row first."""

    def __init__(self) -> None:
        # Indexed by the wire's side number: 0 asks, 1 bids.
        self.sides: tuple[list[Row], list[Row]] = ([], [])

    @property
    def asks(self) -> list[Row]:
        return self.sides[ASK]

    @property
    def bids(self) -> list[Row]:
        return self.sides[BID]

    def apply(self, op: RowOp) -> None:
        rows = self.sides[op.side]
        if op.operation == INSERT:
            rows.insert(min(op.position, len(rows)), op.row)
        elif op.operation == UPDATE:
            if op.position < len(rows):
                rows[op.position] = op.row
            else:
                rows.append(op.row)
        elif op.position < len(rows):
            rows.pop(op.position)

    def top(self, num_rows: int) -> tuple[list[Row], list[Row]]:
        return self.sides[ASK][:num_rows], self.sides[BID][:num_rows]


def shift_rows(op: RowOp, num_rows: int, after: Sequence[Row]) -> list[RowOp]:
    """The rows a client with num_rows sees for one operation on the whole side."""
    position = op.position
    if position >= num_rows:
        return []
    if op.operation == INSERT and len(after) > num_rows:
        # The row pushed out goes first, so clients that trim and clients that do not agree.
        return [RowOp(DELETE, op.side, num_rows - 1, NO_ROW), op]
    if op.operation == DELETE:
        gone = RowOp(DELETE, op.side, position, NO_ROW)
        if len(after) >= num_rows:
            return [gone, RowOp(INSERT, op.side, num_rows - 1, after[num_rows - 1])]
        return [gone]
    return [op]


def diff_rows(side: int, before: Sequence[Row], after: Sequence[Row]) -> list[RowOp]:
    """Index diff: update in place, append at the end, delete from the end."""
    shared = min(len(before), len(after))
    rows = [RowOp(UPDATE, side, i, after[i]) for i in range(shared) if before[i] != after[i]]
    rows += [RowOp(INSERT, side, i, after[i]) for i in range(shared, len(after))]
    rows += [RowOp(DELETE, side, i, NO_ROW) for i in range(len(before) - 1, shared - 1, -1)]
    return rows


def price_text(price_e4: int) -> str:
    text = _price_texts.get(price_e4)
    if text is None:
        if len(_price_texts) >= _PRICE_TEXTS_MAX:
            _price_texts.clear()
        dollars, rest = divmod(price_e4, 10_000)
        text = f"{dollars}.{rest // 100:02d}" if rest % 100 == 0 else f"{dollars}.{rest:04d}"
        _price_texts[price_e4] = text
    return text
