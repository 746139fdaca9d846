"""Which missing times are to be asked for from history, and when. Pure.

Only known windows are asked for: a bar is also missing where nothing traded, and to ask for each
would break the vendor's pacing (60 small requests in 10 minutes, identical ones 15 s apart, fewer
than 6 in 2 s for one contract). Windows are Unix seconds, `now_s` is monotonic.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from shared.control.pacing import Pacing
from shared.market.bar import BAR_S

MAX_TRIES: Final = 5
# Identical requests must be 15 s apart.
RETRY_S: Final = 16.0
PACING_WAIT_S: Final = 60.0
# Between the pages of a window: fewer than 6 requests in 2 s for one contract.
PAGE_WAIT_S: Final = 0.5
# Two hours of reach have room for 600 requests. A farm that comes and goes by the second leaves a
# window of each symbol every time, and all that wait are gone through again and again.
MOST_WAITING: Final = 2_000


@dataclass(frozen=True, slots=True)
class Hole:
    """A symbol's window without data, asked for once it is over and has settled.

    `began_s` is the start of a window of which earlier answers gave the beginning.
    """

    symbol: str
    from_s: int
    to_s: int
    reason: str
    # ``bars``, or ``trades`` where the settings ask for them.
    feed: str = "bars"
    # Items of the window that earlier answers have given.
    found: int = 0
    unreadable: int = 0
    began_s: int | None = None
    tries: int = 0
    not_before_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BackfillPolicy:
    """`reach_s`: nothing older is asked for (0: nothing at all). A request covers `span_s`."""

    reach_s: float = 7200.0
    span_s: int = 3600
    # A window's last bar takes a moment to be in the vendor's history.
    settle_s: float = 3.0
    open_at_once: int = 3


@dataclass(slots=True)
class Backfill:
    policy: BackfillPolicy = field(default_factory=BackfillPolicy)
    # Ten of the account's sixty are left to others.
    pacing: Pacing = field(default_factory=lambda: Pacing(50, 600.0))
    open: list[Hole] = field(default_factory=list)
    _waiting: deque[Hole] = field(default_factory=deque)

    def add(self, hole: Hole, now_unix_s: float) -> Hole | None:
        """Note a window; returns the part that lies beyond reach, which stays unfilled."""
        if not self.policy.reach_s:
            return hole
        # On the grid of the bars: half a bar would be refused by both sides.
        oldest = -int(-(now_unix_s - self.policy.reach_s) // BAR_S) * BAR_S
        beyond = None
        if hole.from_s < oldest:
            beyond = replace(hole, to_s=min(hole.to_s, oldest))
            hole = replace(hole, from_s=min(hole.to_s, oldest))
        while hole.from_s < hole.to_s:
            end = min(hole.to_s, hole.from_s + self.policy.span_s)
            self._waiting.append(replace(hole, to_s=end))
            hole = replace(hole, from_s=end)
        return beyond

    def expired(self, now_unix_s: float) -> list[Hole]:
        """Windows that waited until they were beyond reach; forgotten here."""
        oldest = now_unix_s - self.policy.reach_s
        gone = [hole for hole in self._waiting if hole.to_s < oldest]
        for hole in gone:
            self._waiting.remove(hole)
        return gone

    def crowded_out(self) -> list[Hole]:
        """The oldest of too many windows; forgotten here."""
        beyond = len(self._waiting) - MOST_WAITING
        return [self._waiting.popleft() for _ in range(beyond)]

    def decide(self, now_unix_s: float, now_s: float) -> list[Hole]:
        """What is to be asked for now, one request of a symbol at a time; it counts as open."""
        asked: list[Hole] = []
        busy = {hole.symbol for hole in self.open}
        free = min(self.policy.open_at_once - len(self.open), self.pacing.free(now_s))
        for hole in list(self._waiting):
            settled = now_unix_s >= hole.to_s + self.policy.settle_s
            if len(asked) >= free:
                break
            if hole.symbol in busy or not settled or now_s < hole.not_before_s:
                continue
            busy.add(hole.symbol)
            self._waiting.remove(hole)
            self.pacing.sent(now_s)
            asked.append(hole)
        self.open += asked
        return asked

    def done(self, hole: Hole) -> None:
        """Answered, or given up."""
        if hole in self.open:
            self.open.remove(hole)

    def more(self, rest: Hole, now_s: float) -> None:
        """An answer gave the beginning of a window only: the rest comes first."""
        self._waiting.appendleft(replace(rest, tries=0, not_before_s=now_s + PAGE_WAIT_S))

    def again(self, hole: Hole, now_s: float, paced: bool) -> bool:
        """No answer this time; False when it was tried often enough.

        `paced`: the vendor counted too many requests, which is no failure of this one.
        """
        self.done(hole)
        if paced:
            self.pacing.refused(now_s, PACING_WAIT_S)
        tries = hole.tries + (not paced)
        if tries >= MAX_TRIES:
            return False
        self._waiting.append(replace(hole, tries=tries, not_before_s=now_s + RETRY_S))
        return True

    def disconnected(self, now_s: float) -> None:
        """Open requests are gone with the connection, through no fault of theirs."""
        again = [replace(hole, not_before_s=now_s + RETRY_S) for hole in self.open]
        self._waiting.extendleft(reversed(again))
        self.open.clear()

    def count(self) -> int:
        """Windows of all symbols that are not filled yet."""
        return len(self.open) + len(self._waiting)

    def pending(self, symbol: str, feed: str = "bars") -> list[Hole]:
        """Windows of a symbol that are not filled yet."""
        holes = (*self.open, *self._waiting)
        return [hole for hole in holes if (hole.symbol, hole.feed) == (symbol, feed)]
