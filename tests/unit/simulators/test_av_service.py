from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from simulators.alphavantage.http_wire import HttpRequest
from simulators.alphavantage.moment import Moment
from simulators.alphavantage.reply import Reply
from simulators.alphavantage.service import Vendor
from simulators.alphavantage.setup import Setup

# 2026-05-04 12:00 in New York.
NOON_S = datetime.datetime(2026, 5, 4, 16, 0, tzinfo=datetime.UTC).timestamp()
RSI = {"function": "RSI", "interval": "5min", "time_period": "14", "series_type": "close"}


def vendor_of(**fields: Any) -> Vendor:
    return Vendor(Setup(**{"contracts": 40, **fields}), NOON_S)


def respond(vendor: Vendor, function: str = "REALTIME_OPTIONS", **query: Any) -> Reply:
    at_s = float(query.pop("at_s", 0.0))
    asked = {"function": function, "symbol": "IBM", "apikey": "secret", **query}
    request = HttpRequest("GET", "/query", asked, {"x-client": "w1"})
    return vendor.respond(request, Moment(at_s, NOON_S + at_s))


def document(reply: Reply) -> Any:
    return json.loads(reply.body.plain())


@pytest.mark.parametrize(
    ("key", "outcome", "said"),
    [
        ("", "err_apikey", "the parameter apikey is invalid or missing."),
        ("demo", "info_demo_key", "The **demo** API key is for demo purposes only."),
        ("other", "info_daily25_withkey", "We have detected your API key as other and"),
    ],
)
def test_a_wrong_key_gets_the_vendors_text(key: str, outcome: str, said: str) -> None:
    reply = respond(vendor_of(keys=frozenset({"secret"})), apikey=key)
    assert (reply.outcome, reply.status) == (outcome, 200)
    assert str(next(iter(document(reply).values()))).startswith(said)


def test_any_key_is_good_when_none_is_named() -> None:
    assert respond(vendor_of(), apikey="whatever").outcome == "ok"


def test_a_burst_is_told_of_with_the_number_of_the_plan() -> None:
    vendor = vendor_of(plan="300")
    outcomes = [respond(vendor, at_s=0.01 * n).outcome for n in range(11)]
    assert outcomes == ["ok"] * 10 + ["burst"]
    assert "no more than 10 requests per second" in document(respond(vendor))["Information"]


def test_a_full_minute_is_told_of() -> None:
    vendor = vendor_of(per_minute=2)
    replies = [respond(vendor, at_s=float(n)) for n in range(3)]
    assert [reply.outcome for reply in replies] == ["ok", "ok", "minute"]
    assert document(replies[2])["Information"].startswith("Minute-level rate limit exceed.")


def test_the_free_plan_has_texts_of_its_own() -> None:
    vendor = vendor_of(plan="free")
    respond(vendor)
    burst = respond(vendor, at_s=0.5)
    assert burst.outcome == "burst"
    assert "(1 request per second)" in document(burst)["Information"]
    for n in range(1, 25):
        assert respond(vendor, at_s=2.0 * n).outcome == "ok"
    daily = respond(vendor, at_s=100.0)
    assert daily.outcome == "daily"
    assert document(daily)["Information"].startswith("We have detected your API key as secret")


def test_the_ledger_has_every_request_and_no_key() -> None:
    vendor = vendor_of(per_second=1)
    respond(vendor)
    respond(vendor, at_s=0.5)
    respond(vendor, at_s=0.6, apikey="")
    rows = list(vendor.ledger.since(0))
    assert [row[7] for row in rows] == ["ok", "burst", "err_apikey"]
    assert rows[0][3:7] == ("2bb80d53", "w1", "REALTIME_OPTIONS", "IBM")
    assert "secret" not in json.dumps([rows, vendor.ledger.snapshot()])


def test_greeks_are_there_when_they_are_required() -> None:
    vendor = vendor_of()
    assert len(document(respond(vendor, require_greeks="true"))["data"][0]) == 20
    assert len(document(respond(vendor))["data"][0]) == 14
    assert len(document(respond(vendor, "HISTORICAL_OPTIONS"))["data"][0]) == 20


