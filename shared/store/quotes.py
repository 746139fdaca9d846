"""Top-of-book quotes → the ticker, while no depth owns it. Only the newest of a symbol is kept.

A line speaks on change only, so a quote holds for as long as its line is healthy, and is offered
again every second as holding now (Redis writes it every ten). So the ticker passes over within a
second of the end of depth's sign (`coord:depth:live`), and a quiet symbol keeps its quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.market.nbbo import FieldValue
from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.ticker import (
    NOT_THE_OWNER,
    QUOTE_COUNTERS,
    QuoteStamp,
    TickerKeys,
    holds_from,
    release_quote,
    write_quote,
)

SOURCE: Final = b"tob"
# A quote of 15 minutes ago, published only where the settings allow it.
DELAYED: Final = b"delayed"
_WRITTEN: Final = (1, 2)

Values = Mapping[str, FieldValue]


class _Quote(NamedTuple):
    """`values` is None for a withdrawal: each is its own, as each quote is."""

    values: Values | None
    received_ts_ms: int
    source: bytes
    as_of_ms: int


class QuoteBoard:
    def __init__(self, keys: Keys, symbols: Iterable[str], ttl_s: int) -> None:
        self._keys = {symbol: TickerKeys(symbol, keys) for symbol in symbols}
        self._ttl = b"%d" % ttl_s
        # The newest quote of each symbol and when it was received, or its withdrawal.
        self._quotes: dict[str, _Quote] = {}
        # As what Redis took a quote last: only that can be withdrawn.
        self._sources: dict[str, bytes] = {}
        # As what it was told one whose reply is not known: it may have taken that.
        self._untold: dict[str, set[bytes]] = {}
        # What Redis was not told yet, and what it refused last since depth owns the symbol.
        self._dirty: set[str] = set()
        self._foreign: set[str] = set()
        self._counts = dict.fromkeys(QUOTE_COUNTERS.values(), 0)
        self.written = 0

    def set(
        self, symbol: str, values: Values | None, received_ts_ms: int, source: bytes = SOURCE
    ) -> None:
        """The newest quote; None withdraws it (no line, delayed, stopped)."""
        if values is None and not self._shown(symbol):
            return
        self._quotes[symbol] = _Quote(values, received_ts_ms, source, received_ts_ms)
        self._dirty.add(symbol)

    def offer_again(self, healthy: Iterable[str], now_ms: int) -> None:
        """The quotes of these symbols hold now: their lines are healthy and said nothing new."""
        for symbol in healthy:
            quote = self._shown(symbol)
            if quote is not None and symbol not in self._dirty:
                self._quotes[symbol] = quote._replace(as_of_ms=holds_from(now_ms, quote.as_of_ms))
                self._dirty.add(symbol)

    def repeat(self, symbols: Iterable[str]) -> None:
        self._dirty.update(symbol for symbol in symbols if self._shown(symbol))

    def _shown(self, symbol: str) -> _Quote | None:
        quote = self._quotes.get(symbol)
        return None if quote is None or quote.values is None else quote

    def pending(self) -> bool:
        return bool(self._dirty)

    def metrics(self) -> dict[str, int]:
        """Quotes written, dropped for coming late, and written over a time from the future."""
        return {"quotes": self.written, "quotes_foreign": len(self._foreign), **self._counts}

    def encode(self, commands: Commands, now_ms: int) -> dict[str, _Quote]:
        """Commands for what Redis was not told; hand what this returns to `confirmed`."""
        said: dict[str, _Quote] = {}
        for symbol in self._dirty:
            quote = said[symbol] = self._quotes[symbol]
            if quote.values is None:
                taken = {self._sources.get(symbol, SOURCE), *self._untold.get(symbol, ())}
                for source in sorted(taken):
                    release_quote(commands, self._keys[symbol], source)
                continue
            self._untold.setdefault(symbol, set()).add(quote.source)
            stamp = QuoteStamp(quote.source, quote.as_of_ms, quote.received_ts_ms, now_ms)
            write_quote(commands, self._keys[symbol], stamp, quote.values, self._ttl)
        return said

    def confirmed(
        self, said: Mapping[str, _Quote], names: Sequence[str], replies: Sequence[Any]
    ) -> None:
        """`replies` to the commands of these names."""
        for symbol, quote in said.items():
            if self._quotes.get(symbol) is quote:
                self._dirty.discard(symbol)
        for name, reply in zip(names, replies, strict=False):
            command, _, symbol = name.partition(" ")
            told = said.get(symbol)
            if command == "ticker_release":
                self._foreign.discard(symbol)
            elif command == "ticker_quote" and told is not None:
                self._learn(symbol, told, reply)

    def _learn(self, symbol: str, quote: _Quote, reply: Any) -> None:
        self._untold.get(symbol, set()).discard(quote.source)
        if reply == NOT_THE_OWNER:
            self._foreign.add(symbol)
        else:
            self._foreign.discard(symbol)
        if reply in QUOTE_COUNTERS:
            self._counts[QUOTE_COUNTERS[reply]] += 1
        if reply in _WRITTEN:
            self._sources[symbol] = quote.source
            self.written += 1
