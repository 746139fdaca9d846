from __future__ import annotations

import datetime
import re
from collections import OrderedDict
from random import Random
from typing import Final

from .chain import Chain

__all__ = ["ChainSizes", "Market", "first_spot", "is_index", "is_known"]

_SPOTS: Final = {
    "SPY": 585.0, "QQQ": 505.0, "IWM": 220.0, "AAPL": 230.0, "MSFT": 430.0, "GOOGL": 175.0,
    "AMZN": 205.0, "META": 610.0, "NVDA": 140.0, "TSLA": 340.0, "IBM": 245.0, "AMD": 150.0,
    "DUOL": 500.0,
}  # fmt: skip
# Answered with nothing, and refused, as a premium key saw it.
_INDEXES: Final = frozenset({"SPX", "NDX"})
_REFUSED: Final = frozenset({"NDXP", "XND", "NQX"})
_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.\-]{0,9}")
_OLD_CHAINS_KEPT: Final = 8


def is_known(symbol: str) -> bool:
    """ZZ... is the simulator's own way to ask for a symbol that does not exist."""
    known = _SYMBOL.fullmatch(symbol) and not symbol.startswith("ZZ")
    return bool(known) and symbol not in _REFUSED


def is_index(symbol: str) -> bool:
    return symbol in _INDEXES


def first_spot(symbol: str) -> float:
    return _SPOTS.get(symbol) or float(Random(symbol).randint(20, 400))


class ChainSizes:
    """How many contracts a chain has, for all symbols and for single ones."""

    def __init__(self, contracts: int) -> None:
        self.contracts = contracts
        self.by_symbol: dict[str, int] = {}

    def of(self, symbol: str) -> int:
        return self.by_symbol.get(symbol, self.contracts)


class Market:
    """The chains of today, which move, and of days gone by, which do not."""

    def __init__(self, seed: int, sizes: ChainSizes) -> None:
        self._seed = seed
        self.sizes = sizes
        self._today: dict[str, Chain] = {}
        self._old: OrderedDict[tuple[str, datetime.date, int], Chain] = OrderedDict()

    def today(self, symbol: str, date: datetime.date) -> tuple[Chain, bool]:
        """The chain, and whether it is new."""
        chain = self._today.get(symbol)
        if chain and chain.date == date and len(chain.rows) == self.sizes.of(symbol):
            return chain, False
        self._today[symbol] = chain = self._chain(symbol, date, f"{self._seed}:{symbol}")
        return chain, True

    def past(self, symbol: str, date: datetime.date) -> Chain:
        name = symbol, date, self.sizes.of(symbol)
        if name not in self._old:
            self._old[name] = self._chain(symbol, date, f"{self._seed}:{symbol}:{date}")
            if len(self._old) > _OLD_CHAINS_KEPT:
                self._old.popitem(last=False)
        self._old.move_to_end(name)
        return self._old[name]

    def _chain(self, symbol: str, date: datetime.date, seed: str) -> Chain:
        random = Random(seed)
        spot = round(first_spot(symbol) * random.uniform(0.98, 1.02), 2)
        return Chain(symbol, date, self.sizes.of(symbol), spot, random)
