"""Every lost item ends in exactly one range, to be written to `monitoring:gaps`. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

# What goes on being lost is entered this often, a range each time, and the ledger has its bound.
ENTER_EVERY_S: Final = 10.0
# What has not grown for so long is over.
QUIET_S: Final = 1.0


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

    def stored(self, symbol: str, seq: int, first: int = 1) -> int:
        """Redis has this symbol's `first` to `seq` after all: those are no losses; how many.

        Only for what was dropped while nobody knew whether it had been carried out.
        """
        before = [entry for entry in self._open.values() if entry.symbol == symbol]
        self._open = {key: one for key, one in self._open.items() if one.symbol != symbol}
        before += [entry for entry in self._closed if entry.symbol == symbol]
        left = [part for entry in before for part in _without(entry, first, seq)]
        self._closed = [entry for entry in self._closed if entry.symbol != symbol] + left
        found = sum(one.count or 0 for one in before) - sum(one.count or 0 for one in left)
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


class Settling:
    """Whether losses may be entered now: the first at once, what goes on now and then, and its end
    soon. The range that still grows so becomes a few entries, not four a second.
    """

    def __init__(self) -> None:
        self._total = 0
        self._grown_s = 0.0
        # While it goes on: when it was entered last.
        self._entered_s: float | None = None

    def settled(self, total: int, now_s: float) -> bool:
        """`total`: how many items were ever lost, as it stands at `now_s` (monotonic)."""
        if total != self._total:
            self._total, self._grown_s = total, now_s
        elif now_s - self._grown_s >= QUIET_S:
            self._entered_s = None
            return True
        if self._entered_s is not None and now_s - self._entered_s < ENTER_EVERY_S:
            return False
        self._entered_s = now_s
        return True


def _without(entry: GapEntry, first: int, last: int) -> list[GapEntry]:
    """What is left of a range without these numbers."""
    start, end = entry.from_seq, entry.to_seq
    if start is None or end is None or end < first or start > last:
        return [entry]
    parts = [(start, min(end, first - 1)), (max(start, last + 1), end)]
    return [
        msgspec.structs.replace(entry, from_seq=a, to_seq=b, count=b - a + 1)
        for a, b in parts
        if a <= b
    ]
