from __future__ import annotations

import datetime

import pytest

from simulators.alphavantage.moment import Calendar


def wall_s(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("utc", "eastern"),
    [
        ("2026-05-04T16:00:00+00:00", "2026-05-04 12:00:00"),
        ("2026-01-05T16:00:00+00:00", "2026-01-05 11:00:00"),
        ("2026-05-05T03:59:00+00:00", "2026-05-04 23:59:00"),
    ],
)
def test_days_are_those_of_new_york(utc: str, eastern: str) -> None:
    assert str(Calendar().eastern(wall_s(utc))) == eastern
    assert str(Calendar().today(wall_s(utc))) == eastern[:10]


def test_a_calendar_may_play_another_date() -> None:
    now_s = wall_s("2026-05-05T03:59:00+00:00")
    calendar = Calendar.of_date(datetime.date(2025, 9, 3), now_s)
    assert str(calendar.eastern(now_s)) == "2025-09-03 23:59:00"
    assert str(calendar.utc(now_s)) == "2025-09-04 03:59:00"
    # It goes on with the clock.
    assert str(calendar.today(now_s + 60)) == "2025-09-04"


@pytest.mark.parametrize(
    ("today", "session"),
    [("2026-05-04", "2026-05-01"), ("2026-05-05", "2026-05-04"), ("2026-05-03", "2026-05-01")],
)
def test_the_session_before_is_no_weekend(today: str, session: str) -> None:
    assert str(Calendar().previous_session(wall_s(f"{today}T16:00:00+00:00"))) == session
