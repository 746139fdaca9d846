"""Bar times and values, as they may come."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from shared.errors import BadDocument
from shared.normalize.av_indicators import parse_indicator
from tests.unit.normalize.test_av_indicators import EST, NOW_MS, document, ms, read, request, row

NO_NUMBERS: tuple[Any, ...] = (
    "", "None", "-", ".", "NaN", "inf", "-Infinity", "1e999", "1_0", None, True, [], {}, math.nan,
    math.inf, -math.inf, 10**400, "9" * 400,
)  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_row_with_a_value_that_is_no_number_is_passed_over(value: Any) -> None:
    rows = {
        "2025-05-05 14:10": row("MACD") | {"MACD_Hist": value},
        "2025-05-05 14:05": row("MACD", "1.5"),
        "2025-05-05 14:00": row("MACD", 2),
    }
    found = read(rows, "MACD")
    assert [values["MACD_Hist"] for _, values in found.history] == [1.5, 2]
    assert (found.ts_ms, found.bad_values) == (ms(2025, 5, 5, 14, 5), 1)


@pytest.mark.parametrize("spoiled", [None, 7, "text", [], {}, {"MACD": "1", "MACD_Signal": "2"}])
def test_a_row_that_lacks_what_others_have_is_passed_over(spoiled: Any) -> None:
    rows = {"2025-05-05 14:10": spoiled, "2025-05-05 14:05": row("MACD")}
    found = read(rows, "MACD")
    assert (len(found.history), found.bad_values) == (1, 1)
    assert found.ts_ms == ms(2025, 5, 5, 14, 5)


def test_a_name_that_one_row_has_too_many_condemns_no_other() -> None:
    rows: dict[str, Any] = {f"2025-05-05 14:{n:02}": row() for n in range(20)}
    rows["2025-05-05 14:03"]["Strange"] = "7"
    assert (len(read(rows).history), read(rows).bad_values) == (20, 0)


@pytest.mark.parametrize("rows", [{"2025-05-05": {}}, {"text": row()}, {"2025-05-05": {"RSI": ""}}])
def test_an_answer_of_unusable_rows_is_refused(rows: Any) -> None:
    with pytest.raises(BadDocument, match="RSI of SPY rows usable were 0 of 1, must be at least 1"):
        read(rows)


def test_bad_rows_do_not_shorten_the_history() -> None:
    rows = {
        f"2025-05-05 {n // 60:02}:{n % 60:02}": row(value="None" if n % 2 else "1")
        for n in range(600)
    }
    found = read(rows)
    assert len(found.history) == 100
    # The newest is odd, so each of the hundred stands behind a bad one.
    assert found.bad_values == 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-05-05 14:10", ms(2025, 5, 5, 14, 10)),
        ("2025-05-05 14:10:00", ms(2025, 5, 5, 14, 10)),
        ("2025-05-05 12:19:53", ms(2025, 5, 5, 12, 19, 53)),
        ("2025-05-05", ms(2025, 5, 5)),
        ("2025-01-06 14:10", ms(2025, 1, 6, 14, 10, zone=EST)),
        ("2025-01-06", ms(2025, 1, 6, zone=EST)),
    ],
)
def test_a_bar_time_comes_in_three_spellings(text: str, expected: int) -> None:
    assert read({text: row()}).ts_ms == expected


@pytest.mark.parametrize("zone", ["US/Eastern", "US/Eastern Time", "America/New_York"])
@pytest.mark.parametrize(
    ("text", "utc_ms"),
    [
        # Clocks go from 02:00 to 03:00 on 2025-03-09, at 07:00 UTC = 1741503600.
        ("2025-03-09 01:59", 1_741_503_540_000),
        ("2025-03-09 03:00", 1_741_503_600_000),
        ("2025-03-08", 1_741_410_000_000),
        ("2025-03-10", 1_741_579_200_000),
        # Clocks go from 02:00 back to 01:00 on 2024-11-03, at 06:00 UTC = 1730613600.
        ("2024-11-03 00:59", 1_730_609_940_000),
        ("2024-11-03 01:00", 1_730_610_000_000),
        ("2024-11-03 01:30", 1_730_611_800_000),
        ("2024-11-03 02:00", 1_730_617_200_000),
    ],
)
def test_bar_times_follow_the_clocks_of_new_york(zone: str, text: str, utc_ms: int) -> None:
    found = read({text: row()}, Time_Zone=zone)
    assert (found.ts_ms, found.time_zone) == (utc_ms, "America/New_York")


def test_a_zone_without_changes_is_taken_as_it_is() -> None:
    found = read({"2025-03-09 02:30": row()}, Time_Zone="UTC")
    assert (found.ts_ms, found.time_zone) == (1_741_487_400_000, "UTC")


@pytest.mark.parametrize(
    "text",
    [
        "", "text", "2025-05-05T14:10", "2025-05-05 14", "2025-13-05", "2025-02-30 10:00",
        "2025-05-05 24:00", "2025-05-05 14:10:60", "20250505", "2025-05-05 14:10+01:00",
        "0000-01-01", "２０２５-05-05", "2025-03-09 02:30",
    ],
)  # fmt: skip
def test_what_is_no_bar_time_is_passed_over(text: str) -> None:
    found = read({text: row(), "2025-01-06 10:00": row(value="1")})
    assert (found.values, found.bad_values) == ({"RSI": 1}, 1)


def test_one_time_in_two_spellings_is_one_bar() -> None:
    rows = {"2025-05-05": row(value="1"), "2025-05-05 00:00": row(value="2")}
    found = read(rows | {"2025-05-05 00:00:00": row(value="3")})
    assert (found.history, found.bad_values) == ([(ms(2025, 5, 5), {"RSI": 3})], 2)


@pytest.mark.parametrize("text", ["2025-05-07 15:00", "2025-05-08", "2099-01-01", "9999-12-31"])
def test_a_bar_more_than_two_days_ahead_is_refused(text: str) -> None:
    with pytest.raises(BadDocument, match=f"must be at most {NOW_MS + 172_800_000}"):
        read({"2025-05-05 14:10": row(), text: row()})


@pytest.mark.parametrize("text", ["2025-05-07 14:33", "2025-05-06", "1999-01-01", "0001-01-01"])
def test_a_bar_of_any_other_time_is_taken(text: str) -> None:
    assert len(read({text: row()}).history) == 1


def test_numbers_python_wrote_cost_their_row_alone() -> None:
    found = document({"2025-05-05 14:10": row(value=-math.inf), "2025-05-05 14:05": row(value=1)})
    reading = parse_indicator(json.dumps(found).encode(), request(), NOW_MS)
    assert (reading.values, reading.bad_values) == ({"RSI": 1}, 1)
