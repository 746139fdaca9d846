from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from .book import ASK, BID, DELETE, INSERT, UPDATE, Book, Row, RowOp
from .contracts import Listing
from .replay import Replay

__all__ = ["NO_MAKERS", "Market", "Shape", "VenueBook", "shape_of"]

TICK_E4: Final = 100
LEVELS_MIN: Final = 12
NO_MAKERS: Final = ("",)
_NASDAQ_MAKERS: Final = ("NSDQ", "GSCO", "MSCO", "JPMS", "UBSS", "ETMM", "VIRT", "CDRG", "SUFI")
_SMART_MAKERS: Final = ("ARCA", "NASDAQ", "BATS", "NYSE", "IEX", "EDGX", "BEX", "MEMX")
_SPREAD_MAX_E4: Final = 10 * TICK_E4


@dataclass(frozen=True, slots=True)
class Shape:
    rows_min: int
    rows_max: int
    makers: tuple[str, ...] = NO_MAKERS


_FULL: Final = Shape(18, 28)
_SHAPES: Final = {
    "NASDAQ": Shape(24, 40, _NASDAQ_MAKERS),
    "SMART": Shape(24, 40, _SMART_MAKERS),
    # Small venues show fewer rows than were asked for.
    "IEX": Shape(4, 6),
    "BEX": Shape(6, 9),
}


def shape_of(venue: str) -> Shape:
    return _SHAPES.get(venue, _FULL)


