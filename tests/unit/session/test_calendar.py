from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import exchange_calendars
import pytest
from loguru import logger

from shared.errors import SettingsError
from shared.market.session import Session, session_at
from shared.session.calendar import MarketCalendar

REAL = exchange_calendars.get_calendar


def utc_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(scope="module")
def calendar() -> MarketCalendar:
    return MarketCalendar("XNYS")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    number = logger.add(
        lambda message: lines.append(f"{message.record['level'].name} {message.record['message']}"),
        level="INFO",
    )
    yield lines
    logger.remove(number)


def noon(calendar: MarketCalendar, date: str) -> Session:
    """The session at 17:00 UTC, which is noon or one in New York."""
    now_ms = utc_ms(f"{date}T17:00")
    return session_at(now_ms, calendar.days(now_ms), calendar.name)


@pytest.mark.parametrize(
    ("date", "opens_next"),
    [
        ("2026-01-01", "2026-01-02T14:30"),
        ("2026-01-19", "2026-01-20T14:30"),
        ("2026-02-16", "2026-02-17T14:30"),
        ("2026-04-03", "2026-04-06T13:30"),
        ("2026-05-25", "2026-05-26T13:30"),
        ("2026-06-19", "2026-06-22T13:30"),
        # Independence Day is a Saturday in 2026 and kept on the Friday.
        ("2026-07-03", "2026-07-06T13:30"),
        ("2026-09-07", "2026-09-08T13:30"),
        ("2026-11-26", "2026-11-27T14:30"),
        ("2026-12-25", "2026-12-28T14:30"),
        ("2027-01-01", "2027-01-04T14:30"),
        ("2026-08-08", "2026-08-10T13:30"),
        ("2026-08-09", "2026-08-10T13:30"),
    ],
)
def test_holidays_and_weekends_are_closed(
    calendar: MarketCalendar, date: str, opens_next: str
) -> None:
    assert noon(calendar, date) == Session(
        calendar="XNYS",
        date=date,
        state="closed",
        opens_ms=None,
        closes_ms=None,
        next_open_ms=utc_ms(opens_next),
        early_close=False,
        known=True,
    )


@pytest.mark.parametrize("date", ["2026-11-27", "2026-12-24", "2025-11-28", "2025-12-24"])
def test_the_days_around_holidays_close_at_one(calendar: MarketCalendar, date: str) -> None:
    found = noon(calendar, date)
    assert (found.state, found.early_close, found.known) == ("regular", True, True)
    assert (found.opens_ms, found.closes_ms) == (
        utc_ms(f"{date}T14:30"),
        utc_ms(f"{date}T18:00"),
    )


@pytest.mark.parametrize(
    ("date", "opens", "closes"),
    [
        ("2026-03-06", "14:30", "21:00"),
        ("2026-03-09", "13:30", "20:00"),
        ("2026-10-30", "13:30", "20:00"),
        ("2026-11-02", "14:30", "21:00"),
        # Columbus Day and Veterans Day are holidays of banks, not of the exchange.
        ("2026-10-12", "13:30", "20:00"),
        ("2026-11-11", "14:30", "21:00"),
        ("2026-12-31", "14:30", "21:00"),
    ],
)
def test_full_days_follow_the_clock_of_new_york(
    calendar: MarketCalendar, date: str, opens: str, closes: str
) -> None:
    found = noon(calendar, date)
    assert (found.state, found.early_close) == ("regular", False)
    assert (found.opens_ms, found.closes_ms) == (
        utc_ms(f"{date}T{opens}"),
        utc_ms(f"{date}T{closes}"),
    )


def test_the_friday_before_and_the_monday_after_the_clocks_change(
    calendar: MarketCalendar,
) -> None:
    opens = [
        noon(calendar, date).opens_ms
        for date in ("2026-03-06", "2026-03-09", "2026-10-30", "2026-11-02")
    ]
    assert opens == [1_772_807_400_000, 1_773_063_000_000, 1_793_367_000_000, 1_793_629_800_000]


def test_the_days_reach_two_weeks_ahead_in_order(calendar: MarketCalendar) -> None:
    days = calendar.days(utc_ms("2026-12-18T17:00"))
    dates = [day.date for day in days]
    assert (dates[0], dates[-1]) == ("2026-12-08", "2026-12-31")
    assert dates == sorted(set(dates))
    assert {"2026-12-25", "2026-12-19", "2026-12-20"}.isdisjoint(dates)


def test_an_alias_of_the_library_is_a_name(calendar: MarketCalendar) -> None:
    now_ms = utc_ms("2026-11-27T17:00")
    assert MarketCalendar("NASDAQ").days(now_ms) == calendar.days(now_ms)


@pytest.mark.parametrize(
    ("name", "near"), [("XNYC", "XNYS"), ("nyse", "NYSE"), ("of the moon", "XNYS")]
)
def test_an_unknown_name_is_refused_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(SettingsError) as caught:
        MarketCalendar(name)
    (problem,) = caught.value.problems
    assert problem.startswith(f"market.calendar: was '{name}', must be a known calendar such as ")
    assert near in problem


