"""Prints, where they happened, and the same print seen by two feeds. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from shared.market.venue import canonical

# How far apart the seconds may be that two feeds give the same print.
_SKEWS_S: Final = (0, -1, 1)
# Shares below this are float noise of fractional sizes.
NO_SHARES: Final = 1e-6


class TradeFeed(StrEnum):
    TICK_BY_TICK = "tbt"
    RT_VOLUME = "rtvolume"
    # Fetched back after an outage: behind newer prints, and older than they are.
    HISTORY = "history"


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One print. `ts_ms` is IB's time where the feed carries one, else our receive time.

    `venue`, `conditions`, `past_limit` and `unreported` are None where the feed cannot say
    (RTVolume). The number in the symbol's sequence is given by the writer.
    """

    symbol: str
    price: float
    size: float
    venue: str | None
    ts_ms: int
    received_ts_ms: int
    feed: TradeFeed
    conditions: str | None = None
    past_limit: bool | None = None
    unreported: bool | None = None


class Halt(msgspec.Struct, frozen=True):
    """A 0/0 entry of the tape: no trade, it says that trading in the symbol stops or goes on."""

    symbol: str
    halted: bool
    ts_ms: int


# Single-letter venue codes of the consolidated tapes, as the Redis contract maps them.
VENUE_MAP: Final = {
    "A": "AMEX",
    "B": "BEX",
    "C": "NYSENAT",
    "D": "FINRA",
    "I": "ISE",
    "J": "EDGEA",
    "K": "EDGX",
    "M": "CHX",
    "N": "NYSE",
    "P": "ARCA",
    "Q": "NASDAQ",
    "T": "NASDAQ",
    "V": "IEX",
    "W": "CBOE",
    "X": "PSX",
    "Y": "BYX",
    "Z": "BATS",
}


def known_letter(venue: str) -> bool:
    """False for a single letter that the map lacks; full names need no map."""
    return len(venue) != 1 or venue in VENUE_MAP


def trade_venue(venue: str) -> str | None:
    """The canonical name of a tape letter or a venue name; an unknown letter as sent.

    None where nothing is said.
    """
    if len(venue) == 1:
        return VENUE_MAP.get(venue, venue)
    return canonical(venue) or None


@dataclass(slots=True, eq=False)
class OpenPrint:
    """A print whose twin was not seen yet; `left` is the size that is still without one."""

    trade: Trade
    second: int
    left: float
    summed: bool
    # It was handed out, so its twin is to be left out.
    out: bool
    since_s: float


class OpenPrints:
    """The open prints of one feed, in order of arrival and by price and second."""

    def __init__(self) -> None:
        self.entries: deque[OpenPrint] = deque()
        self._index: dict[tuple[float, int], list[OpenPrint]] = {}

    def add(self, entry: OpenPrint) -> None:
        self.entries.append(entry)
        self._index.setdefault((entry.trade.price, entry.second), []).append(entry)

    def near(self, price: float, second: int) -> list[OpenPrint]:
        """Those of this price, of the same second before the neighbouring ones."""
        found: list[OpenPrint] = []
        for skew_s in _SKEWS_S:
            found += self._index.get((price, second + skew_s), ())
        return found

    def reduce(self, entry: OpenPrint, size: float) -> None:
        entry.left -= size
        if entry.left <= NO_SHARES:
            self._close(entry)

    def expire(self, before_s: float) -> int:
        """Close those that came before; how many of them never went out."""
        held = 0
        while self.entries and (not self.entries[0].left or self.entries[0].since_s < before_s):
            entry = self.entries.popleft()
            if entry.left:
                held += not entry.out
                self._close(entry)
        return held

    def drop_until(self, second: int) -> None:
        for entry in self.entries:
            if entry.left and entry.second <= second:
                self._close(entry)

    def release(self) -> list[Trade]:
        """The prints that were held back, which go out now."""
        held = [entry for entry in self.entries if entry.left and not entry.out]
        for entry in held:
            entry.out = True
        return [sized(entry.trade, entry.left) for entry in held]

    def _close(self, entry: OpenPrint) -> None:
        entry.left = 0.0
        key = (entry.trade.price, entry.second)
        self._index[key].remove(entry)
        if not self._index[key]:
            del self._index[key]


def twins(near: Sequence[OpenPrint], size: float, summed: bool) -> list[OpenPrint]:
    """The open prints that a print of this size is, in whole or in part."""
    if summed:
        run = 0.0
        for n, entry in enumerate(near, 1):
            run += entry.left
            if abs(run - size) <= NO_SHARES:
                return list(near[:n])
    for entry in near:
        if abs(entry.left - size) <= NO_SHARES:
            return [entry]
    if not summed:
        return [entry for entry in near if entry.summed and entry.left > size][:1]
    parts: list[OpenPrint] = []
    for entry in near:
        if entry.left <= size:
            parts.append(entry)
            size -= entry.left
    return parts


def sized(trade: Trade, size: float) -> Trade:
    if abs(size - trade.size) <= NO_SHARES:
        return trade
    return msgspec.structs.replace(trade, size=round(size, 6))
