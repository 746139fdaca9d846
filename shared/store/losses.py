"""Every lost item ends in exactly one range, to be written to `monitoring:gaps`. Pure."""

from __future__ import annotations

import msgspec


class Lost(msgspec.Struct, frozen=True):
    """One item that will never be written; times in Unix ms."""

    symbol: str
    venue: str
    seq: int
    ts_ms: int


class GapEntry(msgspec.Struct):
    """A row of `monitoring:gaps`; numbers that are not known are None."""

    feed: str
    symbol: str
    venue: str
    from_seq: int | None
    to_seq: int | None
    from_ts: int
    to_ts: int
    reason: str
    count: int | None

    def fields(self) -> dict[str, str]:
        """As stream fields: unknown numbers are empty."""
        return {
            name: "" if value is None else str(value)
            for name, value in msgspec.structs.asdict(self).items()
        }


class Losses:
    """Merges losses into ranges of consecutive `seq` per symbol and reason."""

    def __init__(self, feed: str, numbered: bool = True) -> None:
        """Not `numbered`: the items' numbers are nothing that readers know."""
        self._feed = feed
        self._numbered = numbered
        self._open: dict[tuple[str, str], GapEntry] = {}
        self._closed: list[GapEntry] = []
        self.total = 0

    def add(self, lost: Lost, reason: str) -> None:
        self.total += 1
        key = (lost.symbol, reason)
        entry = self._open.get(key)
        if entry is not None and entry.to_seq == lost.seq - 1:
            entry.to_seq = lost.seq
            # Bars are numbered as they are written: a late one is older than the one before it.
            entry.from_ts = min(entry.from_ts, lost.ts_ms)
            entry.to_ts = max(entry.to_ts, lost.ts_ms)
            entry.count = (entry.count or 0) + 1
            # A symbol's seq runs over all its venues: a mixed range names none.
            entry.venue = entry.venue if entry.venue == lost.venue else ""
            return
        if entry is not None:
            self._closed.append(entry)
        self._open[key] = GapEntry(
            self._feed,
            lost.symbol,
            lost.venue,
            lost.seq,
            lost.seq,
            lost.ts_ms,
            lost.ts_ms,
            reason,
            1,
        )

    def add_range(self, entry: GapEntry) -> None:
        """A range whose items are not at hand any more."""
        self.total += entry.count or 0
        self._closed.append(entry)

    def stored(self, symbol: str, seq: int) -> int:
        """Redis has this symbol up to `seq` after all: such losses are none; returns how many.

        Only for what was dropped while nobody knew whether it had been carried out.
        """
        found = 0
        for key, entry in list(self._open.items()):
            if entry.symbol == symbol:
                found += _shorten(entry, seq)
                if not entry.count:
                    del self._open[key]
        for entry in [one for one in self._closed if one.symbol == symbol]:
            found += _shorten(entry, seq)
            if not entry.count:
                self._closed.remove(entry)
        self.total -= found
        return found

    def drain(self) -> list[GapEntry]:
        """All ranges so far, in order of their start; forgets them."""
        entries = [*self._closed, *self._open.values()]
        self._open = {}
        self._closed = []
        if not self._numbered:
            for entry in entries:
                entry.from_seq = entry.to_seq = None
        return sorted(entries, key=lambda entry: (entry.from_ts, entry.symbol))

    def __bool__(self) -> bool:
        return bool(self._open or self._closed)


def _shorten(entry: GapEntry, seq: int) -> int:
    """Take the numbers up to `seq` out of a range; returns how many those were."""
    if entry.from_seq is None or entry.to_seq is None or entry.from_seq > seq:
        return 0
    found = min(seq, entry.to_seq) - entry.from_seq + 1
    entry.from_seq += found
    entry.count = (entry.count or 0) - found
    return found