def test_quotes_move_at_each_fetch_and_not_when_frozen() -> None:
    vendor = vendor_of(moving=0.5)
    bodies = [respond(vendor).body.plain() for _ in range(3)]
    assert len(set(bodies)) == 3
    vendor.frozen["IBM"] = NOON_S
    frozen = [respond(vendor, at_s=n * 600.0).body.plain() for n in range(3)]
    assert set(frozen) == {bodies[2]}
    vendor.frozen.clear()
    assert respond(vendor).body.plain() != bodies[2]


def test_a_frozen_symbol_has_no_newer_articles_and_bars() -> None:
    vendor = vendor_of()
    for function, query in (("NEWS_SENTIMENT", {"tickers": "IBM"}), ("RSI", RSI)):
        vendor.frozen["*"] = NOON_S
        first = respond(vendor, **{**query, "function": function, "entitlement": "realtime"})
        later = {**query, "function": function, "entitlement": "realtime"}
        assert respond(vendor, at_s=7200.0, **later).body.plain() == first.body.plain()
        vendor.frozen.clear()
        assert respond(vendor, at_s=7200.0, **later).body.plain() != first.body.plain()


def test_a_chain_may_be_asked_for_in_part() -> None:
    vendor = vendor_of(contracts=200, moving=0.0)
    rows = document(respond(vendor))["data"]
    last = rows[-1]
    part = document(respond(vendor, expiration=last["expiration"]))["data"]
    assert part == [row for row in rows if row["expiration"] == last["expiration"]]
    assert document(respond(vendor, contract=last["contractID"]))["data"] == [last]


def test_a_past_day_is_the_same_whenever_it_is_asked_for() -> None:
    vendor = vendor_of()
    first = respond(vendor, "HISTORICAL_OPTIONS", date="2025-09-03").body.plain()
    respond(vendor, "HISTORICAL_OPTIONS", date="2025-09-04")
    assert respond(vendor, "HISTORICAL_OPTIONS", date="2025-09-03").body.plain() == first
    assert respond(vendor_of(), "HISTORICAL_OPTIONS", date="2025-09-03").body.plain() == first
    row = json.loads(first)["data"][0]
    assert (row["date"], row["expiration"]) == ("2025-09-03", "2025-09-05")


def test_without_a_date_it_is_the_session_before() -> None:
    # The 4th is a Monday.
    assert document(respond(vendor_of(), "HISTORICAL_OPTIONS"))["data"][0]["date"] == "2026-05-01"


