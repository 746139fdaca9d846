from __future__ import annotations

from pathlib import Path

import pytest

from simulators.alphavantage.samples import Samples
from simulators.errors import OptionError
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings
from tests.unit.simulators.test_av_service import RSI, respond, vendor_of


@needs_vendor_recordings
@pytest.mark.parametrize(
    ("query", "file"),
    [
        ({"function": "HISTORICAL_OPTIONS", "symbol": "IBM"},
         "HISTORICAL_OPTIONS_IBM_20171115.json"),
        ({"function": "HISTORICAL_OPTIONS", "symbol": "ibm", "date": "2017-11-15"},
         "HISTORICAL_OPTIONS_IBM_20171115.json"),
        ({"function": "REALTIME_OPTIONS", "symbol": "QQQ"}, "REALTIME_OPTIONS_artificial.json"),
        ({"function": "NEWS_SENTIMENT", "symbol": "", "tickers": "AAPL"},
         "NEWS_SENTIMENT_AAPL.json"),
        ({**RSI, "symbol": "DUOL"}, "RSI_5min.json"),
        ({**RSI, "symbol": "duol", "function": "MACD"}, "MACD_5min.json"),
    ],
)  # fmt: skip
def test_samples_are_served_byte_for_byte(query: dict[str, str], file: str) -> None:
    reply = respond(vendor_of(samples=RECORDINGS), **query)
    assert reply.body.plain() == (RECORDINGS / file).read_bytes()


@needs_vendor_recordings
@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ({"function": "HISTORICAL_OPTIONS", "symbol": "SPY"}, "opt_no_data_day"),
        ({"function": "HISTORICAL_OPTIONS", "date": "2017-11-16"}, "opt_no_data_day"),
        ({"function": "HISTORICAL_OPTIONS", "symbol": "*"}, "opt_no_data_day"),
        ({"function": "NEWS_SENTIMENT", "symbol": "", "tickers": "SPY"}, "info_news_no_articles"),
        ({**RSI, "symbol": "SPY"}, "empty_object"),
    ],
)
def test_a_symbol_without_a_sample_has_no_data(query: dict[str, str], outcome: str) -> None:
    assert respond(vendor_of(samples=RECORDINGS), **query).outcome == outcome


@needs_vendor_recordings
def test_a_sample_chain_is_kept_as_what_was_sent() -> None:
    vendor = vendor_of(samples=RECORDINGS)
    respond(vendor, "HISTORICAL_OPTIONS")
    sent = vendor.payloads.chains["HISTORICAL_OPTIONS", "IBM"].snapshot(False, None)
    assert (sent["contracts"], sent["date"], sent["greeks"]) == (998, "2017-11-15", True)


def test_a_samples_file_must_be_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.json").write_text("{}")
    with pytest.raises(OptionError, match=r"file must be one of the samples directory, was '\.\."):
        Samples(tmp_path / "in").file("../out.json")
