from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.session import Session, TradingDay, session_at

MINUTE_MS: Final = 60_000


def utc_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def day(date: str, opens: str, closes: str, early_close: bool = False) -> TradingDay:
    return TradingDay(
        date, utc_ms(f"{date}T{opens}"), utc_ms(f"{date}T{closes}"), early_close=early_close
    )


# Thanksgiving 2026 and its weekend, in winter time: New York is five hours behind.
WEDNESDAY = day("2026-11-25", "14:30", "21:00")
FRIDAY = day("2026-11-27", "14:30", "18:00", early_close=True)
MONDAY = day("2026-11-30", "14:30", "21:00")
DAYS = [WEDNESDAY, FRIDAY, MONDAY]


def at(text: str, days: list[TradingDay] = DAYS) -> Session:
    return session_at(utc_ms(text), days, "XNYS")


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-11-25T08:59:59", "closed"),
        ("2026-11-25T09:00:00", "pre"),
        ("2026-11-25T14:29:59", "pre"),
        ("2026-11-25T14:30:00", "regular"),
        ("2026-11-25T20:59:59", "regular"),
        ("2026-11-25T21:00:00", "post"),
        ("2026-11-26T00:59:59", "post"),
        ("2026-11-26T01:00:00", "closed"),
    ],
)
def test_a_full_day_changes_its_state_at_four_moments(moment: str, state: str) -> None:
    assert at(moment).state == state


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-11-27T09:00:00", "pre"),
        ("2026-11-27T17:59:59", "regular"),
        ("2026-11-27T18:00:00", "post"),
        ("2026-11-27T21:59:59", "post"),
        ("2026-11-27T22:00:00", "closed"),
    ],
)
def test_after_an_early_close_the_late_session_ends_at_five(moment: str, state: str) -> None:
    assert at(moment).state == state


def test_the_last_millisecond_before_a_boundary_is_on_its_side() -> None:
    before = session_at(WEDNESDAY.opens_ms - 1, DAYS, "XNYS")
    assert (before.state, before.next_open_ms) == ("pre", WEDNESDAY.opens_ms)
    assert session_at(WEDNESDAY.closes_ms - 1, DAYS, "XNYS").state == "regular"


def test_a_session_tells_its_hours_and_the_next_open() -> None:
    assert at("2026-11-27T15:00") == Session(
        calendar="XNYS",
        date="2026-11-27",
        state="regular",
        opens_ms=1_795_789_800_000,
        closes_ms=1_795_802_400_000,
        next_open_ms=1_796_049_000_000,
        early_close=True,
        known=True,
    )


@pytest.mark.parametrize(
    ("moment", "date", "opens_next"),
    [
        ("2026-11-26T15:00", "2026-11-26", FRIDAY),
        ("2026-11-28T15:00", "2026-11-28", MONDAY),
        ("2026-11-30T04:59:59", "2026-11-29", MONDAY),
        ("2026-11-30T05:00:00", "2026-11-30", MONDAY),
    ],
)
def test_a_day_off_has_no_hours_but_a_next_open(
    moment: str, date: str, opens_next: TradingDay
) -> None:
    found = at(moment)
    assert (found.date, found.state) == (date, "closed")
    assert found.next_open_ms == opens_next.opens_ms
    assert (found.opens_ms is None, found.early_close) == (date != "2026-11-30", False)


def test_the_evening_in_new_york_belongs_to_its_own_date() -> None:
    found = at("2026-11-26T00:30")
    assert (found.date, found.opens_ms) == ("2026-11-25", WEDNESDAY.opens_ms)


def test_at_the_open_the_next_open_is_that_of_the_day_after() -> None:
    assert at("2026-11-25T14:30").next_open_ms == FRIDAY.opens_ms


def test_without_days_the_market_is_closed_and_nothing_is_known() -> None:
    assert at("2026-11-25T15:00", []) == Session(
        "XNYS", "2026-11-25", "closed", None, None, None, early_close=False, known=False
    )


