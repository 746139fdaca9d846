from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from .bars import WHATS, Bar, BarSeries, bar_start_s
from .contracts import Listing
from .prints import PAST_LIMIT, VENUE_NAMES, Print, RawPrint, Tape
from .quotes import NO_QUOTE, Quote, QuoteOverride

__all__ = ["Security", "exchange_name"]

_QUOTES_MAX: Final = 5_000


def exchange_name(letter: str, nasdaq_name: str) -> str:
    """A venue as tick-by-tick data names it; a letter nobody knows stays a letter."""
    name = VENUE_NAMES.get(letter, letter)
    return "ISLAND" if name == "NASDAQ" and nasdaq_name == "ISLAND" else name


class Security:
    """All that has happened to one symbol: its tape, its quotes and its bars."""

    def __init__(self, listing: Listing, tape_size: int, bars_kept: int) -> None:
        self.listing = listing
        self.tape = Tape(tape_size, sizeless=listing.sec_type == "IND")
        self.bars = {what: BarSeries(bars_kept) for what in WHATS}
        # Unix ms; a replayed symbol lives in the time of its recording.
        self.clock_ms = 0
        # By venue; that of the primary exchange is the consolidated one too.
        self.quotes: dict[str, Quote] = {listing.primary: NO_QUOTE}
        self.quote_log: deque[tuple[int, Quote]] = deque(maxlen=_QUOTES_MAX)
        # What the primary exchange's book says, whatever a command has put in its place.
        self.book_quote = NO_QUOTE
        self.override: QuoteOverride | None = None
        # Tick 49: 0 trading, 1 general halt, 2 volatility halt, -1 not known.
        self.halted = 0
        # Set by command: it trades, but nobody is shown the trades.
        self.trades_muted = False
        # Start of a bar that is to be sent late -> ms after its end.
        self.late_bars: dict[int, int] = {}
        self._quote_bar_s = 0

    @property
    def symbol(self) -> str:
        return self.listing.symbol

    @property
    def index(self) -> bool:
        return self.listing.sec_type == "IND"

    @property
    def quote(self) -> Quote:
        return self.quotes[self.listing.primary]

    @property
    def quote_bar_due(self) -> bool:
        """Bars of quotes go on without a change."""
        return bar_start_s(self.clock_ms // 1000) != self._quote_bar_s

    def quote_at(self, venue: str) -> Quote:
        return self.quotes.get(venue, NO_QUOTE)

    def trade(self, prints: Iterable[RawPrint]) -> None:
        series = self.bars["TRADES"]
        for raw in prints:
            self._enter(self.tape.append(raw), series)

    def traded_before(self, prints: list[RawPrint]) -> None:
        """Fills the time before the symbol was first asked for; quotes are made to fit."""
        series = self.bars["TRADES"]
        for number, raw in enumerate(prints, -len(prints)):
            print_ = self.tape.append(raw, number)
            self._enter(print_, series)
            if print_.number and not print_.unreported:
                bid_e4 = raw.price_e4 - raw.price_e4 % 100
                self._log_quote(raw.ms, Quote(bid_e4, 100, bid_e4 + 100, 100))

    def mark_halt(self, halted: int) -> None:
        """A 0/0 entry: with past limit set it halted, without it trades again (Campus)."""
        self.halted = halted
        self.tape.append(RawPrint(self.clock_ms, 0, 0, "", "", PAST_LIMIT if halted else 0))

    def set_quote(self, venue: str, quote: Quote) -> None:
        if venue == self.listing.primary:
            self.book_quote = quote
        if self.override:
            quote = self.override.over(quote)
        changed = quote != self.quotes.get(venue)
        self.quotes[venue] = quote
        if venue != self.listing.primary:
            return
        if changed or self.quote_bar_due:
            self._log_quote(self.clock_ms, quote, changed)

    def put_bars(self, bars: Iterable[Bar]) -> None:
        self.bars["TRADES"].put(bars)

    def settle(self, until_s: float) -> None:
        for series in self.bars.values():
            series.settle(until_s)

    def _enter(self, print_: Print, series: BarSeries) -> None:
        if print_.number and not print_.unreported:
            series.add(print_.ms, print_.price_e4, print_.size)

    def _log_quote(self, ms: int, quote: Quote, changed: bool = True) -> None:
        self._quote_bar_s = bar_start_s(ms // 1000)
        if changed:
            self.quote_log.append((ms, quote))
        if quote.bid_e4 > 0:
            self.bars["BID"].add(ms, quote.bid_e4, None)
        if quote.ask_e4 > 0:
            self.bars["ASK"].add(ms, quote.ask_e4, None)
        if quote.two_sided:
            self.bars["MIDPOINT"].add(ms, quote.mid_e4, None)
