"""Top-of-book quotes → the ticker, while no depth owns it. Only the newest of a symbol is kept.

A quote that Redis refuses, since depth owns the symbol, is offered again every second: so the
ticker passes over within a second of the end of depth's sign (`coord:depth:live`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.ticker import (
    NOT_THE_OWNER,
    QUOTE_COUNTERS,
    FieldValue,
    QuoteStamp,
    TickerKeys,
    release_quote,
    write_quote,
)

SOURCE: Final = b"tob"
# A quote of 15 minutes ago, published only where the settings allow it.
DELAYED: Final = b"delayed"
Values = Mapping[str, FieldValue]


class _Quote(NamedTuple):
    values: Values
    received_ts_ms: int
    source: bytes


class QuoteBoard:
    def __init__(self, keys: Keys, symbols: Iterable[str], ttl_s: int) -> None:
        self._keys = {symbol: TickerKeys(symbol, keys) for symbol in symbols}
        self._ttl = b"%d" % ttl_s
        # The newest quote of each symbol and when it was received; None: it has none.
        self._quotes: dict[str, _Quote | None] = {}
        # As what Redis was last told a quote: only that can be withdrawn.
        self._sources: dict[str, bytes] = {}
        # What Redis was not told yet, and what it refused since depth owns the symbol.
        self._dirty: set[str] = set()
        self._foreign: set[str] = set()
        self._counts = dict.fromkeys(QUOTE_COUNTERS.values(), 0)
        self.written = 0

    def set(
        self, symbol: str, values: Values | None, received_ts_ms: int, source: bytes = SOURCE
    ) -> None:
        """The newest quote; None withdraws it (no line, delayed, stopped)."""
        if values is None and self._quotes.get(symbol) is None:
            return
        self._quotes[symbol] = None if values is None else _Quote(values, received_ts_ms, source)
        self._foreign.discard(symbol)
        self._dirty.add(symbol)

    def offer_again(self) -> None:
        """Depth may have let go of what it owned."""
        self._dirty |= self._foreign
        self._foreign.clear()

    def repeat(self, symbols: Iterable[str]) -> None:
        self._dirty.update(symbol for symbol in symbols if self._quotes.get(symbol))

    def pending(self) -> bool:
        return bool(self._dirty)

    def metrics(self) -> dict[str, int]:
        """Quotes written, dropped for coming late, and written over a time from the future."""
        return {"quotes": self.written, "quotes_foreign": len(self._foreign), **self._counts}

    def encode(self, commands: Commands) -> dict[str, object]:
        """Commands for what Redis was not told; hand what this returns to `confirmed`."""
        said: dict[str, object] = {}
        for symbol in self._dirty:
            quote = said[symbol] = self._quotes.get(symbol)
            if quote is None:
                release_quote(commands, self._keys[symbol], self._sources.get(symbol, SOURCE))
                continue
            self._sources[symbol] = quote.source
            stamp = QuoteStamp(quote.source, b"%d" % quote.received_ts_ms, self._ttl)
            write_quote(commands, self._keys[symbol], stamp, quote.values)
        return said

    def confirmed(
        self, said: Mapping[str, object], names: Sequence[str], replies: Sequence[Any]
    ) -> None:
        """`replies` to the commands of these names."""
        for symbol, quote in said.items():
            if self._quotes.get(symbol) is quote:
                self._dirty.discard(symbol)
        for name, reply in zip(names, replies, strict=False):
            command, _, symbol = name.partition(" ")
            if command != "ticker_quote":
                continue
            if reply == NOT_THE_OWNER and symbol not in self._dirty:
                self._foreign.add(symbol)
            elif reply in QUOTE_COUNTERS:
                self._counts[QUOTE_COUNTERS[reply]] += 1
            self.written += reply in (1, 2)
