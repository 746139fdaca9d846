"""The hours of the simulated market, which trades day and night."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Final

from shared.market.session import TradingDay, new_york_date, new_york_ms

_AFTER: Final = 2


class AlwaysOpen:
    """Every New York date is a trading day from midnight to midnight."""

    name: Final = "24/7"

    def days(self, around_ms: int) -> list[TradingDay]:
        """Today and the two days behind it."""
        today = new_york_date(around_ms)
        dates = [today + timedelta(days=offset) for offset in range(_AFTER + 2)]
        begins = [new_york_ms(day, time(0)) for day in dates]
        return [
            TradingDay(day.isoformat(), begins[at], begins[at + 1], early_close=False)
            for at, day in enumerate(dates[:-1])
        ]
