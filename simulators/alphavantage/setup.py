from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from .plans import PLANS, Allowance

__all__ = ["Setup"]


@dataclass(slots=True)
class Setup:
    """What the flags say; the commands change some of it at run time."""

    seed: int = 7
    plan: str = "600"
    per_minute: int | None = None
    per_second: int | None = None
    limits: bool = True
    count_refused: bool = False
    # Empty: any key that is not empty is good.
    keys: frozenset[str] = frozenset()
    contracts: int = 600
    moving: float = 0.05
    rows: int = 100
    news_every_s: int = 1800
    date: datetime.date | None = None
    realtime_options: str = "always"
    samples: Path | None = None
    contracts_of: dict[str, int] = field(default_factory=dict)

    def allowance(self) -> Allowance:
        plan = PLANS[self.plan]
        per_minute = plan.per_minute if self.per_minute is None else self.per_minute
        per_second = plan.per_second if self.per_second is None else self.per_second
        return Allowance(per_minute, per_second, plan.per_day, plan.free)

    def sees_realtime_options(self) -> bool:
        return self.realtime_options == "always" or self.plan in ("600", "1200")
