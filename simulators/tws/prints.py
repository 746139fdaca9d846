from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["PAST_LIMIT", "UNREPORTED", "VENUE_NAMES", "Print", "RawPrint", "Tape", "venue_letter"]

# Mask of a tick-by-tick trade (message 99).
PAST_LIMIT: Final = 1
UNREPORTED: Final = 2

# Venue letters of the consolidated tapes and what TWS calls the venue in tick-by-tick data.
VENUE_NAMES: Final = {
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
_LETTERS: Final = {name: letter for letter, name in reversed(VENUE_NAMES.items())}


def venue_letter(venue: str) -> str:
    """The letter of a venue's name; anything else is kept as it is."""
    return _LETTERS.get("NASDAQ" if venue == "ISLAND" else venue, venue)


class RawPrint(NamedTuple):
    """One print before the tape has numbered it."""

    ms: int
    price_e4: int
    size: float
    letter: str
    conditions: str = ""
    mask: int = 0
    single: bool = False


class Print(NamedTuple):
    """One entry of a tape, with the day's totals as they are after it."""

    # From 1 for what traded since the symbol was first asked for, negative for what was filled
    # in before; 0 is no trade: a halt marker (0/0) or an absent price or size.
    number: int
    ms: int
    price_e4: int
    size: float
    letter: str
    conditions: str
    mask: int
    single: bool
    # Shares and dollars x 10000 of all reported prints so far.
    total: float
    value_e4: float

    @property
    def unreported(self) -> bool:
        return bool(self.mask & UNREPORTED)


class Tape:
    """What one symbol has traded: the newest prints and the totals of all."""

    def __init__(self, size_max: int, sizeless: bool = False) -> None:
        self._size_max = size_max
        # An index has prices without sizes.
        self._sizeless = sizeless
        self._entries: list[Print] = []
        # Entries ever appended; a reader keeps its place as such a number.
        self.position = 0
        self.number = 0
        self.unreported = 0
        self.total: float = 0
        self.value_e4: float = 0
        # Shares of reported prints since number 1.
        self.volume: float = 0
        # The newest reported print.
        self.last: Print | None = None
        self.high_e4 = 0
        self.low_e4 = 0
        self.open_e4 = 0

    def append(self, raw: RawPrint, number: int | None = None) -> Print:
        """Without a number given the print gets the next one, if it is a trade at all."""
        if raw.price_e4 <= 0 or (raw.size <= 0 and not self._sizeless):
            number = 0
        elif number is None:
            number = self.number = self.number + 1
        reported = number != 0 and not raw.mask & UNREPORTED
        if reported:
            self.total += raw.size
            self.value_e4 += raw.size * raw.price_e4
            self.volume += raw.size if number > 0 else 0
        elif number > 0:
            self.unreported += 1
        print_ = Print(number, *raw, self.total, self.value_e4)
        if reported:
            self._extremes(print_)
        self._entries.append(print_)
        self.position += 1
        if len(self._entries) > 2 * self._size_max:
            del self._entries[: -self._size_max]
        return print_

    def since(self, position: int) -> list[Print]:
        """The entries after a reader's place, as far as they are still here."""
        missing = self.position - position
        return self._entries[-missing:] if missing > 0 else []

    def missed(self, position: int) -> int:
        return max(0, self.position - position - len(self._entries))

    def newest(self, count: int) -> list[Print]:
        return self._entries[-count:] if count else []

    def _extremes(self, print_: Print) -> None:
        self.last = print_
        price_e4 = print_.price_e4
        if not self.open_e4:
            self.open_e4 = self.high_e4 = self.low_e4 = price_e4
        self.high_e4 = max(self.high_e4, price_e4)
        self.low_e4 = min(self.low_e4, price_e4)