def counted_loads(monkeypatch: pytest.MonkeyPatch, **fixed: str) -> list[str]:
    """The library's calendar, with arguments of ours in place of those it is asked with."""
    starts: list[str] = []

    def load(name: str, **asked: str) -> Any:
        starts.append(asked["start"])
        return REAL(name, **{**asked, **fixed})

    monkeypatch.setattr(exchange_calendars, "get_calendar", load)
    return starts


def test_the_library_is_asked_once_in_many_months(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = counted_loads(monkeypatch)
    calendar = MarketCalendar("XNYS")
    start_ms = utc_ms("2026-01-05T17:00")
    for passed in range(0, 330, 3):
        assert all(day.known for day in calendar.days(start_ms + passed * 86_400_000))
    assert loads == ["2025-11-26"]


def test_a_process_that_runs_for_years_renews_its_calendar(
    monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    loads = counted_loads(monkeypatch)
    calendar = MarketCalendar("XNYS")
    start_ms = utc_ms("2026-01-05T17:00")
    for passed in range(0, 1200, 13):
        assert all(day.known for day in calendar.days(start_ms + passed * 86_400_000))
    assert (len(loads), logged) == (4, [])


def test_within_a_date_the_library_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = counted_loads(monkeypatch, end="2026-11-26")
    calendar = MarketCalendar("XNYS")
    # 05:00 UTC is midnight in New York.
    for moment in ("05:00", "12:00", "23:59:59"):
        calendar.days(utc_ms(f"2026-11-27T{moment}"))
    assert len(loads) == 1
    calendar.days(utc_ms("2026-11-28T05:00"))
    assert len(loads) == 2


def test_what_a_caller_does_to_its_days_is_its_own_affair(calendar: MarketCalendar) -> None:
    now_ms = utc_ms("2026-11-27T17:00")
    calendar.days(now_ms).clear()
    assert calendar.days(now_ms) != []


def test_where_a_calendar_ends_weekdays_go_on(
    monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    """Its last session is that of yesterday."""
    counted_loads(monkeypatch, end="2026-11-25")
    calendar = MarketCalendar("XNYS")
    days = calendar.days(utc_ms("2026-11-26T17:00"))
    assert [day.date for day in days if day.known][-1] == "2026-11-25"
    assert [day.date for day in days if not day.known] == [
        *("2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01", "2026-12-02", "2026-12-03"),
        *("2026-12-04", "2026-12-07", "2026-12-08", "2026-12-09", "2026-12-10"),
    ]
    found = noon(calendar, "2026-11-26")
    assert (found.state, found.early_close, found.known) == ("regular", False, False)
    assert (found.opens_ms, found.closes_ms) == (
        utc_ms("2026-11-26T14:30"),
        utc_ms("2026-11-26T21:00"),
    )
    assert noon(calendar, "2026-11-28").state == "closed"
    assert logged == [
        "WARNING market calendar XNYS does not reach 2026-12-10: weekdays from 09:30 to 16:00 "
        "New York are assumed to be trading days"
    ]


def test_a_calendar_with_a_last_date_of_its_own_is_used_up_to_it(logged: list[str]) -> None:
    """The holidays of Riyadh are known up to 2029, and a year more is refused."""
    calendar = MarketCalendar("XSAU")
    days = calendar.days(utc_ms("2026-11-24T17:00"))
    assert [day.known for day in days] == [True] * len(days)
    beyond = calendar.days(utc_ms("2031-11-24T17:00"))
    assert not any(day.known for day in beyond)
    assert len(logged) == 1


def broken(*_: object, **__: object) -> Any:
    raise KeyError("of the library's own")


def test_a_library_that_raises_is_survived_and_told_once(
    monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    calendar = MarketCalendar("XNYS")
    for date in ("2026-07-08", "2026-07-09", "2026-07-10"):
        found = noon(calendar, date)
        assert (found.state, found.known) == ("regular", False)
        assert found.opens_ms == utc_ms(f"{date}T13:30")
    assert [line.split(":")[0] for line in logged] == [
        "WARNING market calendar XNYS cannot be loaded"
    ]


def test_a_library_that_answers_again_is_believed_the_next_day(
    monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    calendar = MarketCalendar("XNYS")
    assert not noon(calendar, "2026-11-25").known
    monkeypatch.setattr(exchange_calendars, "get_calendar", REAL)
    assert not noon(calendar, "2026-11-25").known
    assert noon(calendar, "2026-11-26").known
    assert logged[1:] == ["INFO market calendar XNYS answers again"]


def test_what_was_loaded_stays_true_when_it_cannot_be_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calendar = MarketCalendar("XNYS")
    assert noon(calendar, "2025-12-24").early_close
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    found = noon(calendar, "2026-11-26")
    assert (found.state, found.known) == ("closed", True)
    # A holiday that nobody could name.
    guessed = noon(calendar, "2027-01-18")
    assert (guessed.state, guessed.known) == ("regular", False)


def test_a_library_that_cannot_even_name_its_calendars_is_survived(
    monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    monkeypatch.setattr(exchange_calendars, "get_calendar_names", broken)
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    assert not noon(MarketCalendar("XNYS"), "2026-11-25").known
    assert len(logged) == 1


def test_the_library_is_imported_by_nobody_who_only_names_the_module() -> None:
    code = "import sys, shared.session.calendar; print('exchange_calendars' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
