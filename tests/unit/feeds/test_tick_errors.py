from __future__ import annotations

import pytest

from tests.unit.feeds.requesting import (
    BARS,
    LINE,
    OTHER_BARS,
    OTHER_LINE,
    OTHER_STREAM,
    STREAM,
    calls,
    opened,
)

NO_LINE = "Max number of tickers has been reached."
NOT_SUBSCRIBED = "Requested market data is not subscribed."
MORE_NEEDED = "Requested market data requires additional subscription for API."
NOT_ENABLED = f"{NOT_SUBSCRIBED} Delayed market data is not enabled."
SHOWN_DELAYED = f"{NOT_SUBSCRIBED} Displaying delayed market data."
PART = "Part of requested market data is not subscribed."
NO_SECURITY = "No security definition has been found for the request"
ELSEWHERE = "No market data during competing live session"
GONE = "Can't find EId with tickerId:1"
DUPLICATE = "Error processing request.-'bZ' : cause - Duplicate ticker id"
STREAMS = "Max number of tick-by-tick requests has been reached."
STREAMS_322 = f"Error processing request.-'bZ' : cause - {STREAMS}"
NO_STREAM = "Failed to request tick-by-tick data"
PACING = "Invalid Real-time Query:Historical data request pacing violation"
NO_BARS = "Invalid Real-time Query:No market data permissions for NYSE STK"
NO_DATA = "Historical Market Data Service error message:HMDS query returned no data"
SERVER = "Historical Market Data Service error message:HMDS server disconnect"
NO_UPDATES = "Failed to request live updates (disconnected)."
BUST = "Bust event occurred, current subscription is deactivated."

REFUSED_LINES = [
    (354, NOT_SUBSCRIBED, 900),
    (10168, NOT_ENABLED, 900),
    (10186, NOT_ENABLED, 900),
    (200, NO_SECURITY, 900),
    (10197, ELSEWHERE, 30),
    (322, DUPLICATE, 30),
    (321, "Error validating request", 30),
]


@pytest.mark.parametrize(("code", "text", "retry_s"), REFUSED_LINES)
def test_a_refused_line_is_not_cancelled_and_takes_the_symbols_bars_with_it(
    code: int, text: str, retry_s: int
) -> None:
    desk = opened()
    assert desk.error(LINE, code, text) == [("cancelRealTimeBars", BARS)]
    assert desk.ids() == ((0, 0, STREAM), (OTHER_LINE, OTHER_BARS, OTHER_STREAM))
    assert desk.outlet.quotes == [("SPY", None)]


@pytest.mark.parametrize(("code", "text", "retry_s"), REFUSED_LINES)
def test_a_refused_line_and_its_bars_are_asked_for_again_when_its_time_has_come(
    code: int, text: str, retry_s: int
) -> None:
    desk = opened()
    desk.error(LINE, code, text)
    assert (desk.decide(0.1), desk.later(retry_s - 0.1)) == ([], [])
    assert calls(desk.later(retry_s)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]
    assert desk.later(retry_s + 0.1) == []


@pytest.mark.parametrize(("code", "text", "retry_s"), REFUSED_LINES)
def test_a_refused_line_is_told_with_its_next_try(code: int, text: str, retry_s: int) -> None:
    desk = opened()
    desk.error(LINE, code, text)
    said = f"line {code} {text}: no quotes, next try in {retry_s} s"
    assert desk.outlet.incidents == [("refused", "SPY", said)]


def test_a_line_without_live_data_may_be_open_with_delayed_data_and_is_cancelled_once() -> None:
    desk = opened()
    assert desk.error(LINE, 10089, MORE_NEEDED) == [
        ("cancelMktData", LINE), ("cancelRealTimeBars", BARS),
    ]  # fmt: skip
    assert len(desk.at(1.0, desk.requests.renew, desk.spy, "2104: farm", True)) == 1
    assert desk.ids()[0] == (0, 0, 0)


def test_a_line_without_live_data_is_asked_for_again_and_told_as_a_refused_one() -> None:
    desk = opened()
    desk.error(LINE, 10089, MORE_NEEDED)
    assert desk.later(899.9) == []
    assert calls(desk.later(900.0)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]
    said = f"line 10089 {MORE_NEEDED}: no quotes, next try in 900 s"
    assert desk.outlet.incidents == [("refused", "SPY", said)]


def test_a_line_without_live_data_goes_on_where_delayed_data_is_wanted() -> None:
    desk = opened(allow_delayed=True)
    assert (desk.error(LINE, 10089, MORE_NEEDED), desk.later(1000.0)) == ([], [])
    assert (desk.ids()[0], desk.outlet.quotes) == ((LINE, BARS, STREAM), [])
    said = f"line 10089 {MORE_NEEDED}: delayed data may come"
    assert desk.outlet.incidents == [("refused", "SPY", said)]


