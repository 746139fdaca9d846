"""A board of two symbols on a clock that stands still, and what it sends as texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.quotes import QuoteBoard
from shared.store.scripts import script
from tests.unit.store.resp_commands import commands

_SHAS: Final = {script(n).sha: n for n in ("ticker_quote", "ticker_release")}
REFUSED: Final = -1
LATE: Final = 0
UNCHANGED: Final = 3


class Board:
    """What it sends is in flight until the next `replied`; a script's line begins with its name."""

    def __init__(self) -> None:
        self.quotes = QuoteBoard(Keys(), ["SPY", "QQQ"], 60)
        self.flights: list[tuple[Mapping[str, Any], list[str]]] = []

    def set(self, bid: float, ts_ms: int = 1000, symbol: str = "SPY") -> None:
        self.quotes.set(symbol, {"bid": bid}, ts_ms)

    def withdraw(self) -> None:
        self.quotes.set("SPY", None, 0)

    def offer(self, now_ms: int = 4000, *healthy: str) -> None:
        """As the feed does every second; of both symbols unless some are named."""
        self.quotes.offer_again(healthy or ("SPY", "QQQ"), now_ms)

    def sent(self) -> list[list[str]]:
        """It is 5000 for ever."""
        found = Commands()
        said = self.quotes.encode(found, 5000)
        self.flights.append((said, found.names))
        lines = commands(b"".join(found.parts))
        assert len(found.names) == len(lines)
        return [[_SHAS[line[1]], *line[2:]] for line in lines]

    def replied(self, *replies: Any) -> None:
        self.quotes.confirmed(*self.flights.pop(0), replies)

    def counted(self) -> tuple[int, ...]:
        """Written, foreign, late, from the future."""
        names = ("quotes", "quotes_foreign", "late_quotes", "future_quotes")
        return tuple(self.quotes.metrics()[name] for name in names)


def bids(lines: Sequence[list[str]]) -> list[str]:
    return [line[-1] for line in lines]


def times(lines: Sequence[list[str]]) -> list[tuple[str, ...]]:
    """As of when each quote holds, when it was received, and now."""
    return [tuple(line[7:10]) for line in lines]


def sources(lines: Sequence[list[str]]) -> list[str]:
    return [line[5] if line[0] == "ticker_quote" else line[3] for line in lines]
