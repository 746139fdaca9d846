from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from simulators.alphavantage.body import pretty
from simulators.alphavantage.indicators import IndicatorQuery, bar_times, indicator_document
from simulators.errors import WireError
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

# Eastern wall time: 15 minutes earlier is what the recordings were refreshed at.
NOW = datetime.datetime(2025, 5, 5, 14, 27, 31)
QUERIES = {
    "RSI": {"time_period": "14", "series_type": "close"},
    "MACD": {"series_type": "close"},
    "BBANDS": {"time_period": "20", "series_type": "close"},
    "ATR": {"time_period": "14"},
}


def document(function: str, rows: int = 2, **more: str) -> dict[str, Any]:
    asked = {"function": function, "symbol": "duol", "interval": "5min", **QUERIES[function]}
    query = IndicatorQuery.parse({**asked, **more})
    realtime = more.get("entitlement") == "realtime"
    return indicator_document(query, bar_times(query, NOW, realtime, rows), seed=7)


@needs_vendor_recordings
@pytest.mark.parametrize("function", QUERIES)
def test_all_but_the_values_is_as_recorded(function: str) -> None:
    recorded = json.loads((RECORDINGS / f"{function}_5min.json").read_bytes())
    made = document(function, entitlement="delayed")
    assert pretty(made["Meta Data"]) == pretty(recorded["Meta Data"])
    assert list(made) == list(recorded)
    name = f"Technical Analysis: {function}"
    assert list(made[name]) == list(recorded[name])
    for time, row in recorded[name].items():
        assert list(made[name][time]) == list(row)
        assert all(len(value.partition(".")[2]) == 4 for value in made[name][time].values())


def test_without_delay_the_name_has_no_suffix() -> None:
    assert document("ATR")["Meta Data"]["2: Indicator"] == "Average True Range (ATR)"


@pytest.mark.parametrize(
    ("more", "newest"),
    [({}, "2025-05-04 16:00"), ({"entitlement": "realtime"}, "2025-05-05 14:25"),
     ({"entitlement": "delayed"}, "2025-05-05 14:10"), ({"interval": "daily"}, "2025-05-05")],
)  # fmt: skip
def test_the_newest_row_depends_on_the_entitlement(more: dict[str, str], newest: str) -> None:
    assert next(iter(document("RSI", 2, **more)["Technical Analysis: RSI"])) == newest


def test_there_are_so_many_rows_newest_first() -> None:
    times = list(document("ATR", rows=100)["Technical Analysis: ATR"])
    assert times == sorted(times, reverse=True)
    assert len(times) == 100


def test_the_parameters_are_in_the_meta_data() -> None:
    meta = document("MACD", fastperiod="5", slowperiod="10", signalperiod="3")["Meta Data"]
    assert [meta[f"5.{n}: {name} Period"] for n, name in
            ((1, "Fast"), (2, "Slow"), (3, "Signal"))] == [5, 10, 3]  # fmt: skip
    meta = document("BBANDS", nbdevup="3", nbdevdn="1", matype="8")["Meta Data"]
    assert [meta[name] for name in list(meta)[5:8]] == [3, 1, 8]


def test_bands_stand_in_order_and_the_histogram_is_the_difference() -> None:
    for row in document("BBANDS", rows=50)["Technical Analysis: BBANDS"].values():
        upper, middle, lower = map(float, row.values())
        assert lower < middle < upper
    for row in document("MACD", rows=50)["Technical Analysis: MACD"].values():
        macd, signal, histogram = map(float, row.values())
        assert round(macd - signal, 4) == histogram


def test_a_bar_keeps_its_values() -> None:
    rows = document("RSI", rows=50, entitlement="delayed")["Technical Analysis: RSI"]
    later = document("RSI", rows=50, entitlement="realtime")["Technical Analysis: RSI"]
    assert rows["2025-05-05 14:10"] == later["2025-05-05 14:10"]
    assert all(0 <= float(row["RSI"]) <= 100 for row in rows.values())


@pytest.mark.parametrize(
    ("function", "missing"),
    [("RSI", "time_period"), ("RSI", "series_type"), ("RSI", "interval"), ("RSI", "symbol"),
     ("MACD", "series_type"), ("BBANDS", "time_period"), ("ATR", "time_period")],
)  # fmt: skip
def test_a_missing_parameter_is_an_error(function: str, missing: str) -> None:
    query = {"function": function, "symbol": "SPY", "interval": "5min", **QUERIES[function]}
    del query[missing]
    with pytest.raises(WireError, match=missing):
        IndicatorQuery.parse(query)


@pytest.mark.parametrize(
    ("name", "value"),
    [("interval", "2min"), ("time_period", "0"), ("time_period", "x"), ("series_type", "last")],
)
def test_a_wrong_parameter_is_an_error(name: str, value: str) -> None:
    with pytest.raises(WireError, match=f"{name} must be"):
        document("RSI", 2, **{name: value})
