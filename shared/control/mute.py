"""Half of a symbol's data silent while the other half proves that there should be some. Pure.

A reported print lies in a bar, and a bar with volume holds prints: where one comes and the other
does not, that request is dead though the connection lives. Times are monotonic seconds but for the
bars' starts (Unix seconds, of the gateway's clock or a recording's).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.market.bar import BAR_S

# A bar comes up to five seconds after its first print, and some more are granted.
BARS_MUTE_S: Final = 20.0
PRINTS_MUTE_S: Final = 30.0
# Between two repairs of the same thing.
REPAIR_EVERY_S: Final = 60.0


@dataclass(slots=True)
class Mute:
    """One symbol's prints against its bars."""

    # Newest bar, when it came, and when the newest one with volume came.
    bar_t: int = 0
    traded_bar_s: float = 0.0
    # Start of the bar that holds the newest reported print, and when any print came last.
    print_t: int = 0
    print_s: float = 0.0
    _unbarred_since_s: float | None = None
    _bars_repaired_s: float = -REPAIR_EVERY_S
    _prints_repaired_s: float = -REPAIR_EVERY_S

    def bar(self, t: int, volume: float, now_s: float) -> None:
        self.bar_t = max(self.bar_t, t)
        self._unbarred_since_s = None
        if volume > 0:
            self.traded_bar_s = now_s

    def print(self, second: int, reported: bool, now_s: float) -> None:
        self.print_s = now_s
        if reported:
            self.print_t = max(self.print_t, second // BAR_S * BAR_S)

    def asked(self, now_s: float) -> None:
        """Requests are new: what was heard before proves nothing."""
        self.print_s = self.traded_bar_s = now_s
        self.print_t = self.bar_t
        self._unbarred_since_s = None

    @property
    def unbarred(self) -> bool:
        """A reported print came that lies in no bar yet."""
        return self.print_t > self.bar_t

    def bars_mute(self, now_s: float) -> bool:
        """Prints newer than the newest bar have come for too long; True claims the repair."""
        if not self.unbarred:
            self._unbarred_since_s = None
            return False
        if self._unbarred_since_s is None:
            self._unbarred_since_s = now_s
        mute = now_s - self._unbarred_since_s > BARS_MUTE_S
        if not mute or now_s - self._bars_repaired_s < REPAIR_EVERY_S:
            return False
        self._bars_repaired_s = now_s
        return True

    def prints_mute(self, now_s: float) -> bool:
        """Bars with volume come and no print does; True claims the repair."""
        mute = self.traded_bar_s - self.print_s > PRINTS_MUTE_S
        if not mute or now_s - self._prints_repaired_s < REPAIR_EVERY_S:
            return False
        self._prints_repaired_s = now_s
        return True
