"""What the market does now: before, in, after or outside its regular session. Pure.

The extended hours are those of the US equity venues: from 04:00 to the open, and from the close to
20:00, all New York time; after an early close to 17:00 (NYSE Arca and Nasdaq hours, as published
with each year's holidays).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, Literal
from zoneinfo import ZoneInfo

State = Literal["pre", "regular", "post", "closed"]

NEW_YORK: Final = ZoneInfo("America/New_York")
_PRE_OPENS: Final = time(4, 0)
_POST_CLOSES: Final = time(20, 0)
_POST_CLOSES_EARLY: Final = time(17, 0)


@dataclass(frozen=True, slots=True)
class TradingDay:
    """A day with a regular session; `date` is YYYY-MM-DD.

    Not `known`: no calendar could be asked, this is a guess.
    """

    date: str
    opens_ms: int
    closes_ms: int
    early_close: bool
    known: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """`date` is the New York date; `opens_ms` and `closes_ms` are None when it has no session.

    Not `known`: the hours of this date or the next open are a guess.
    """

    calendar: str
    date: str
    state: State
    opens_ms: int | None
    closes_ms: int | None
    next_open_ms: int | None
    early_close: bool
    known: bool


def session_at(now_ms: int, days: Sequence[TradingDay], calendar: str) -> Session:
    """`days` hold those around now: without one, the market is closed and nothing is known."""
    today = new_york_date(now_ms)
    current = _current(now_ms, today.isoformat(), days)
    following = min(
        (day for day in days if day.opens_ms > now_ms), key=lambda day: day.opens_ms, default=None
    )
    relied_on = [day.known for day in (current, following) if day is not None]
    return Session(
        calendar=calendar,
        date=today.isoformat(),
        state=_state(now_ms, today, current),
        opens_ms=current.opens_ms if current else None,
        closes_ms=current.closes_ms if current else None,
        next_open_ms=following.opens_ms if following else None,
        early_close=current is not None and current.early_close,
        known=bool(relied_on) and all(relied_on),
    )


def new_york_date(now_ms: int) -> date:
    return datetime.fromtimestamp(now_ms // 1000, NEW_YORK).date()


def new_york_ms(day: date, clock: time) -> int:
    """Unix ms of a New York wall clock time."""
    return int(datetime.combine(day, clock, NEW_YORK).timestamp()) * 1000


def _current(now_ms: int, today: str, days: Sequence[TradingDay]) -> TradingDay | None:
    """The day in session, else today's.

    In session comes first: Asian sessions begin on the evening before their date in New York.
    """
    for day in days:
        if day.opens_ms <= now_ms < day.closes_ms:
            return day
    return next((day for day in days if day.date == today), None)


def _state(now_ms: int, today: date, current: TradingDay | None) -> State:
    if current is None:
        return "closed"
    if now_ms < current.opens_ms:
        return "pre" if now_ms >= new_york_ms(today, _PRE_OPENS) else "closed"
    if now_ms < current.closes_ms:
        return "regular"
    ends = _POST_CLOSES_EARLY if current.early_close else _POST_CLOSES
    return "post" if now_ms < new_york_ms(today, ends) else "closed"
