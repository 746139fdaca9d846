"""How long all callers of a key hold back after the vendor refused one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

BURST_S: Final = 2.0
UNCERTAIN_S: Final = 60.0
# The free plan has one text for "slower" and "enough for today": the first is tried first.
_SHORT_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class HoldBack:
    """`wait_s` None: to the end of the vendor's minute. `announce`: a person should know."""

    wait_s: float | None
    reason: str
    announce: bool


class Restraint:
    def __init__(self, daily_s: float) -> None:
        self._daily_s = daily_s
        self._uncertain = 0
        self._until_s = -math.inf

    def refused(self, kind: str, certain: bool, now_s: float) -> HoldBack:
        """`kind` is burst, minute or daily; `certain` False when it may mean the day.

        Calls that were under way together are refused together: only a refusal after the time
        that was held back is one more. `now_s` is monotonic.
        """
        if not certain and now_s >= self._until_s:
            self._uncertain += 1
        hold = self._hold(kind, certain)
        if not certain:
            self._until_s = max(self._until_s, now_s + (hold.wait_s or UNCERTAIN_S))
        return hold

    def _hold(self, kind: str, certain: bool) -> HoldBack:
        if kind == "daily" and certain or self._uncertain > _SHORT_TRIES:
            return HoldBack(self._daily_s, "daily limit", announce=True)
        if kind == "burst":
            return HoldBack(BURST_S, "burst limit", announce=False)
        if kind == "minute":
            return HoldBack(None, "minute limit", announce=True)
        return HoldBack(UNCERTAIN_S, "a limit without a number", announce=True)

    def served(self) -> None:
        """The vendor answered: its limits are not used up."""
        self._uncertain = 0
