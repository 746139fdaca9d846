"""What a connectivity notice of TWS means for the subscriptions.

1100 and 2110: the gateway lost IB's servers; the socket stays open and mute.
1101: back, subscriptions gone. 1102: back, subscriptions kept, so they say; data must follow.
2103/2104: a market-data farm broke / is back; no 1100 comes with it, and data may stay dead.
2105/2106: the same of a history farm, which also serves the 5-second bars.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

_LOST: Final = frozenset({1100, 2110})
_FARM: Final = re.compile(r":\s*([\w.\-]+)\s*$")


class Link(Enum):
    """What the feed has to do now."""

    NONE = "none"
    DOWN = "down"  # stop trusting data, keep the socket
    RESUBSCRIBE = "resubscribe"  # the gateway forgot our requests: ask again, nothing to cancel
    VERIFY = "verify"  # data should flow again by itself: check, else resubscribe
    RENEW = "renew"  # requests still count at the gateway but may be dead: cancel, then ask again
    RENEW_HISTORY = "renew history"  # the same for what a history farm serves
    REBUILD = "rebuild"  # drop the connection


@dataclass(slots=True)
class Connectivity:
    """State of the path between gateway and IB, judged from error codes alone."""

    restore_deadline_s: float
    down_since_s: float | None = None
    broken_farms: dict[str, float] = field(default_factory=dict)
    broken_history_farms: dict[str, float] = field(default_factory=dict)

    def notice(self, code: int, text: str, now_s: float) -> Link:
        """Answer to a message of system scope; acts on transitions only (1100 repeats)."""
        if code in _LOST:
            return self._lost(now_s)
        if code == 1300:
            return Link.REBUILD
        if code in (1101, 1102):
            self.down_since_s = None
            self.broken_farms.clear()
            self.broken_history_farms.clear()
            return Link.RESUBSCRIBE if code == 1101 else Link.VERIFY
        if code == 2103:
            self.broken_farms.setdefault(farm(text), now_s)
        elif code == 2104 and self.broken_farms.pop(farm(text), None) is not None:
            return Link.RENEW
        elif code == 2105:
            self.broken_history_farms.setdefault(farm(text), now_s)
        elif code == 2106 and self.broken_history_farms.pop(farm(text), None) is not None:
            return Link.RENEW_HISTORY
        return Link.NONE

    def _lost(self, now_s: float) -> Link:
        if self.down_since_s is not None:
            return Link.NONE
        self.down_since_s = now_s
        return Link.DOWN

    def overdue(self, now_s: float) -> bool:
        """Neither 1101 nor 1102 came in time: only a new connection helps (ib_insync#256)."""
        return self.down_since_s is not None and now_s - self.down_since_s > self.restore_deadline_s

    @property
    def degraded(self) -> str:
        """Why data cannot be trusted now, or an empty string."""
        if self.down_since_s is not None:
            return "gateway lost IB's servers"
        if self.broken_farms:
            return "market data farm broken: " + ", ".join(sorted(self.broken_farms))
        return ""


def farm(text: str) -> str:
    """Farm name at the end of a 2103/2104 text, else the whole text."""
    match = _FARM.search(text)
    return match.group(1) if match else text.strip()
