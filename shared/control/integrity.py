"""Is a book wrong, or only in transit?

Rows of one change arrive one by one, so a side is out of order or crossed for an instant all the
time. Only what stays wrong counts, and a repair (cancel and resubscribe) comes at most once a
minute per pair: an auction crosses a book for as long as it lasts.
"""

from __future__ import annotations

from typing import Final

FAULT_LASTS_S: Final = 1.0
REPAIR_EVERY_S: Final = 60.0


class Integrity:
    """Follows one pair's faults; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.fault = ""
        self._since_s = 0.0
        self._reported = False
        self._repaired_s: float | None = None

    def observe(self, fault: str, now_s: float) -> None:
        """Note what is wrong with the book at `now_s` (empty string: nothing)."""
        if fault == self.fault:
            return
        if not fault or not self.fault:
            self._since_s = now_s
            self._reported = False
        self.fault = fault

    def lasting(self, now_s: float) -> str:
        """The fault that has just outlasted a second, once per occurrence; else empty."""
        if not self.fault or self._reported or now_s - self._since_s <= FAULT_LASTS_S:
            return ""
        self._reported = True
        return self.fault

    def repair_due(self, now_s: float) -> bool:
        """The fault lasts, and this pair had no repair within the last minute."""
        lasts = bool(self.fault) and now_s - self._since_s > FAULT_LASTS_S
        return lasts and self._rested(now_s)

    def may_repair(self, now_s: float) -> bool:
        """Claim a repair; False when this pair had one within the last minute."""
        if not self._rested(now_s):
            return False
        self._repaired_s = now_s
        return True

    def _rested(self, now_s: float) -> bool:
        return self._repaired_s is None or now_s - self._repaired_s >= REPAIR_EVERY_S

    def reset(self) -> None:
        """A new request starts with an empty book; the repair limit goes on."""
        self.fault = ""
        self._reported = False
