"""The best quote over a symbol's live venue books, and their merged book. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.market.book import PUBLISHED_ROWS

Row = tuple[float, float, str]
# Of a field of a ticker; None for one that is to be absent.
FieldValue = float | str | None


@dataclass(frozen=True, slots=True)
class Nbbo:
    """Best bid and ask rows; None where no venue shows that side."""

    bid: Row | None
    ask: Row | None

    @property
    def crossed(self) -> bool:
        return self.bid is not None and self.ask is not None and self.bid[0] > self.ask[0]

    def mid(self) -> float | None:
        if self.bid is None or self.ask is None:
            return None
        return round((self.bid[0] + self.ask[0]) / 2, 6)

    def spread(self) -> float | None:
        if self.bid is None or self.ask is None:
            return None
        return round(self.ask[0] - self.bid[0], 6)

    def spread_bps(self) -> float | None:
        mid, spread = self.mid(), self.spread()
        if mid is None or spread is None or mid <= 0:
            return None
        return round(spread / mid * 10_000, 4)

    def fields(self) -> dict[str, FieldValue]:
        """The quote fields of a ticker, None for one that is to be absent."""
        fields: dict[str, FieldValue] = {}
        for name, row in (("bid", self.bid), ("ask", self.ask)):
            price, size, venue = row or (None, None, None)
            fields |= {name: price, f"{name}_size": size, f"{name}_venue": venue}
        return fields | {
            "mid": self.mid(),
            "spread": self.spread(),
            "spread_bps": self.spread_bps(),
        }


def merge(sides: Iterable[list[Row]], bids: bool) -> list[Row]:
    """The ten best rows over several venues, by price, then the larger size first."""
    rows = [row for side in sides for row in side]
    rows.sort(key=lambda row: (-row[0] if bids else row[0], -row[1]))
    return rows[:PUBLISHED_ROWS]
