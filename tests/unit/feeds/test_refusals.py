"""Every recorded body, and what it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import BadDocument
from shared.feeds.alphavantage.refusals import check_says_empty, classify
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

# By file: kind, and whether the text can mean nothing longer than that.
CLASSES = {
    "detail_accept_406.json": ("unknown", True),
    "empty_object.json": ("empty", True),
    "err_apikey.json": ("bad_request", True),
    "err_invalid_call_rsi.json": ("bad_request", True),
    "err_no_function.json": ("bad_request", True),
    "heroku_503.html": ("transport", True),
    "info_burst_20.json": ("burst", True),
    "info_burst_5.json": ("burst", True),
    "info_contact_premium.json": ("daily", False),
    "info_daily25_nokey.json": ("daily", True),
    "info_daily25_withkey.json": ("daily", True),
    "info_demo_key.json": ("entitlement", True),
    "info_free_1ps_2026.json": ("burst", False),
    "info_minute_premium.json": ("minute", True),
    "info_news_invalid_inputs.json": ("bad_request", True),
    "info_news_no_articles.json": ("empty", True),
    "info_not_entitled_delayed.json": ("entitlement", True),
    "info_premium_endpoint.json": ("entitlement", True),
    "note_5pm_500pd.json": ("minute", False),
    "note_daily25_withkey.json": ("daily", True),
    "opt_no_data_day.json": ("empty", True),
}
WANTED = ("data", "feed", "Technical Analysis")


def recorded(name: str) -> bytes:
    return (RECORDINGS / "errors" / name).read_bytes()


def said(body: bytes) -> str:
    document = json.loads(body)
    names = ("Error Message", "Note", "Information", "message", "detail")
    return next((document[name] for name in names if name in document), "an empty object")


def information(text: Any, name: str = "Information", **more: Any) -> bytes:
    return json.dumps({name: text, **more}, indent=4).encode()


@needs_vendor_recordings
def test_every_recorded_body_is_in_the_table() -> None:
    assert sorted(CLASSES) == sorted(path.name for path in (RECORDINGS / "errors").iterdir())


@needs_vendor_recordings
@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_recorded_body_is_of_its_class_whatever_was_asked_for(name: str, wanted: str) -> None:
    found = classify(200, recorded(name), wanted)
    assert (found.kind, found.certain) == CLASSES[name]


@needs_vendor_recordings
@pytest.mark.parametrize("name", sorted(name for name in CLASSES if name.endswith(".json")))
def test_the_text_is_what_the_vendor_said(name: str) -> None:
    body = recorded(name)
    assert classify(200, body, "data").text == said(body)[:300]


@needs_vendor_recordings
@pytest.mark.parametrize("status", [503, 200, 403])
def test_a_page_of_the_vendors_router_is_a_transport_fault(status: int) -> None:
    assert classify(status, recorded("heroku_503.html"), "data").kind == "transport"


@needs_vendor_recordings
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("HISTORICAL_OPTIONS_IBM_20171115.json", "data"),
        ("NEWS_SENTIMENT_AAPL.json", "feed"),
        ("RSI_5min.json", "Technical Analysis"),
        ("MACD_5min.json", "Technical Analysis"),
        ("BBANDS_5min.json", "Technical Analysis"),
        ("ATR_5min.json", "Technical Analysis"),
    ],
)
def test_a_recorded_document_is_data(name: str, wanted: str) -> None:
    found = classify(200, (RECORDINGS / name).read_bytes(), wanted)
    assert (found.kind, found.text, found.certain) == ("data", "", True)


@needs_vendor_recordings
def test_the_artificial_chain_is_no_data() -> None:
    body = (RECORDINGS / "REALTIME_OPTIONS_artificial.json").read_bytes()
    found = classify(200, body, "data")
    assert (found.kind, found.certain) == ("entitlement", True)
    assert found.text.startswith("This is a premium endpoint.")
    assert len(found.text) == 300


@pytest.mark.parametrize("name", ["Information", "Note", "message", "detail"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("query no more than 10 requests per second", "burst"),
        ("BURST PATTERN detected", "burst"),
        ("Minute-level rate limit exceed.", "minute"),
        ("75 requests per minute premium plan", "minute"),
        ("rate limit is 25 requests per day", "daily"),
        ("This is a premium endpoint", "entitlement"),
        ("not yet entitled to index data access", "entitlement"),
        ("No data for symbol IWM on date 2025-01-09.", "empty"),
        ("Invalid inputs.", "bad_request"),
        ("Something new", "unknown"),
    ],
)
def test_a_text_means_the_same_under_any_name(name: str, text: str, kind: str) -> None:
    assert classify(200, information(text, name), "data").kind == kind


def test_a_rate_text_that_mentions_premium_is_a_rate_text() -> None:
    text = "requests per day. Subscribe to unlock all premium endpoints. This is a premium endpoint"
    assert classify(200, information(text), "data").kind == "daily"


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        ({"endpoint": "x", "message": "success", "data": []}, "data"),
        ({"items": "0", "feed": []}, "feed"),
        ({"Meta Data": {}, "Technical Analysis: RSI": {}}, "Technical Analysis"),
        ({"Note": "A word beside the data", "data": []}, "data"),
        ({"Note": 7, "data": []}, "data"),
    ],
)
def test_what_was_asked_for_is_data(document: dict[str, Any], wanted: str) -> None:
    assert classify(200, json.dumps(document).encode(), wanted).kind == "data"


def test_an_answer_without_what_was_asked_for_is_unknown() -> None:
    found = classify(200, b'{"feed": []}', "data")
    assert (found.kind, found.text) == ("unknown", "neither data nor a text")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"text"', b"7", b"{", b'{"data": [', b"<html>", b"\xff\xfe"]
)
def test_what_is_no_json_object_is_a_transport_fault(body: bytes) -> None:
    assert classify(200, body, "data").kind == "transport"


@pytest.mark.parametrize("status", [301, 302, 307, 500, 502, 503, 504, 522])
def test_a_redirect_or_a_server_fault_is_a_transport_fault_whatever_its_body(status: int) -> None:
    found = classify(status, b'{"data": []}', "data")
    assert (found.kind, found.text) == ("transport", f"http {status}")


def test_a_status_429_may_mean_any_limit() -> None:
    found = classify(429, b"error code: 1015", "data")
    assert (found.kind, found.text, found.certain) == ("burst", "http 429", False)


def test_a_long_answer_is_left_to_its_reader() -> None:
    body = b'{"Note": "per day"}'
    assert classify(200, body.ljust(65_536), "data").kind == "daily"
    assert classify(200, body.ljust(65_537), "data").kind == "data"
    assert classify(406, body.ljust(65_537), "data").kind == "daily"


def test_only_a_text_says_that_there_is_nothing() -> None:
    check_says_empty(classify(200, information("No articles found."), "feed").text)
    with pytest.raises(BadDocument, match="body: was an empty object"):
        check_says_empty(classify(200, b"{ }", "feed").text)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Information": "caf\xe9"}',
        b'{"\xff": 1}',
        b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)
def test_bytes_that_are_no_text_end_in_a_class_too(body: bytes) -> None:
    assert classify(200, body, "data").kind in ("transport", "unknown")
