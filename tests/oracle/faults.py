"""What a fault is: how it begins and ends, and what must be fed again afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.oracle.draw import Draw
from tests.oracle.rig import Rig

__all__ = ["ALL_FED", "Draw", "Fault", "nothing"]

# One surface of each worker.
ALL_FED: Final = ("depth", "trades", "quotes", "options", "technicals", "watchdog")
PATIENCE_S: Final = 15.0


def nothing(rig: Rig, token: Any) -> None:
    """A fault that ends by itself."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    # workers, redis, gateway, vendor, load, setup: two of one group never come together
    group: str
    # Returns what `end` needs to know.
    begin: Callable[[Rig, Draw], Any]
    end: Callable[[Rig, Any], None] = nothing
    hold_s: tuple[float, float] = (0.0, 0.0)
    hits: tuple[str, ...] = ()
    # Whose recovery time this is: recovery.py has the bounds. None where there is no target.
    target: str = ""
    patience_s: float = PATIENCE_S
    # What a run must have for it: time, or something between the product and what it meets.
    needs: str = ""

    @property
    def waits(self) -> bool:
        """Whether its end comes after a while; one that begins and ends in one call has none."""
        return self.hold_s[1] > 0 and self.end is not nothing
