"""Which minute candles of one symbol are to be written, and when.

A minute is written at its boundary plus a grace (its last bar is still on its way then), and
again whenever a late or corrected bar, or the end of an outage, changes it. It is `complete`
unless part of it lies in an outage that was not filled: that bars are missing says nothing, since
none exists where nothing traded.

Minutes more than `keep_minutes` before the newest are forgotten, unless an unfilled outage touches
them; bars for a forgotten minute are refused: a candle of them alone would replace the full one.

Pure: times are Unix seconds on the wall clock, those of the bars.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from shared.market.bar import BAR_S, MINUTE_S, Bar, Candle, candle, minute_of

OPEN_END: Final = float("inf")
# Outages remembered at most, oldest dropped first: its minutes are not marked again then.
MAX_OUTAGES: Final = 64
_BARS_A_MINUTE: Final = MINUTE_S // BAR_S


class Outage(NamedTuple):
    """A time without data; `to_s` is `OPEN_END` while it lasts."""

    from_s: float
    to_s: float

    def touches(self, minute: int) -> bool:
        return self.from_s < minute + MINUTE_S and self.to_s > minute

    def without(self, other: Outage) -> list[Outage]:
        """What is left of it: nothing, itself, or the parts before and behind `other`."""
        parts = (
            Outage(self.from_s, min(self.to_s, other.from_s)),
            Outage(max(self.from_s, other.to_s), self.to_s),
        )
        if other.to_s <= self.from_s or other.from_s >= self.to_s:
            return [self]
        return [part for part in parts if part.from_s < part.to_s]


@dataclass(slots=True)
class Minute:
    """Bars by start; `written` is the candle that was handed out last."""

    bars: dict[int, Bar] = field(default_factory=dict)
    written: Candle | None = None
    # Something happened since: the candle is to be built and compared again.
    touched: bool = False


class Minutes:
    def __init__(self, keep_minutes: int = 10) -> None:
        self._keep_minutes = keep_minutes
        self._minutes: dict[int, Minute] = {}
        self._outages: list[Outage] = []
        # Minutes before this one are forgotten.
        self._forgotten_to: float = -OPEN_END
        self.refused_bars = 0

    @property
    def outages(self) -> tuple[Outage, ...]:
        """What was not filled yet."""
        return tuple(self._outages)

    def get(self, t: int) -> Bar | None:
        """The bar of this start, while its minute is remembered."""
        minute = self._minutes.get(minute_of(t))
        return None if minute is None else minute.bars.get(t)

    # Events

    def add(self, bar: Bar) -> bool:
        """Take a bar, replacing the one of the same start; False when its minute is forgotten.

        A live bar that comes again as backfilled with the same values stays the live one.
        """
        start = minute_of(bar.t)
        minute = self._minutes.get(start)
        if minute is None:
            if start < self._forgotten_to and not self._in_outage(start):
                self.refused_bars += 1
                return False
            minute = self._minutes[start] = Minute()
        known = minute.bars.get(bar.t)
        if known is None or not _same(known, bar):
            minute.bars[bar.t] = bar
            minute.touched = True
        return True

    def outage(self, from_s: float, to_s: float = OPEN_END) -> None:
        """Data was or is lost; without an end until `outage_ended` says one.

        Where it reaches back behind what is remembered, `restore` its minutes before they are
        filled.
        """
        if from_s >= to_s:
            return
        self._outages.append(Outage(from_s, to_s))
        del self._outages[:-MAX_OUTAGES]
        self._touch(from_s, to_s)

    def outage_ended(self, to_s: float) -> None:
        """Data flows again from `to_s` on: every outage that lasts ends there."""
        rest = Outage(to_s, OPEN_END)
        kept: list[Outage] = []
        for outage in self._outages:
            kept += outage.without(rest) if outage.to_s == OPEN_END else [outage]
        self._outages = kept
        self._touch(to_s, OPEN_END)

    def filled(self, from_s: float, to_s: float) -> None:
        """Every bar of this time that exists was added: outages shrink by it."""
        window = Outage(from_s, to_s)
        self._outages = [part for o in self._outages for part in o.without(window)]
        self._touch(from_s, to_s)

    def restore(self, bars: Iterable[Bar], candles: Iterable[Candle] = ()) -> None:
        """Take up what Redis has, from a minute's start on, before the first live bar.

        Candles equal to what their bars give are not written again. Where in an incomplete
        minute the data is missing is not known any more: it counts as lost as a whole, until
        all of it is filled.
        """
        for bar in bars:
            self.add(bar)
        for stored in candles:
            if not stored.complete:
                self.outage(stored.t, stored.t + MINUTE_S)
            minute = self._minutes.get(stored.t)
            if minute is not None:
                minute.written = stored

    # Decisions

    def due(self, now_s: float, grace_s: float) -> list[Candle]:
        """Candles to be written now, oldest first; each is handed out once per change."""
        ended = now_s - MINUTE_S - grace_s
        candles = [
            made
            for start, minute in sorted(self._minutes.items())
            if start <= ended and (made := self._changed(start, minute, whole=True)) is not None
        ]
        self._forget(now_s)
        return candles

    def flush(self, now_s: float, grace_s: float) -> list[Candle]:
        """Everything unwritten, for a stop; a minute that is not over is not complete."""
        ended = now_s - MINUTE_S - grace_s
        candles = []
        for start, minute in sorted(self._minutes.items()):
            whole = start <= ended or len(minute.bars) == _BARS_A_MINUTE
            made = self._changed(start, minute, whole)
            if made is not None:
                candles.append(made)
        return candles

    def _changed(self, start: int, minute: Minute, whole: bool) -> Candle | None:
        if not minute.touched:
            return None
        made = candle(minute.bars.values(), whole and not self._in_outage(start))
        # A minute that is not over is looked at again at its end.
        minute.touched = not whole
        if made == minute.written:
            return None
        minute.written = made
        return made

    def _in_outage(self, start: int) -> bool:
        return any(outage.touches(start) for outage in self._outages)

    def _touch(self, from_s: float, to_s: float) -> None:
        window = Outage(from_s, to_s)
        for start, minute in self._minutes.items():
            if window.touches(start):
                minute.touched = True

    def _forget(self, now_s: float) -> None:
        if not self._minutes:
            return
        # Neither a clock nor a bar that runs ahead alone makes recent minutes forgotten.
        newest = min(minute_of(now_s), max(self._minutes))
        oldest = newest - self._keep_minutes * MINUTE_S
        self._forgotten_to = max(self._forgotten_to, oldest)
        past = [start for start in self._minutes if start < oldest and not self._in_outage(start)]
        for start in past:
            del self._minutes[start]


def _same(one: Bar, other: Bar) -> bool:
    """Equal but for the way they came; all fields before `backfilled`, which is the last."""
    return (one.t, one.open, one.high, one.low, one.close, one.volume, one.wap, one.count) == (
        (other.t, other.open, other.high, other.low, other.close, other.volume)
        + (other.wap, other.count)
    )