@pytest.mark.parametrize(("kind", "req_id"), [("line", LINE), ("stream", STREAM), ("bars", BARS)])
@pytest.mark.parametrize(
    ("code", "text"),
    [(10090, PART), (10091, PART), (10167, SHOWN_DELAYED), (2109, "a warning of TWS")],
)
def test_a_request_of_which_a_notice_speaks_goes_on_and_is_told(
    kind: str, req_id: int, code: int, text: str
) -> None:
    desk = opened()
    assert (desk.error(req_id, code, text), desk.later(1000.0)) == ([], [])
    assert desk.ids()[0] == (LINE, BARS, STREAM)
    assert desk.outlet.quotes == []
    said = f"{kind} {code} {text}: a notice, the request goes on"
    assert desk.outlet.incidents == [("refused", "SPY", said)]


@pytest.mark.parametrize("code", [300, 310, 366])
def test_a_line_that_is_gone_already_is_asked_for_again_at_once_and_not_told(code: int) -> None:
    desk = opened()
    assert desk.error(LINE, code, GONE) == []
    assert (LINE in desk.requests.by_id, desk.outlet.quotes) == (False, [("SPY", None)])
    assert calls(desk.decide(0.1)) == [("reqMktData", 7)]
    assert (desk.ids()[0], desk.outlet.incidents) == ((7, BARS, STREAM), [])


def test_a_line_beyond_the_limit_is_not_cancelled_and_takes_the_symbols_bars_with_it() -> None:
    desk = opened()
    assert desk.error(OTHER_LINE, 101, NO_LINE) == [("cancelRealTimeBars", OTHER_BARS)]
    assert desk.ids() == ((LINE, BARS, STREAM), (0, 0, OTHER_STREAM))


def test_bars_beyond_the_limit_are_not_cancelled_and_take_the_symbols_line_with_them() -> None:
    desk = opened()
    assert desk.error(OTHER_BARS, 101, NO_LINE) == [("cancelMktData", OTHER_LINE)]
    assert desk.ids() == ((LINE, BARS, STREAM), (0, 0, OTHER_STREAM))


@pytest.mark.parametrize("req_id", [OTHER_LINE, OTHER_BARS])
def test_beyond_the_limit_of_lines_one_more_is_tried_after_a_minute(req_id: int) -> None:
    desk = opened()
    desk.error(req_id, 101, NO_LINE)
    assert (desk.state.lines.limit, desk.decide(59.9)) == (1, [])
    assert calls(desk.decide(60.0)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]


@pytest.mark.parametrize("req_id", [OTHER_LINE, OTHER_BARS])
def test_a_symbol_beyond_the_limit_is_told_with_its_next_try(req_id: int) -> None:
    desk = opened(line_retry_s=45.0)
    desk.error(req_id, 101, NO_LINE)
    said = f"line 101 {NO_LINE}: dropped, one more is tried in 45 s"
    assert desk.outlet.incidents == [("refused", "QQQ", said)]
    assert (desk.state.counters.line_refusals, desk.outlet.quotes) == (1, [("QQQ", None)])


def test_a_more_important_symbol_beyond_the_limit_gets_the_line_of_another() -> None:
    desk = opened()
    assert desk.error(LINE, 101, NO_LINE) == [("cancelRealTimeBars", BARS)]
    assert calls(desk.decide(0.1)) == [
        ("cancelMktData", OTHER_LINE), ("cancelRealTimeBars", OTHER_BARS),
    ]  # fmt: skip
    assert calls(desk.decide(1.0)) == []
    assert calls(desk.decide(1.1)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]
    assert desk.ids() == ((7, 8, STREAM), (0, 0, OTHER_STREAM))
    assert calls(desk.decide(60.0)) == [("reqMktData", 9), ("reqRealTimeBars", 10)]


@pytest.mark.parametrize(("code", "text"), [(10190, STREAMS), (322, STREAMS_322)])
def test_a_stream_beyond_the_limit_is_not_cancelled_and_tried_again_after_a_while(
    code: int, text: str
) -> None:
    desk = opened()
    assert desk.error(OTHER_STREAM, code, text) == []
    assert (desk.ids()[1], desk.state.streams.limit) == ((OTHER_LINE, OTHER_BARS, 0), 1)
    assert (desk.later(299.9), calls(desk.later(300.0))) == ([], [("reqTickByTickData", 7)])
    assert desk.outlet.incidents == [
        ("refused", "QQQ", f"stream {code} {text}: 1 streams from now on")
    ]


@pytest.mark.parametrize(("code", "text"), [(10190, STREAMS), (322, STREAMS_322)])
def test_a_more_important_symbol_beyond_the_limit_gets_the_stream_of_another(
    code: int, text: str
) -> None:
    desk = opened()
    desk.error(STREAM, code, text)
    assert desk.later(14.9) == []
    assert calls(desk.later(15.0)) == [("cancelTickByTickData", OTHER_STREAM)]
    assert calls(desk.later(16.0)) == [("reqTickByTickData", 7)]
    assert desk.ids() == ((LINE, BARS, 7), (OTHER_LINE, OTHER_BARS, 0))