@pytest.mark.parametrize(
    ("function", "query", "outcome"),
    [
        ("REALTIME_OPTIONS", {"symbol": ""}, "err_invalid_call"),
        ("REALTIME_OPTIONS", {"symbol": "ZZNONE"}, "err_invalid_call"),
        ("REALTIME_OPTIONS", {"symbol": "NDXP"}, "err_invalid_call"),
        ("REALTIME_OPTIONS", {"expiration": "2026-05-03"}, "err_invalid_call"),
        ("HISTORICAL_OPTIONS", {"date": "2025-09-06"}, "opt_no_data_day"),
        ("HISTORICAL_OPTIONS", {"date": "2026-05-05"}, "opt_no_data_day"),
        ("HISTORICAL_OPTIONS", {"date": "2007-12-31"}, "err_invalid_call"),
        ("HISTORICAL_OPTIONS", {"date": "yesterday"}, "err_invalid_call"),
        ("NEWS_SENTIMENT", {"tickers": ""}, "info_news_invalid_inputs"),
        ("NEWS_SENTIMENT", {"tickers": "ZZNONE"}, "info_news_invalid_inputs"),
        ("NEWS_SENTIMENT", {"tickers": "IBM", "limit": "many"}, "info_news_invalid_inputs"),
        ("NEWS_SENTIMENT", {"tickers": "IBM", "time_from": "20270101T0000"},
         "info_news_no_articles"),
        ("ATR", {"interval": "5min"}, "err_invalid_call"),
        ("", {}, "err_no_function"),
        ("GLOBAL_QUOTE", {}, "err_no_function"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_gets_its_text(
    function: str, query: dict[str, str], outcome: str
) -> None:
    reply = respond(vendor_of(), function, **query)
    assert (reply.outcome, reply.status) == (outcome, 200)


def test_an_index_has_an_answer_without_data() -> None:
    assert document(respond(vendor_of(), symbol="SPX")) == {}
    assert document(respond(vendor_of(), **RSI, **{"symbol": "NDX"})) == {}


def test_small_plans_may_see_the_artificial_chain_only() -> None:
    vendor = vendor_of(plan="150", realtime_options="plan")
    assert document(respond(vendor))["data"][0]["symbol"] == "XXYYZZ"
    assert document(respond(vendor_of(plan="600", realtime_options="plan")))["message"] == "success"


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [("POST", "/query", "*/*", 405), ("GET", "/", "*/*", 404), ("GET", "/query", "text/html", 406),
     ("GET", "/query", "application/json", 200), ("HEAD", "/query", "*/*", 200)],
)  # fmt: skip
def test_other_requests_have_other_statuses(
    method: str, path: str, accept: str, status: int
) -> None:
    query = {"function": "REALTIME_OPTIONS", "symbol": "IBM", "apikey": "k"}
    request = HttpRequest(method, path, query, {"accept": accept})
    assert vendor_of().respond(request, Moment(0.0, NOON_S)).status == status


def test_a_date_may_be_played() -> None:
    vendor = vendor_of(date=datetime.date(2025, 9, 3))
    assert document(respond(vendor))["data"][0]["date"] == "2025-09-03"
    rsi = document(respond(vendor, **RSI, **{"entitlement": "realtime"}))
    assert rsi["Meta Data"]["3: Last Refreshed"] == "2025-09-03 12:00:00"
    news = document(respond(vendor, "NEWS_SENTIMENT", tickers="IBM"))
    assert news["feed"][0]["time_published"].startswith("20250903T1")


def test_stale_is_the_last_answer_again() -> None:
    vendor = vendor_of()
    first = respond(vendor).body.plain()
    vendor.faults.add("stale", count=1)
    assert respond(vendor).body.plain() == first
    assert respond(vendor).body.plain() != first


def test_an_unchanged_document_is_the_same_body() -> None:
    vendor = vendor_of()
    bodies = [respond(vendor, **RSI, at_s=float(n)).body for n in (0, 1)]
    assert bodies[0] is bodies[1]
    assert respond(vendor, **{**RSI, "time_period": "9"}).body is not bodies[0]


def test_bad_json_is_the_first_half() -> None:
    vendor = vendor_of(moving=0.0)
    whole = respond(vendor).body.plain()
    vendor.faults.add("bad_json", count=1)
    assert respond(vendor).body.plain() == whole[: len(whole) // 2]


def test_the_wrong_endpoint_is_the_other_one() -> None:
    vendor = vendor_of()
    vendor.faults.add("wrong_endpoint", count=2)
    assert document(respond(vendor))["endpoint"] == "Historical Options"
    assert document(respond(vendor, "HISTORICAL_OPTIONS"))["endpoint"] == "Realtime Options"
    assert document(respond(vendor))["endpoint"] == "Realtime Options"


def test_what_was_sent_is_kept_with_its_faults() -> None:
    vendor = vendor_of()
    vendor.faults.add("vanish", values={"share": 0.5}, count=1)
    rows = document(respond(vendor, require_greeks="true"))["data"]
    sent = vendor.payloads.chains["REALTIME_OPTIONS", "IBM"].snapshot(True, None)
    assert sent["faults"] == ["vanish"]
    assert [row["contract_id"] for row in sent["rows"]] == [row["contractID"] for row in rows]
    assert sent["contracts"] == len(rows) == sent["calls"] + sent["puts"]
    assert sent["volume"] == sum(int(row["volume"]) for row in rows)
    assert sent["put_open_interest"] == sum(
        int(row["open_interest"]) for row in rows if row["type"] == "put"
    )
    assert sent["rows"][0]["strike"] == float(rows[0]["strike"])
    assert sent["rows"][0]["theta"] == float(rows[0]["theta"])


def test_an_empty_chain_is_what_was_sent() -> None:
    vendor = vendor_of()
    vendor.faults.add("empty_chain")
    assert document(respond(vendor)) == {
        "endpoint": "Realtime Options", "message": "success", "data": [],
    }  # fmt: skip
    assert vendor.payloads.chains["REALTIME_OPTIONS", "IBM"].snapshot(False, None)["contracts"] == 0


def test_a_refused_request_meets_no_fault() -> None:
    vendor = vendor_of(per_second=0)
    vendor.faults.add("hang", count=1)
    assert respond(vendor).outcome == "burst"
    assert len(vendor.faults.open(0.0)) == 1
