from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from shared.errors import BadDocument
from shared.market.indicator import IndicatorReading
from shared.normalize.av_indicators import IndicatorRequest, parse_indicator

NOW_MS = 1_746_470_000_000  # 2025-05-05 18:33:20 UTC
EDT, EST = timezone(timedelta(hours=-4)), timezone(timedelta(hours=-5))
NAMES = {
    "RSI": ("RSI",),
    "MACD": ("MACD", "MACD_Signal", "MACD_Hist"),
    "BBANDS": ("Real Upper Band", "Real Middle Band", "Real Lower Band"),
    "ATR": ("ATR",),
}


def request(indicator: str = "RSI", **names: Any) -> IndicatorRequest:
    asked: dict[str, Any] = {
        "symbol": "SPY",
        "vendor_symbol": "SPY",
        "indicator": indicator,
        "interval": "5min",
        "params": {"time_period": 14, "series_type": "close"},
    }
    return IndicatorRequest(**asked | names)


def row(indicator: str = "RSI", value: Any = "48.1963") -> dict[str, Any]:
    return dict.fromkeys(NAMES[indicator], value)


def document(rows: Any, indicator: str = "RSI", **meta: Any) -> dict[str, Any]:
    described = {
        "1: Symbol": "SPY",
        "2: Indicator": f"Some Name ({indicator})",
        "3: Last Refreshed": "2025-05-05 14:10:00",
        "4: Interval": "5min",
        "5: Time Period": 14,
        "6: Series Type": "close",
        "7: Time Zone": "US/Eastern Time",
    }
    for name, value in meta.items():
        (key,) = [key for key in described if key.endswith(name.replace("_", " "))]
        described[key] = value
    return {"Meta Data": described, f"Technical Analysis: {indicator}": rows}


def parsed(found: Any, asked: IndicatorRequest | None = None) -> IndicatorReading:
    return parse_indicator(json.dumps(found, indent=4).encode(), asked or request(), NOW_MS)


def read(rows: Any, indicator: str = "RSI", **meta: Any) -> IndicatorReading:
    return parsed(document(rows, indicator, **meta), request(indicator))


def ms(year: int, month: int, day: int, *clock: int, zone: timezone = EDT) -> int:
    """Unix ms of a date with as much of hours, minutes and seconds as there is."""
    wall = datetime(year, month, day, tzinfo=zone).timestamp()
    return int(wall + sum(n * s for n, s in zip(clock, (3600, 60, 1), strict=False))) * 1000


def test_a_reading_says_what_was_asked_and_what_was_found() -> None:
    rows = {"2025-05-05 14:10": {"RSI": "48.1963"}, "2025-05-05 14:05": {"RSI": "-47.7223"}}
    assert read(rows) == IndicatorReading(
        symbol="SPY",
        indicator="RSI",
        interval="5min",
        params={"time_period": 14, "series_type": "close"},
        ts_ms=ms(2025, 5, 5, 14, 10),
        time_zone="America/New_York",
        fetched_ms=NOW_MS,
        values={"RSI": 48.1963},
        history=[
            (ms(2025, 5, 5, 14, 10), {"RSI": 48.1963}),
            (ms(2025, 5, 5, 14, 5), {"RSI": -47.7223}),
        ],
        delayed=False,
        bad_values=0,
    )


def test_the_newest_row_is_first_wherever_it_stands() -> None:
    rows = {
        f"2025-05-05 {text}": {"RSI": value}
        for text, value in (("09:35", "1"), ("14:10", "2"), ("10:00", "3"))
    }
    found = read(rows)
    assert found.values == {"RSI": 2}
    assert [values["RSI"] for _, values in found.history] == [2, 3, 1]


def test_values_are_read_by_name_in_any_order() -> None:
    found = read(
        {
            "2025-05-05 14:10": {"MACD_Signal": "2", "MACD": "1", "MACD_Hist": "-1"},
            "2025-05-05 14:05": {"MACD_Hist": 3, "MACD": 1, "MACD_Signal": 2.5},
        },
        "MACD",
    )
    assert found.values == {"MACD": 1, "MACD_Signal": 2, "MACD_Hist": -1}
    assert found.history[1][1] == {"MACD": 1, "MACD_Signal": 2.5, "MACD_Hist": 3}


