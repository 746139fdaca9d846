"""Which symbols' trades come tick by tick, and one sequence of prints over both feeds.

An account has few tick-by-tick streams (some 5; 10190 refuses one more), RTVolume comes with
every market data line. `StreamPlan` gives the streams to the most important symbols; `Splice`
makes one sequence of a symbol's two feeds while they run side by side.

The rule of the splice. One feed is the source: its prints go out. The other one's are held back.
A print of one feed that meets an open one of the other, with the same price and size and the same
second (else a second apart), is the same print, and both are done. RTVolume may sum several
prints (`single` false): such a one also meets, in order, those of its price that it can be the
sum of, and may be met in parts. At a switch, open prints that were held go out, and those that
went out already are awaited from the new source to be left out there. So equal prints of one
second are told apart by their number alone, and volume is neither lost nor doubled.

A stream begins in the middle of a second that it shows in part: the old source alone counts for
this second, and the switch comes once both feeds are past it, or the old one stays behind for
`overlap_s` while the new one moves on.

Its limits. The feeds must carry the same prints: one that only one of them has is left out while
the other one is the source, and goes out as well when it is younger than `overlap_s` at a switch.
A print that comes more than `overlap_s` after its twin is out twice if that time holds a switch.
One stamped more than a second apart is two; one that the feeds stamp in different seconds is lost
or out twice where a stream begins in one of them. A sum that was shown in part goes out with the
rest as its size. A print that waited for its twin may go out behind later ones. What the vendor
sends again after a reconnect cannot be told from a new print.

Pure: monotonic seconds for what is received, the prints' own second to compare them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.market.trade import NO_SHARES, OpenPrint, OpenPrints, Trade, TradeFeed, sized, twins

TBT: Final = TradeFeed.TICK_BY_TICK
RTV: Final = TradeFeed.RT_VOLUME
_OTHER: Final = {TBT: RTV, RTV: TBT}


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """`streams` are asked for until a refusal says that there are fewer."""

    streams: int = 5
    # A cancelled stream is still counted for a while: a request would meet a phantom 10190.
    cooldown_s: float = 1.0
    # One tick-by-tick request per instrument and 15 s (Campus).
    symbol_wait_s: float = 15.0
    # After a refusal one stream more is tried this often.
    probe_s: float = 300.0


@dataclass(frozen=True, slots=True)
class OpenStream:
    symbol: str


@dataclass(frozen=True, slots=True)
class CloseStream:
    symbol: str


@dataclass(slots=True)
class StreamPlan:
    """`symbols` most important first; every request is in `live` until it ends."""

    symbols: list[str]
    policy: StreamPolicy = field(default_factory=StreamPolicy)
    limit: int = field(init=False)
    live: list[str] = field(init=False, default_factory=list)
    excluded: set[str] = field(init=False, default_factory=set)
    refusals: int = field(init=False, default=0)
    _connected: bool = field(init=False, default=False)
    _cooling: list[float] = field(init=False, default_factory=list)
    _waiting: dict[str, float] = field(init=False, default_factory=dict)
    _probe_at_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.limit = self.policy.streams

    def connected(self) -> None:
        self._connected = True

    def disconnected(self) -> None:
        """Every stream is gone with the connection; what was learned of the limit stays."""
        self._connected = False
        self.live.clear()
        self._cooling.clear()

    def refused(self, symbol: str, now_s: float) -> None:
        """10190: the account has as many streams as are counted without this one."""
        self.ended(symbol)
        self.refusals += 1
        cooling = sum(end_s > now_s for end_s in self._cooling)
        self.limit = min(self.limit, len(self.live) + cooling)
        self._probe_at_s = now_s + self.policy.probe_s

    def ended(self, symbol: str) -> None:
        """Its stream is gone, by an error that leaves nothing to cancel."""
        if symbol in self.live:
            self.live.remove(symbol)

    def cancelled(self, symbol: str, now_s: float) -> None:
        """Taken off the wire to be asked for anew: it is counted for a while."""
        if symbol in self.live:
            self._close(symbol, now_s)

    def exclude(self, symbol: str) -> None:
        """No tick-by-tick data for it (10187, 10189), until `include`."""
        self.excluded.add(symbol)
        self.ended(symbol)

    def include(self, symbol: str) -> None:
        self.excluded.discard(symbol)

    def decide(self, now_s: float, at_most: int | None = None) -> list[OpenStream | CloseStream]:
        """What to close and open now; at most so many new ones, for the message rate's sake."""
        if not self._connected:
            return []
        self._cooling = [end_s for end_s in self._cooling if end_s > now_s]
        if self.limit < self.policy.streams and now_s >= self._probe_at_s:
            self.limit += 1
            self._probe_at_s = now_s + self.policy.probe_s
        eligible = [symbol for symbol in self.symbols if symbol not in self.excluded]
        wanted = eligible[: self.limit]
        ready = [
            symbol
            for symbol in wanted
            if symbol not in self.live and self._waiting.get(symbol, now_s) <= now_s
        ]
        unwanted = {symbol for symbol in self.live if symbol not in wanted}
        free = max(0, self.limit - len(self.live) - len(self._cooling))
        short = max(0, len(ready) - free - len(self._cooling))
        leaving = [symbol for symbol in reversed(eligible) if symbol in unwanted][:short]
        return [
            *(self._close(symbol, now_s) for symbol in leaving),
            *(self._begin(symbol, now_s) for symbol in ready[:free][:at_most]),
        ]

    def _begin(self, symbol: str, now_s: float) -> OpenStream:
        self.live.append(symbol)
        self._waiting[symbol] = now_s + self.policy.symbol_wait_s
        return OpenStream(symbol)

    def _close(self, symbol: str, now_s: float) -> CloseStream:
        self.live.remove(symbol)
        self._cooling.append(now_s + self.policy.cooldown_s)
        return CloseStream(symbol)


