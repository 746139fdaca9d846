from __future__ import annotations

import datetime
import math
from random import Random
from typing import Final

from .pricing import Priced, floor_greeks, price

__all__ = ["COLUMNS", "GREEKS", "Contract", "Row", "contract_id", "row_text"]

COLUMNS: Final = (
    "contractID", "symbol", "expiration", "strike", "type", "last", "mark", "bid", "bid_size",
    "ask", "ask_size", "volume", "open_interest", "date", "implied_volatility", "delta", "gamma",
    "theta", "vega", "rho",
)  # fmt: skip
GREEKS: Final = COLUMNS[14:]
# One value per column, as sent; without greeks it ends after `date`.
Row = tuple[str, ...]


def _template(columns: tuple[str, ...]) -> str:
    lines = ",\n".join(f'            "{column}": "%s"' for column in columns)
    return f"        {{\n{lines}\n        }}"


_TEMPLATES: Final = {len(c): _template(c) for c in (COLUMNS, COLUMNS[:14])}


def row_text(row: Row) -> str:
    return _TEMPLATES[len(row)] % row


def contract_id(symbol: str, expiration: datetime.date, call: bool, strike: float) -> str:
    root = "".join(letter for letter in symbol if letter.isalnum())
    thousandths = round(strike * 1000)
    return f"{root}{expiration:%y%m%d}{'C' if call else 'P'}{thousandths:08d}"


class Contract:
    """One option and its quote; prices are whole cents until they are written."""

    __slots__ = (
        "_fixed", "_last", "_sizes", "_volume", "call", "date", "no_bid", "open_interest",
        "otm", "strike", "traded", "years",
    )  # fmt: skip

    def __init__(
        self, symbol: str, date: datetime.date, expiration: datetime.date, call: bool, strike: float
    ) -> None:
        self.call = call
        self.strike = strike
        self.date = date.isoformat()
        # A contract of the last day still has hours to live.
        self.years = max((expiration - date).days, 0.5) / 365
        self._fixed = (
            contract_id(symbol, expiration, call, strike),
            symbol,
            expiration.isoformat(),
            f"{strike:.2f}",
            "call" if call else "put",
        )
        self.no_bid = False
        self.traded = False
        self.otm = 0.0
        self.open_interest = 0
        self._volume = 0
        self._last = 0
        self._sizes = (0, 0)

    def open(self, spot: float, random: Random) -> None:
        """What it starts the day with; about two in five never traded."""
        moneyness = math.log(self.strike / spot) / math.sqrt(self.years)
        self.otm = moneyness if self.call else -moneyness
        self.traded = random.random() > 0.4
        if self.traded:
            self.open_interest = int(random.expovariate(1 / 800))
            self._volume = int(random.expovariate(1 / 60))
            self._last = max(1, round(price(self.call, spot, self.strike, self.years).value * 97))

    def quote(self, spot: float, random: Random, trade: bool = False) -> Row:
        """A new quote at this spot, which differs from the one before."""
        priced = self._priced(spot)
        mark, bid, ask = self._prices(priced.value, random)
        bid_size, ask_size = self._new_sizes(random)
        if trade and self.traded:
            self._volume += random.randint(1, 20)
            self._last = mark
        return (
            *self._fixed,
            _dollars(self._last), _dollars(mark), _dollars(bid), str(bid_size),
            _dollars(ask), str(ask_size), str(self._volume), str(self.open_interest), self.date,
            f"{priced.iv:.5f}", f"{priced.delta:.5f}", f"{priced.gamma:.5f}",
            f"{priced.theta:.5f}", f"{priced.vega:.5f}", f"{priced.rho:.5f}",
        )  # fmt: skip

    def _priced(self, spot: float) -> Priced:
        priced = price(self.call, spot, self.strike, self.years)
        deep = self.strike < 0.62 * spot if self.call else self.strike > 1.47 * spot
        return floor_greeks(self.call, self.strike, self.years, priced.value) if deep else priced

    def _prices(self, value: float, random: Random) -> tuple[int, int, int]:
        cents = max(1, round(value * 100))
        half = max(1, round(cents * random.uniform(0.005, 0.03)))
        if self.no_bid:
            return cents, 0, cents + half + random.randint(0, 5)
        bid = max(1, cents - half)
        ask = max(cents, bid) + half
        return (bid + ask) // 2, bid, ask

    def _new_sizes(self, random: Random) -> tuple[int, int]:
        bid_size, ask_size = self._sizes
        ask_size = 1 + (ask_size + random.randint(0, 97)) % 99
        bid_size = 0 if self.no_bid else random.randint(1, 150)
        self._sizes = (bid_size, ask_size)
        return self._sizes


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