def test_after_the_last_day_there_is_no_next_open() -> None:
    found = at("2026-11-30T15:00")
    assert (found.state, found.next_open_ms, found.known) == ("regular", None, True)


@pytest.mark.parametrize(
    ("moment", "known"),
    [
        ("2026-11-25T15:00", True),
        ("2026-11-26T15:00", True),
        ("2026-11-27T15:00", False),
        ("2026-11-28T15:00", False),
        ("2026-11-30T15:00", False),
    ],
)
def test_a_session_that_rests_on_a_guess_is_not_known(moment: str, known: bool) -> None:
    assert at(moment, [WEDNESDAY, FRIDAY, replace(MONDAY, known=False)]).known is known


def test_a_session_that_began_on_the_evening_before_is_regular() -> None:
    tokyo = TradingDay(
        "2026-11-25", utc_ms("2026-11-25T00:00"), utc_ms("2026-11-25T06:30"), early_close=False
    )
    found = at("2026-11-25T01:00", [tokyo])
    assert (found.date, found.state, found.closes_ms) == ("2026-11-24", "regular", tokyo.closes_ms)


def test_a_session_that_opens_before_four_has_no_early_session() -> None:
    london = day("2026-11-25", "08:00", "16:30")
    states = [at(f"2026-11-25T{clock}", [london]).state for clock in ("07:59", "08:00", "16:30")]
    assert states == ["closed", "regular", "post"]


# Clocks went forward on 8 March and go back on 1 November: each of these spans such a Sunday.
FORWARD = [
    *(day(f"2026-03-0{n}", "14:30", "21:00") for n in (2, 3, 4, 5, 6)),
    *(day(f"2026-03-{n:02}", "13:30", "20:00") for n in (9, 10, 11, 12, 13)),
]
BACK = [
    *(day(f"2026-10-{n}", "13:30", "20:00") for n in (26, 27, 28, 29, 30)),
    *(day(f"2026-11-0{n}", "14:30", "21:00") for n in (2, 3, 4, 5, 6)),
]


def hours_of(days: list[TradingDay], before: str, after: str) -> list[tuple[int, str]]:
    """When the state changes to what: 04:00 before that of `before`, then the New York clock."""
    changes = []
    for one in days:
        # In UTC: 04:00 and 20:00 New York are 09:00 and 01:00 in winter, 08:00 and 00:00 in summer.
        winter = one.opens_ms % 86_400_000 == utc_ms("1970-01-01T14:30")
        pre = utc_ms(f"{one.date}T{'09:00' if winter else '08:00'}")
        changes += [
            (pre, before),
            (one.opens_ms, "regular"),
            (one.closes_ms, after),
            (pre + 16 * 60 * MINUTE_MS, "closed"),
        ]
    return changes


@pytest.mark.parametrize("days", [FORWARD, BACK])
def test_over_two_weeks_the_state_changes_at_the_known_boundaries_alone(
    days: list[TradingDay],
) -> None:
    first = utc_ms(f"{days[0].date}T05:00")
    minutes = range(first, first + 14 * 24 * 60 * MINUTE_MS, MINUTE_MS)
    states = [(now_ms, session_at(now_ms, days, "XNYS").state) for now_ms in minutes]
    assert {state for _, state in states} == {"pre", "regular", "post", "closed"}
    changes = [later for earlier, later in pairwise(states) if earlier[1] != later[1]]
    assert changes == hours_of(days, "pre", "post")


@given(st.integers(0, 14 * 24 * 60 * 60_000), st.permutations(BACK))
def test_the_order_of_the_days_does_not_matter(offset_ms: int, days: list[TradingDay]) -> None:
    now_ms = utc_ms("2026-10-26T00:00") + offset_ms
    found = session_at(now_ms, days, "XNYS")
    assert found == session_at(now_ms, BACK, "XNYS")
    assert found.next_open_ms is None or found.next_open_ms > now_ms
    inside = found.opens_ms is not None and found.closes_ms is not None
    assert inside or found.state == "closed"