class Splice:
    """One symbol's prints; `started` and `ended` follow the requests, `take` the prints."""

    def __init__(self, overlap_s: float = 3.0) -> None:
        self._overlap_s = overlap_s
        # Prints that the source never showed, so that they were left out.
        self.left_out = 0
        self._reset()

    def _reset(self) -> None:
        self.source: TradeFeed | None = None
        self._running: set[TradeFeed] = set()
        self._opens = {TBT: OpenPrints(), RTV: OpenPrints()}
        # The feed that began beside the source, and the second that it shows in part.
        self._beginner: TradeFeed | None = None
        self._began: int | None = None
        self._began_s = 0.0
        self._past: set[TradeFeed] = set()

    def started(self, feed: TradeFeed) -> None:
        """Requested: its prints may come from now on."""
        if feed in self._running:
            return
        self._running.add(feed)
        if self.source is None:
            self.source = feed
            return
        self._beginner, self._began = feed, None
        self._past.clear()

    def ended(self, feed: TradeFeed) -> list[Trade]:
        """Refused, cancelled or lost on its own; prints that the other one now answers for."""
        if feed not in self._running:
            return []
        self._running.discard(feed)
        self._beginner = None
        other = _OTHER[feed]
        if other not in self._running:
            self._reset()
        elif feed is self.source:
            return self._switch(other)
        else:
            # The source shows all that was held.
            self._opens = {TBT: OpenPrints(), RTV: OpenPrints()}
        return []

    def lost(self) -> list[Trade]:
        """Both are gone (connection, 1101): what was held would come from nobody."""
        held = self._switch(_OTHER[self.source]) if self.source is not None else []
        self._reset()
        return held

    def take(self, trade: Trade, summed: bool, now_s: float) -> Sequence[Trade]:
        """The prints that are to go out; `summed` where it may stand for several (RTVolume)."""
        feed = trade.feed
        if feed not in self._running:
            return ()
        other = _OTHER[feed]
        if other not in self._running and not self._opens[other].entries:
            return (trade,)
        due = self.due(now_s)
        second = trade.ts_ms // 1000
        if self._beginner is not None and not self._compared(feed, second, now_s):
            return (*due, trade) if feed is self.source else due
        shown, left = self._meet(trade, second, summed)
        out = feed is self.source
        if left > NO_SHARES:
            self._opens[feed].add(OpenPrint(trade, second, left, summed, out, now_s))
        if out and trade.size - shown > NO_SHARES:
            due.append(sized(trade, trade.size - shown))
        return due + self._settled(now_s)

    def due(self, now_s: float) -> list[Trade]:
        """The prints whose time has come without another one; to be asked for every second."""
        due = self._settled(now_s)
        for opens in self._opens.values():
            self.left_out += opens.expire(now_s - self._overlap_s)
        return due

    def _compared(self, feed: TradeFeed, second: int, now_s: float) -> bool:
        """Whether both feeds show this second in full, as far as is known."""
        if feed is self._beginner and self._began is None:
            self._began, self._began_s = second, now_s
            for opens in self._opens.values():
                opens.drop_until(second)
        if self._began is None:
            return True
        if second <= self._began:
            return False
        self._past.add(feed)
        return True

    def _settled(self, now_s: float) -> list[Trade]:
        """Ends a beginning; tick by tick is the better source as soon as it is known in full."""
        begun = self._beginner
        if begun is None or begun not in self._past:
            return []
        if len(self._past) < len(_OTHER) and now_s - self._began_s < self._overlap_s:
            return []
        self._beginner = None
        return self._switch(TBT) if begun is TBT else []

    def _switch(self, feed: TradeFeed) -> list[Trade]:
        self.source = feed
        return self._opens[feed].release()

    def _meet(self, trade: Trade, second: int, summed: bool) -> tuple[float, float]:
        """How much of the print the other feed has out already, and how much it lacks."""
        opens = self._opens[_OTHER[trade.feed]]
        shown, left = 0.0, trade.size
        for entry in twins(opens.near(trade.price, second), trade.size, summed):
            part = min(left, entry.left)
            opens.reduce(entry, part)
            left -= part
            shown += part if entry.out else 0.0
        return shown, left