class VenueBook(Book):
    """A seeded book of one symbol on one venue: plan() says what happens next, apply() does it."""

    def __init__(self, seed: str, base_cents: int, shape: Shape) -> None:
        super().__init__()
        self._random = Random(seed)
        self._base_e4 = base_cents * 100
        self._shape = shape
        # Rows to put back when a crossed or unsorted state ends; set by cross() and unsort().
        self._healing: list[RowOp] = []
        self._fill()

    @property
    def broken(self) -> bool:
        return bool(self._healing)

    def plan(self, transit: str = "orderly") -> list[RowOp]:
        """The operations of the next change, each valid after those before it."""
        if self._healing:
            return [self._resize(self._pick_side(), lowest=2)]
        draw = self._random.random()
        if draw < 0.55:
            return [self._resize(self._pick_side(), lowest=0)]
        if draw < 0.76:
            return self._add(self._pick_side())
        if draw < 0.95:
            return self._remove(self._pick_side())
        return self._sweep(transit)

    def cross(self) -> list[RowOp]:
        price_e4 = self.asks[0].price_e4 + TICK_E4
        return self._break(BID, 0, price_e4)

    def unsort(self) -> list[RowOp]:
        return self._break(BID, 1, self.bids[-1].price_e4 - 5 * TICK_E4)

    def heal(self) -> list[RowOp]:
        ops, self._healing = self._healing, []
        return ops

    def _break(self, side: int, position: int, price_e4: int) -> list[RowOp]:
        if self._healing:
            return []
        row = self.sides[side][position]
        self._healing = [RowOp(UPDATE, side, position, row)]
        return [RowOp(UPDATE, side, position, row._replace(price_e4=price_e4))]

    def _fill(self) -> None:
        spread_e4 = TICK_E4 * (1 + int(self._random.random() * 2))
        for side, outward in ((ASK, TICK_E4), (BID, -TICK_E4)):
            price_e4 = self._base_e4 + (spread_e4 if side == ASK else 0)
            rows = self.sides[side]
            target = (self._shape.rows_min + self._shape.rows_max) // 2
            while len(rows) < target:
                for maker in self._makers_at_level():
                    rows.append(Row(price_e4, self._size(), maker))
                price_e4 += outward * (1 + int(self._random.random() * 2))

    def _makers_at_level(self) -> Iterator[str]:
        makers = self._shape.makers
        if len(makers) == 1:
            return iter(makers)
        return iter(self._random.sample(makers, 1 + int(self._random.random() ** 2 * 3)))

    def _pick_side(self) -> int:
        return BID if self._random.random() < 0.5 else ASK

    def _pick_position(self, count: int, lowest: int = 0) -> int:
        # Squared, so that most of the flow is near the touch.
        return min(lowest, count - 1) + int(self._random.random() ** 2 * max(1, count - lowest))

    def _size(self) -> int:
        return 100 * (1 + int(self._random.random() ** 3 * 60))

    def _maker(self) -> str:
        makers = self._shape.makers
        return makers[int(self._random.random() * len(makers))]

    def _resize(self, side: int, lowest: int) -> RowOp:
        rows = self.sides[side]
        position = self._pick_position(len(rows), lowest)
        row = rows[position]
        size = self._size()
        if size == row.size:
            size += 100
        return RowOp(UPDATE, side, position, row._replace(size=size))

    def _add(self, side: int) -> list[RowOp]:
        rows = self.sides[side]
        if len(rows) >= self._shape.rows_max:
            return [self._resize(side, lowest=0)]
        outward = TICK_E4 if side == ASK else -TICK_E4
        room = abs(self.asks[0].price_e4 - self.bids[0].price_e4) // TICK_E4 - 1
        inside = 1 if room > 0 and self._random.random() < 0.5 else 0
        steps = int(self._random.random() ** 2 * 14) - inside
        row = Row(rows[0].price_e4 + outward * steps, self._size(), self._maker())
        return [self._place(side, row)]

    def _place(self, side: int, row: Row) -> RowOp:
        """Insert behind equal prices; a venue without makers has one row per price."""
        rows = self.sides[side]
        sign = 1 if side == ASK else -1
        position = 0
        for held in rows:
            if sign * held.price_e4 > sign * row.price_e4:
                break
            if held.price_e4 == row.price_e4 and self._shape.makers == NO_MAKERS:
                return RowOp(UPDATE, side, position, held._replace(size=held.size + row.size))
            position += 1
        return RowOp(INSERT, side, position, row)

    def _remove(self, side: int) -> list[RowOp]:
        rows = self.sides[side]
        position = self._pick_position(len(rows))
        if not self._removable(side, position):
            return self._add(side)
        return [RowOp(DELETE, side, position, rows[position])]

    def _removable(self, side: int, position: int) -> bool:
        rows = self.sides[side]
        if len(rows) <= self._shape.rows_min:
            return False
        levels = len({row.price_e4 for row in rows})
        if levels <= min(LEVELS_MIN, self._shape.rows_min - 1):
            return False
        gap_e4 = abs(rows[1].price_e4 - self.sides[1 - side][0].price_e4)
        return position > 0 or gap_e4 <= _SPREAD_MAX_E4

    def _sweep(self, transit: str) -> list[RowOp]:
        """A marketable order takes the best level; the other side follows to its price."""
        taken = ASK if self._random.random() < self._up_share() else BID
        rows = self.sides[taken]
        best_e4 = rows[0].price_e4
        count = sum(1 for row in rows if row.price_e4 == best_e4)
        outward = TICK_E4 if taken == ASK else -TICK_E4
        gone = [RowOp(DELETE, taken, 0, row) for row in rows[:count]]
        # A new deep level keeps the side as long as it was.
        deep = Row(rows[-1].price_e4 + outward, self._size(), self._maker())
        refill = RowOp(INSERT, taken, len(rows) - count, deep)
        grown = self._follow(1 - taken, Row(best_e4, self._size(), self._maker()))
        if transit == "crossed":
            return [*grown, *gone, refill]
        return [*gone, refill, *grown]

    def _follow(self, side: int, row: Row) -> list[RowOp]:
        rows = self.sides[side]
        follow = [RowOp(INSERT, side, 0, row)]
        if len(rows) >= self._shape.rows_max:
            last = len(rows) - 1
            follow.insert(0, RowOp(DELETE, side, last, rows[last]))
        return follow

    def _up_share(self) -> float:
        # Pulled back to the base price, so that a long run stays near it.
        drift = (self.bids[0].price_e4 - self._base_e4) / (0.02 * self._base_e4)
        return min(0.95, max(0.05, 0.5 - 0.5 * drift))


class Market:
    """Every book there is: recorded ones by symbol, generated ones by symbol and venue."""

    def __init__(self, seed: int, replays: dict[str, Replay]) -> None:
        self._seed = seed
        self._books: dict[tuple[str, str], VenueBook] = {}
        self.replays = replays

    def book(self, listing: Listing, venue: str) -> Book:
        replay = self.replays.get(listing.symbol)
        return replay.book if replay else self.generated(listing, venue)

    def generated(self, listing: Listing, venue: str) -> VenueBook:
        key = (listing.symbol, venue)
        if key not in self._books:
            seed = f"{self._seed}:{listing.symbol}:{venue}"
            self._books[key] = VenueBook(seed, listing.base_cents, shape_of(venue))
        return self._books[key]

    def broken_books(self, symbol: str) -> list[tuple[str, VenueBook]]:
        return [
            (venue, book)
            for (name, venue), book in self._books.items()
            if name == symbol and book.broken
        ]