def test_history_is_the_newest_hundred_of_many_years() -> None:
    day = datetime(2025, 5, 5)
    days = [str((day - timedelta(days=n)).date()) for n in range(6642)]
    found = read({text: {"RSI": str(n)} for n, text in enumerate(days)})
    assert [values["RSI"] for _, values in found.history] == list(range(100))
    assert found.ts_ms == found.history[0][0] == ms(2025, 5, 5)


@pytest.mark.parametrize("where", ["indicator", "title", "neither"])
def test_data_the_vendor_calls_delayed_is_marked(where: str) -> None:
    note = " - DATA DELAYED BY 15 MINUTES"
    found = document({"2025-05-05 14:10": row()})
    if where == "indicator":
        found["Meta Data"]["2: Indicator"] += note
    elif where == "title":
        found[f"Technical Analysis: RSI{note}"] = found.pop("Technical Analysis: RSI")
    assert parsed(found).delayed is (where != "neither")


def test_numbers_before_the_names_do_not_matter() -> None:
    found = document({"2025-05-05 14:10": row()})
    meta = found["Meta Data"]
    found["Meta Data"] = {f"9.{n}. {key[3:]}": meta[key] for n, key in enumerate(reversed(meta))}
    assert parsed(found).values == {"RSI": 48.1963}


@pytest.mark.parametrize(
    ("symbol", "vendor_symbol", "echo"),
    [("SPY", "SPY", "spy"), ("spy", "spy", "SPY"), ("BRK.B", "BRK-B", "brk-b")],
)
def test_the_echo_of_the_symbol_is_compared_without_case(
    symbol: str, vendor_symbol: str, echo: str
) -> None:
    found = document({"2025-05-05 14:10": row()}, Symbol=echo)
    asked = request(symbol=symbol, vendor_symbol=vendor_symbol)
    assert parsed(found, asked).symbol == symbol


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({"Symbol": "QQQ"}, "RSI of SPY Symbol was 'QQQ', must be 'SPY'"),
        ({"Symbol": None}, "Symbol was NoneType, must be a text"),
        ({"Interval": "15min"}, "Interval was '15min', must be '5min'"),
        ({"Interval": 5}, "Interval was int, must be a text"),
        ({"Indicator": "Average True Range (ATR)"}, r"must be one that names \(RSI\)"),
        ({"Indicator": "RSI"}, r"Indicator was 'RSI', must be one that names \(RSI\)"),
        ({"Indicator": {}}, "Indicator was dict, must be a text"),
        ({"Time_Zone": "Asia/Tokyo"}, "Time Zone was 'Asia/Tokyo', must be one of US/Eastern"),
        ({"Time_Zone": ""}, "Time Zone was '', must be one of"),
        ({"Time_Zone": "../../etc/passwd"}, "Time Zone"),
        ({"Time_Zone": 7}, "Time Zone was int"),
    ],
)
def test_an_answer_to_another_question_is_refused(meta: dict[str, Any], text: str) -> None:
    with pytest.raises(BadDocument, match=text):
        read({"2025-05-05 14:10": row()}, **meta)


@pytest.mark.parametrize("name", ["1: Symbol", "2: Indicator", "4: Interval", "7: Time Zone"])
def test_an_answer_that_does_not_say_what_it_is_is_refused(name: str) -> None:
    found = document({"2025-05-05 14:10": row()})
    del found["Meta Data"][name]
    with pytest.raises(BadDocument, match=f"{name[3:]} was NoneType, must be a text"):
        parsed(found)


def test_rows_of_another_indicator_are_refused() -> None:
    found = document({"2025-05-05 14:10": row()})
    found["Technical Analysis: MACD"] = found.pop("Technical Analysis: RSI")
    with pytest.raises(BadDocument, match="Technical Analysis: RSI of SPY was missing"):
        parsed(found)


def test_an_answer_without_rows_is_refused() -> None:
    with pytest.raises(BadDocument, match="no rows"):
        read({})


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html></html>",
        b'{"Meta Data": 7}',
        b'{"Meta Data": {}, "Technical Analysis: RSI": []}',
        b'{"Meta Data": {}, "Technical Analysis: RSI": null}',
        b'{"Meta Data": {"a": "\xff"}, "Technical Analysis: RSI": {}}',
        b'{"Technical Analysis: RSI": {"2025-05-05": {"RSI": "1"}}}',
        b"[" * 100_000,
        b'{"Meta Data": ' + b"[" * 100_000,
    ],
)
def test_a_body_of_another_shape_is_refused(payload: bytes) -> None:
    with pytest.raises(BadDocument, match="SPY"):
        parse_indicator(payload, request(), NOW_MS)
