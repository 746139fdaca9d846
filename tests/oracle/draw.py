from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Draw"]


@dataclass(frozen=True, slots=True)
class Draw:
    """What the seed drew for one use of a fault."""

    hold_s: float
    symbol: str
    number: int
