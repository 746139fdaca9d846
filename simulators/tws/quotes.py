from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from .book import Book, Row

__all__ = ["NO_QUOTE", "Quote", "QuoteOverride", "top_of"]

# An absent side is price -1, size 0 (ibkr.md 2.2).
_ABSENT_E4: Final = -10_000


class Quote(NamedTuple):
    bid_e4: int
    bid_size: float
    ask_e4: int
    ask_size: float

    @property
    def two_sided(self) -> bool:
        return self.bid_e4 > 0 and self.ask_e4 > 0

    @property
    def mid_e4(self) -> int:
        return (self.bid_e4 + self.ask_e4) // 2


NO_QUOTE: Final = Quote(_ABSENT_E4, 0, _ABSENT_E4, 0)


@dataclass(frozen=True, slots=True)
class QuoteOverride:
    """Fields a command has put in place of the book's."""

    bid_e4: int | None = None
    bid_size: float | None = None
    ask_e4: int | None = None
    ask_size: float | None = None

    def over(self, quote: Quote) -> Quote:
        return Quote(
            quote.bid_e4 if self.bid_e4 is None else self.bid_e4,
            quote.bid_size if self.bid_size is None else self.bid_size,
            quote.ask_e4 if self.ask_e4 is None else self.ask_e4,
            quote.ask_size if self.ask_size is None else self.ask_size,
        )


def top_of(book: Book) -> Quote:
    """Best prices with all that stands there, whoever quotes it."""
    return Quote(*_best(book.bids), *_best(book.asks))


def _best(rows: Sequence[Row]) -> tuple[int, float]:
    if not rows:
        return _ABSENT_E4, 0
    price_e4 = rows[0].price_e4
    size = 0.0 if isinstance(rows[0].size, float) else 0
    for row in rows:
        if row.price_e4 != price_e4:
            break
        size += row.size
    return price_e4, size
