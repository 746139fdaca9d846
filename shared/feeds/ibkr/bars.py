"""Bars as they come and as history fills them, and the minute candles made of them.

A symbol's bars are lost from the moment its request ends (or its data stops) until it is asked for
again; that window is closed then, filled from history, and its end written to the gap ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from loguru import logger

from shared.control.backfill import Hole
from shared.control.minutes import OPEN_END, Minutes
from shared.feeds.ibkr.clock import now_s
from shared.feeds.ibkr.tick_state import SymbolFeed, TickState
from shared.market.bar import BAR_S, Bar, Candle, minute_of
from shared.market.loss import Loss

# A window begins so long before its cause: the last bars were still on their way then.
MARGIN_S: Final = 2 * BAR_S
KEPT_MINUTES: Final = 30
FIRST_START: Final = "start"
LATE_TOLD_S: Final = 60.0


class BarKeeper:
    def __init__(self, state: TickState, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._clock = clock
        self._minutes = {symbol: Minutes(KEPT_MINUTES) for symbol in state.symbols}
        # Outages that last: since when (Unix s) and why.
        self._since: dict[str, tuple[int, str]] = {}
        # Start of the bar that was in progress when the bars were asked for.
        self._partial: dict[str, int] = {}
        self._told_late_s: dict[str, float] = {}

    def restore(
        self, symbol: str, bars: Iterable[Bar], candles: Iterable[Candle], covered_ms: int | None
    ) -> None:
        """Take up what an earlier run left; what came after `covered_ms` is to be fetched."""
        now = self._clock()
        minutes = self._minutes[symbol]
        minutes.restore(bars, candles)
        unfilled = [int(o.from_s) for o in minutes.outages]
        if covered_ms is None:
            since, reason = minute_of(now), FIRST_START
        else:
            since, reason = min([_before(covered_ms / 1000), *unfilled]), "restart"
        self._begin(symbol, since, reason)

    def interrupted(self, symbols: Iterable[str], reason: str, heard_ms: int) -> None:
        """Bars may be missing from now on; `heard_ms`: when anything was heard last."""
        heard_s = heard_ms / 1000 if heard_ms else self._clock()
        for symbol in symbols:
            if symbol not in self._since:
                self._begin(symbol, _before(min(heard_s, self._clock())), reason)

    def requested(self, symbol: str) -> None:
        """Bars are asked for: what lasts ends here, and history is to fill it."""
        now = int(self._clock())
        self._partial[symbol] = now // BAR_S * BAR_S
        self.restored([symbol])

    def restored(self, symbols: Iterable[str]) -> None:
        """Data flows again: the window is closed, and history is to fill it."""
        now = int(self._clock())
        for symbol in symbols:
            window = self._since.pop(symbol, None)
            if window is None:
                continue
            since, reason = window
            minutes = self._minutes[symbol]
            until = now // BAR_S * BAR_S + MARGIN_S
            minutes.outage_ended(until)
            # An incomplete candle of an earlier run reaches to the end of its minute.
            until = max([until, *(int(outage.to_s) for outage in minutes.outages)])
            beyond = self._state.backfill.add(Hole(symbol, since, until, reason), now)
            if beyond is not None:
                self.unfilled(beyond, "beyond reach")

    def unreadable(self, symbol: str, heard_ms: int) -> None:
        """A bar came that could not be read: history has it, or an outage covers it anyway."""
        if symbol in self._since:
            return
        self.interrupted([symbol], "unreadable bar", heard_ms)
        self.restored([symbol])

    def bar(self, feed: SymbolFeed, bar: Bar, received_s: float) -> None:
        self._state.bars.heard(feed.symbol)
        self._state.outlet.bar(feed.symbol, bar, received_s)
        if not self._minutes[feed.symbol].add(bar):
            self._state.counters.late_bars += 1
            self._tell_late(feed.symbol, bar)

    def tick(self, grace_s: float) -> None:
        """Write the candles that are due."""
        now, received_s = self._clock(), now_s()
        for symbol, minutes in self._minutes.items():
            for candle in minutes.due(now, grace_s):
                self._state.outlet.candle(symbol, candle, received_s)

    def flush(self, grace_s: float) -> None:
        """At a stop: every candle as far as it goes."""
        now, received_s = self._clock(), now_s()
        for symbol, minutes in self._minutes.items():
            for candle in minutes.flush(now, grace_s):
                self._state.outlet.candle(symbol, candle, received_s)

    # The answers of history

    def filled(self, hole: Hole, bars: Iterable[Bar], unreadable: int = 0) -> None:
        """What the window has; bars that came live stay as they came.

        With bars that could not be read the window is not whole.
        """
        symbol, minutes = hole.symbol, self._minutes[hole.symbol]
        received_s, new = now_s(), 0
        for bar in bars:
            if not hole.from_s <= bar.t < hole.to_s:
                continue
            known = minutes.get(bar.t)
            if known is not None and bar.t != self._partial.get(symbol):
                continue
            if not minutes.add(bar) or minutes.get(bar.t) is not bar:
                continue
            self._state.outlet.bar(symbol, bar, received_s)
            new += 1
        self._state.counters.bars_filled += new
        if unreadable:
            self.unfilled(hole, f"{unreadable} bars could not be read", unreadable)
            return
        minutes.filled(hole.from_s, hole.to_s)
        logger.bind(symbol=symbol, bars=new, reason=hole.reason).info(
            "bars of {} filled: {} from history", symbol, new
        )
        if hole.reason != FIRST_START:
            self._say(hole, f"filled, {new} bars", 0)

    def unfilled(self, hole: Hole, why: str, count: int | None = None) -> None:
        """What history does not give is lost; its candles stay incomplete."""
        logger.bind(symbol=hole.symbol, reason=hole.reason).warning(
            "bars of {} not filled: {}", hole.symbol, why
        )
        self._say(hole, f"not filled, {why}", count)

    def covered(self, heard_ms: int) -> dict[str, int]:
        """Unix ms up to which each symbol with bars is whole; what is to be filled counts back."""
        until: dict[str, int] = {}
        for symbol in self._state.bars.live:
            if symbol in self._since:
                continue
            pending = [hole.from_s for hole in self._state.backfill.pending(symbol)]
            feed = self._state.symbols[symbol]
            whole_ms = feed.bar_heard_ms if feed.mute.unbarred and feed.bar_heard_ms else heard_ms
            until[symbol] = (min(pending) + MARGIN_S) * 1000 if pending else whole_ms
        return until

    def _tell_late(self, symbol: str, bar: Bar) -> None:
        """The bar stands in Redis; its minute is forgotten and its candle stays as it was."""
        at_s = now_s()
        if at_s - self._told_late_s.get(symbol, -LATE_TOLD_S) < LATE_TOLD_S:
            return
        self._told_late_s[symbol] = at_s
        text = f"bar of {bar.t} came too late for its candle"
        self._state.outlet.incident("late_bar", symbol, text)

    def _begin(self, symbol: str, since: int, reason: str) -> None:
        self._since[symbol] = (since, reason)
        self._minutes[symbol].outage(since, OPEN_END)

    def _say(self, hole: Hole, outcome: str, count: int | None) -> None:
        reason = f"{hole.reason}: {outcome}"
        self._state.outlet.loss(
            Loss("bars", hole.symbol, hole.from_s * 1000, hole.to_s * 1000, reason, count)
        )


def _before(at_s: float) -> int:
    return int(at_s) // BAR_S * BAR_S - MARGIN_S
