"""How long to wait before the next try."""

from __future__ import annotations

from typing import Final

JITTER: Final = 0.2


def delay_s(attempt: int, base_s: float, max_s: float, random_unit: float) -> float:
    """Wait before try number `attempt` (1 = first retry): base, 2 x base, 4 x base ... `max_s`.

    `random_unit` in [0, 1) spreads workers that lost the same gateway by +-20 %.
    """
    wait_s = min(max_s, base_s * 2.0 ** min(max(attempt, 1) - 1, 32))
    return float(wait_s * (1.0 - JITTER + 2.0 * JITTER * random_unit))