@pytest.mark.parametrize(
    ("code", "text", "retry_s"),
    [
        (10187, "Failed to request historical ticks", 900),
        (10189, NO_STREAM, 900),
        (354, NOT_SUBSCRIBED, 900),
        (200, NO_SECURITY, 900),
        (10197, ELSEWHERE, 30),
        (322, DUPLICATE, 30),
    ],
)
def test_a_refused_stream_is_not_cancelled_and_rtvolume_goes_on_instead(
    code: int, text: str, retry_s: int
) -> None:
    desk = opened()
    assert desk.error(OTHER_STREAM, code, text) == []
    assert (desk.ids()[1], desk.state.streams.limit) == ((OTHER_LINE, OTHER_BARS, 0), 5)
    assert desk.later(retry_s - 0.1) == []
    assert calls(desk.later(retry_s)) == [("reqTickByTickData", 7)]
    assert desk.outlet.incidents == [
        ("refused", "QQQ", f"stream {code} {text}: RTVolume instead, next try in {retry_s} s")
    ]


@pytest.mark.parametrize("code", [300, 310, 366])
def test_a_stream_that_is_gone_already_is_asked_for_again_as_soon_as_it_may(code: int) -> None:
    desk = opened()
    assert desk.error(OTHER_STREAM, code, GONE) == []
    assert (desk.later(14.9), calls(desk.later(15.0))) == ([], [("reqTickByTickData", 7)])
    assert desk.outlet.incidents == []


BARS_WAIT = "all new bars wait a minute"
ENDED_BARS = [
    (420, PACING, 60, BARS_WAIT),
    (162, PACING, 60, BARS_WAIT),
    (420, NO_BARS, 900, "no bars, next try in 900 s"),
    (354, NOT_SUBSCRIBED, 900, "no bars, next try in 900 s"),
    (10182, NO_UPDATES, 1, "asked for again in 1 s"),
    (10197, ELSEWHERE, 30, "asked for again in 30 s"),
    (162, NO_DATA, 1, "asked for again in 1 s"),
    (162, SERVER, 1, "asked for again in 1 s"),
    (300, GONE, 1, "asked for again in 1 s"),
    (200, NO_SECURITY, 1, "asked for again in 1 s"),
]


@pytest.mark.parametrize(("code", "text", "wait_s", "then"), ENDED_BARS)
def test_bars_that_ended_are_not_cancelled_and_asked_for_again_when_they_may(
    code: int, text: str, wait_s: int, then: str
) -> None:
    desk = opened()
    assert desk.error(BARS, code, text) == []
    assert desk.ids()[0] == (LINE, 0, STREAM)
    assert desk.later(wait_s - 0.1) == []
    assert calls(desk.later(wait_s)) == [("reqRealTimeBars", 7)]
    assert desk.outlet.incidents == [("refused", "SPY", f"bars {code} {text}: {then}")]


def test_bars_after_a_bust_are_asked_for_again_at_once() -> None:
    desk = opened()
    assert desk.error(BARS, 10225, BUST) == []
    assert calls(desk.decide(0.0)) == [("reqRealTimeBars", 7)]
    assert desk.outlet.incidents == [
        ("refused", "SPY", f"bars 10225 {BUST}: asked for again at once")
    ]


def test_bars_that_end_again_and_again_are_asked_for_ever_more_slowly() -> None:
    desk = opened()
    for req_id, ended_s, due_s in ((BARS, 0, 1), (7, 1, 3), (8, 3, 7), (9, 7, 15), (10, 15, 31)):
        desk.error(req_id, 10182, NO_UPDATES, ended_s)
        assert (desk.later(due_s - 0.1), len(desk.later(due_s))) == ([], 1)


@pytest.mark.parametrize(("code", "text"), [(420, PACING), (162, PACING)])
def test_too_many_bars_hold_back_those_of_every_symbol(code: int, text: str) -> None:
    desk = opened()
    desk.error(OTHER_BARS, 10225, BUST)
    desk.error(BARS, code, text)
    assert desk.later(59.9) == []
    assert calls(desk.later(60.0)) == [("reqRealTimeBars", 7), ("reqRealTimeBars", 8)]


def test_missing_permission_for_bars_holds_back_those_of_its_symbol_alone() -> None:
    desk = opened()
    desk.error(BARS, 420, NO_BARS)
    desk.error(OTHER_BARS, 10225, BUST)
    assert calls(desk.later(0.1)) == [("reqRealTimeBars", 7)]
    assert (desk.ids()[1], desk.state.no_bars) == ((OTHER_LINE, 7, OTHER_STREAM), {"SPY"})
