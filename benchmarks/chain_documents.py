"""Response bodies of one symbol's chain, made and pretty printed by the vendor's simulator."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from random import Random
from typing import Final

from simulators.alphavantage.chain import Chain, rows_body
from simulators.alphavantage.contract import COLUMNS

SYMBOL: Final = "SPY"
ENDPOINT: Final = "Realtime Options"
# Share of the contracts whose quotes and greeks change from one body to the next.
MOVING: Final = 0.05
_SPOT: Final = 585.0
# Everything the vendor sends as a number, but for the strike, without which a row is no contract.
_NUMBERS: Final = tuple(
    COLUMNS.index(name)
    for name in COLUMNS
    if name not in ("contractID", "symbol", "expiration", "strike", "type", "date")
)


class ChainSource:
    """A chain with greeks, 20 values a row, every value a text."""

    def __init__(self, contracts: int, seed: int = 7) -> None:
        self._chain = Chain(SYMBOL, date.today(), contracts, _SPOT, Random(seed))

    def body(self) -> bytes:
        return self._chain.body(ENDPOINT, True).plain()

    def moved(self, share: float = MOVING) -> bytes:
        """The body after new quotes for this share of the contracts."""
        self._chain.move(share)
        return self.body()

    def spoiled(self, numbers: Collection[int]) -> bytes:
        """The body with one value of each of these rows empty, another one from row to row."""
        rows = list(self._chain.rows)
        for number in numbers:
            values = list(rows[number])
            values[_NUMBERS[number % len(_NUMBERS)]] = ""
            rows[number] = tuple(values)
        return rows_body(ENDPOINT, rows).plain()
