"""The recorded indicators, against values read from them here; and whatever else may come."""

from __future__ import annotations

import calendar
import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadDocument
from shared.market.indicator import IndicatorReading
from shared.normalize.av_indicators import IndicatorRequest, parse_indicator
from tests.support.recordings import shared_data
from tests.unit.normalize.test_av_indicators import NAMES, NOW_MS, document, request, row

DIRECTORY = shared_data() / "alphavantage"
needs_recordings = pytest.mark.skipif(
    not (DIRECTORY / "RSI_5min.json").exists(), reason="no recorded indicators"
)
# New York was four hours behind UTC on the day of the recordings.
EDT_S = 4 * 3600


def body(indicator: str) -> bytes:
    return (DIRECTORY / f"{indicator}_5min.json").read_bytes()


def asked(indicator: str, **names: Any) -> IndicatorRequest:
    return request(indicator, **({"symbol": "DUOL", "vendor_symbol": "DUOL"} | names))


@needs_recordings
@pytest.mark.parametrize("indicator", NAMES)
def test_every_row_of_a_recording_is_read(indicator: str) -> None:
    rows = json.loads(body(indicator))[f"Technical Analysis: {indicator}"]
    found = parse_indicator(body(indicator), asked(indicator), NOW_MS)
    expected = [
        (
            (calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M")) + EDT_S) * 1000,
            {name: float(value) for name, value in rows[text].items()},
        )
        for text in sorted(rows, reverse=True)
    ]
    assert found.history == expected
    assert (found.ts_ms, found.values) == expected[0]
    assert len(expected) == 2
    assert set(found.values) == set(NAMES[indicator])


@needs_recordings
@pytest.mark.parametrize("indicator", NAMES)
def test_the_recordings_are_delayed_and_faultless(indicator: str) -> None:
    found = parse_indicator(body(indicator), asked(indicator), NOW_MS)
    assert (found.delayed, found.bad_values, found.time_zone) == (True, 0, "America/New_York")
    assert (found.symbol, found.indicator, found.interval) == ("DUOL", indicator, "5min")


@needs_recordings
@pytest.mark.parametrize("indicator", NAMES)
@pytest.mark.parametrize("names", [{"vendor_symbol": "SPY"}, {"interval": "daily"}])
def test_a_recording_is_no_answer_to_another_question(
    indicator: str, names: dict[str, Any]
) -> None:
    with pytest.raises(BadDocument):
        parse_indicator(body(indicator), asked(indicator, **names), NOW_MS)
    for other in set(NAMES) - {indicator}:
        with pytest.raises(BadDocument):
            parse_indicator(body(indicator), asked(other), NOW_MS)


@needs_recordings
def test_no_recorded_refusal_is_an_indicator_nor_is_its_text_repeated() -> None:
    for path in sorted((DIRECTORY / "errors").glob("*")):
        with pytest.raises(BadDocument) as caught:
            parse_indicator(path.read_bytes(), asked("RSI"), NOW_MS)
        # Some echo the API key.
        assert "detected" not in str(caught.value)
        assert "Thank" not in str(caught.value)


TEXTS = st.text(st.characters(codec=None), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat(" ", "minutes")) | TEXTS
ROWS = st.dictionaries(MOMENTS, JSON | st.fixed_dictionaries({"RSI": JSON}), max_size=4)


def read_or_refused(payload: bytes) -> IndicatorReading | None:
    try:
        found = parse_indicator(payload, request(), NOW_MS)
    except BadDocument as error:
        assert str(error)
        return None
    assert found.symbol == request().symbol
    return found


@given(JSON)
@settings(deadline=None)
def test_no_json_at_all_raises_anything_else(found: Any) -> None:
    read_or_refused(json.dumps(found).encode())
    read_or_refused(json.dumps({"Meta Data": found, "Technical Analysis: RSI": found}).encode())
    read_or_refused(json.dumps(document(found)).encode())
    read_or_refused(json.dumps(document({"2025-05-05": row()}, Symbol=found)).encode())
    read_or_refused(json.dumps(document({"2025-05-05": row()}, Time_Zone=found)).encode())


@given(st.binary())
@settings(deadline=None)
def test_no_bytes_at_all_raise_anything_else(payload: bytes) -> None:
    whole = json.dumps(document({"2025-05-05": row()})).encode()
    read_or_refused(payload)
    read_or_refused(whole.replace(b"48.1963", payload))
    read_or_refused(whole.replace(b"2025-05-05", payload))
    read_or_refused(whole.replace(b"SPY", payload))


@given(ROWS)
@settings(deadline=None)
def test_each_row_is_read_or_passed_over(rows: dict[str, Any]) -> None:
    found = read_or_refused(json.dumps(document({"1990-01-02": row()} | rows)).encode())
    if found is None:
        return
    times = [ts for ts, _ in found.history]
    assert times == sorted(set(times), reverse=True)
    assert all(math.isfinite(v) for _, values in found.history for v in values.values())
    assert all("RSI" in values for _, values in found.history)
    assert (found.ts_ms, found.values) == found.history[0]
