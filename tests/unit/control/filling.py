"""Windows of missing data that are waiting to be asked for, seconds from `T` on."""

from __future__ import annotations

from typing import Final

from shared.control.backfill import Backfill, BackfillPolicy, Hole
from shared.control.pacing import Pacing

# Unix time of a test's beginning.
T: Final = 1_381_152_600
POLICY: Final = BackfillPolicy(reach_s=300.0, span_s=60, settle_s=3.0, open_at_once=2)


def hole(symbol: str, from_s: int, to_s: int) -> Hole:
    return Hole(symbol, T + from_s, T + to_s, "disconnect")


def backfill(*holes: Hole, pacing: Pacing | None = None) -> Backfill:
    """All of them known at `T` and 100 s later."""
    made = Backfill(POLICY, pacing or Pacing(50, 600.0))
    for each in holes:
        made.add(each, T + 100)
    return made


def shown(holes: list[Hole]) -> list[tuple[str, int, int]]:
    return [(each.symbol, each.from_s - T, each.to_s - T) for each in holes]


def asked(filling: Backfill, now_s: float = 0.0, at_s: float = 200.0) -> list[tuple[str, int, int]]:
    """`at_s` is the wall clock's second from `T` on."""
    return shown(filling.decide(T + at_s, now_s))
