"""The trading days of an exchange, from exchange_calendars.

The library takes most of a second and some 80 MB to import, so nothing else does. It knows what was
decided when it was released: a closure announced later (a day of mourning) comes with an upgrade.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from datetime import date, time, timedelta
from typing import Any, Final

from loguru import logger

from shared.errors import SettingsError
from shared.market.session import TradingDay, new_york_date, new_york_ms

_BEFORE: Final = timedelta(days=10)
_AFTER: Final = timedelta(days=14)
_LOAD_BEFORE: Final = timedelta(days=40)
_LOAD_AFTER: Final = timedelta(days=365)
# The hours of a weekday nobody could be asked about.
_OPENS: Final = time(9, 30)
_CLOSES: Final = time(16, 0)
_NEAR_NAMES: Final = 4
_USUAL_NAME: Final = "XNYS"


class MarketCalendar:
    """Trading days around any moment; weekdays by rule where the library has no answer.

    Raises:
        SettingsError: the library has no calendar of this name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._loaded: list[TradingDay] = []
        self._date: date | None = None
        self._days: list[TradingDay] = []
        self._told = False
        self._check_name()

    def days(self, around_ms: int) -> list[TradingDay]:
        """Those from ten days before to two weeks after, in order.

        Costs nothing within a New York date, and some tenths of a second when the library must
        be asked: at the first call and then about once a year.
        """
        today = new_york_date(around_ms)
        if today != self._date:
            self._days = self._around(today)
            self._date = today
        return list(self._days)

    def _check_name(self) -> None:
        try:
            import exchange_calendars

            names = exchange_calendars.get_calendar_names(include_aliases=True)
        except Exception:
            self._tell("cannot be used")
            return
        if self.name not in names:
            near = difflib.get_close_matches(self.name.upper(), names, n=_NEAR_NAMES, cutoff=0.5)
            known = ", ".join(near or [_USUAL_NAME])
            raise SettingsError(
                [f"market.calendar: was {self.name!r}, must be a known calendar such as {known}"]
            )

    def _around(self, today: date) -> list[TradingDay]:
        first, last = today - _BEFORE, today + _AFTER
        if not self._covers(first) or not self._covers(last):
            self._load(today)
        days = {day.date: day for day in self._loaded}
        wanted = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        guessed = [day for day in wanted if not self._covers(day)]
        if guessed:
            self._tell(f"does not reach {guessed[-1].isoformat()}")
        elif self._told:
            self._told = False
            logger.info("market calendar {} answers again", self.name)
        days |= {day.isoformat(): _weekday(day) for day in guessed if day.weekday() < 5}
        texts = [day.isoformat() for day in wanted]
        return [days[text] for text in texts if text in days]

    def _covers(self, day: date) -> bool:
        """Between the first and the last session loaded, a day without one is a closed day."""
        text = day.isoformat()
        return bool(self._loaded) and self._loaded[0].date <= text <= self._loaded[-1].date

    def _load(self, today: date) -> None:
        try:
            found = _library_days(self.name, today - _LOAD_BEFORE, today + _LOAD_AFTER)
        except Exception:
            # Whatever went wrong in there, what was loaded before stays true.
            self._tell("cannot be loaded")
            return
        if found:
            self._loaded = found

    def _tell(self, what: str) -> None:
        """Once, until it answers again; with the traceback where something was raised."""
        if not self._told:
            self._told = True
            logger.opt(exception=sys.exc_info()[0] is not None).warning(
                "market calendar {} {}: weekdays from 09:30 to 16:00 New York are assumed to be "
                "trading days",
                self.name,
                what,
            )


def _library_days(name: str, start: date, end: date) -> list[TradingDay]:
    with warnings.catch_warnings():
        # The library calls what pandas will drop one day: nothing anyone here could mend.
        warnings.simplefilter("ignore")
        found = _library_calendar(name, start, end)
    early = set(found.early_closes)
    closes = found.closes
    return [
        TradingDay(
            date=label.date().isoformat(),
            opens_ms=int(opens.timestamp()) * 1000,
            closes_ms=int(closes[label].timestamp()) * 1000,
            early_close=label in early,
        )
        for label, opens in found.opens.items()
    ]


def _library_calendar(name: str, start: date, end: date) -> Any:
    import exchange_calendars

    try:
        return exchange_calendars.get_calendar(name, start=str(start), end=str(end))
    except ValueError:
        # Calendars with a fixed last date refuse one beyond it; asked for none they take theirs.
        return exchange_calendars.get_calendar(name)


def _weekday(day: date) -> TradingDay:
    return TradingDay(
        date=day.isoformat(),
        opens_ms=new_york_ms(day, _OPENS),
        closes_ms=new_york_ms(day, _CLOSES),
        early_close=False,
        known=False,
    )
