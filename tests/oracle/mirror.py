"""A book as positional rows build it, written from the documents alone (ibkr.md 2.1, keys.md)."""

from __future__ import annotations

from typing import Final

from tests.oracle.evidence import Change, Level, State

__all__ = ["EMPTY", "Mirror", "is_crossed", "is_sorted"]

_ASK: Final = 0
_INSERT: Final = 0
_DELETE: Final = 2
_PUBLISHED: Final = 10
_MISSING: Final[Level] = (None, 0.0, None)
_NO_SIDE: Final = (_MISSING,) * _PUBLISHED
# (bids, asks)
EMPTY: Final[State] = (_NO_SIDE, _NO_SIDE)


class Mirror:
    """What the ten published rows of each side must be after each change."""

    def __init__(self, venue: str, rows_asked: int) -> None:
        self._venue = venue
        self._rows_asked = rows_asked
        # By the wire's number of the side: asks, bids.
        self._sides: tuple[list[Level], list[Level]] = ([], [])
        self._shown: list[tuple[Level, ...]] = [_NO_SIDE, _NO_SIDE]

    def after(self, change: Change) -> State:
        if change.row is None:
            for rows in self._sides:
                rows.clear()
            self._shown = [_NO_SIDE, _NO_SIDE]
        else:
            operation, side, position, price_e4, size, maker = change.row
            new: Level = (price_e4, float(size), maker or self._venue)
            self._apply(self._sides[side], operation, position, new)
            self._shown[side] = _published(self._sides[side], side)
        return self._shown[1], self._shown[0]

    def _apply(self, rows: list[Level], operation: int, position: int, new: Level) -> None:
        if operation == _DELETE:
            del rows[position : position + 1]
        elif operation == _INSERT or position >= len(rows):
            rows.insert(position, new)
            del rows[self._rows_asked :]
        else:
            rows[position] = new


def _published(rows: list[Level], side: int) -> tuple[Level, ...]:
    sign = 1 if side == _ASK else -1
    top = sorted(rows[:_PUBLISHED], key=lambda row: sign * (row[0] or 0))
    return (*top, *_NO_SIDE[len(top) :])


def is_sorted(state: State) -> bool:
    """Best first, missing levels last."""
    for side, sign in ((state[0], -1), (state[1], 1)):
        prices = [sign * row[0] for row in side if row[0] is not None]
        there = [row[0] is not None for row in side]
        if prices != sorted(prices) or there != sorted(there, reverse=True):
            return False
    return True


def is_crossed(state: State) -> bool:
    bid, ask = state[0][0][0], state[1][0][0]
    return bid is not None and ask is not None and bid > ask
