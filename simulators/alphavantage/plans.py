from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PLANS", "Allowance"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls one key may make; None = as many as it likes."""

    per_minute: int | None
    per_second: int | None
    per_day: int | None = None
    free: bool = False


# The vendor states 5, 20 and 30 a second for 75, 600 and 1200; those of 150 and 300 are guesses.
PLANS: Final[dict[str, Allowance]] = {
    "free": Allowance(None, 1, 25, free=True),
    "75": Allowance(75, 5),
    "150": Allowance(150, 5),
    "300": Allowance(300, 10),
    "600": Allowance(600, 20),
    "1200": Allowance(1200, 30),
}
