from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["Calendar", "Moment"]

_EASTERN: Final = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Moment:
    mono_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Calendar:
    """The simulator's dates: the wall clock, shifted by whole days to the date it plays."""

    shift_days: int = 0

    @classmethod
    def of_date(cls, date: datetime.date, wall_s: float) -> Calendar:
        return cls((date - cls().eastern(wall_s).date()).days)

    def utc(self, wall_s: float) -> datetime.datetime:
        at = datetime.datetime.fromtimestamp(wall_s, datetime.UTC).replace(tzinfo=None)
        return at + datetime.timedelta(days=self.shift_days)

    def eastern(self, wall_s: float) -> datetime.datetime:
        at = datetime.datetime.fromtimestamp(wall_s, _EASTERN).replace(tzinfo=None)
        return at + datetime.timedelta(days=self.shift_days)

    def today(self, wall_s: float) -> datetime.date:
        return self.eastern(wall_s).date()

    def previous_session(self, wall_s: float) -> datetime.date:
        day = self.today(wall_s) - datetime.timedelta(days=1)
        while day.weekday() > 4:
            day -= datetime.timedelta(days=1)
        return day
