"""Which of a symbol's many keys have their expiry renewed at a fetch: each in its turn. Pure.

To renew thousands of keys at every fetch costs Redis more than all that changed, and each renewal
goes into its append-only file. A key that is asked for and is there may wait for its turn.
"""

from __future__ import annotations

from typing import Final

_PHASES: Final = 16


class Renewal:
    """After every fetch each key has at least two thirds of its time to live left."""

    def __init__(self, ttl_s: float, now_s: float) -> None:
        """All keys were written just now."""
        self._every_s = ttl_s / 3
        # As if some had been written earlier, so that not all have their turn at once.
        step_s = self._every_s / _PHASES
        self._renewed_s = [now_s - number * step_s for number in range(_PHASES)]

    def due(self, now_s: float) -> list[bool]:
        """By phase, whether its keys are to be renewed now; from now on they count as renewed."""
        due = [now_s - renewed_s >= self._every_s for renewed_s in self._renewed_s]
        for number, renew in enumerate(due):
            if renew:
                self._renewed_s[number] = now_s
        return due


def is_due(name: str, due: list[bool]) -> bool:
    return due[hash(name) % _PHASES]
