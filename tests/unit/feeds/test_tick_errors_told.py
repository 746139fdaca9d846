from __future__ import annotations

import pytest

from shared.control.connectivity import Link
from tests.unit.feeds.bar_keeping import M, said
from tests.unit.feeds.requesting import (
    BARS,
    LINE,
    OTHER_BARS,
    OTHER_LINE,
    OTHER_STREAM,
    STREAM,
    Desk,
    calls,
    opened,
)

NOT_SUBSCRIBED = "Requested market data is not subscribed."
PART = "Part of requested market data is not subscribed."
ELSEWHERE = "No market data during competing live session"
LOST = "Connectivity between IBKR and Trader Workstation has been lost."
BACK = "Connectivity between IBKR and Trader Workstation has been restored"
MARKET_FARM = "Market data farm connection is broken:usfarm"
MARKET_FARM_BACK = "Market data farm connection is OK:usfarm"
HISTORY_FARM = "HMDS data farm connection is broken:ushmds"
HISTORY_FARM_BACK = "HMDS data farm connection is OK:ushmds"
NO_DATA = "Historical Market Data Service error message:HMDS query returned no data"


def told(desk: Desk) -> list[tuple[str, str]]:
    """Whom incidents are about, and of which request and code."""
    return [(symbol, " ".join(text.split()[:2])) for _, symbol, text in desk.outlet.incidents]


@pytest.mark.parametrize(("later_s", "times"), [(0.0, 1), (899.9, 1), (900.0, 2)])
def test_the_same_error_of_a_symbol_is_told_once_in_a_quarter_of_an_hour(
    later_s: float, times: int
) -> None:
    desk = opened()
    for now_s in (0.0, later_s):
        desk.error(LINE, 10090, PART, now_s)
    assert told(desk) == [("SPY", "line 10090")] * times


def test_an_error_that_comes_all_the_time_is_told_again_though_it_never_paused() -> None:
    desk = opened()
    for minute in range(31):
        desk.error(LINE, 10090, PART, 60.0 * minute)
    assert len(desk.outlet.incidents) == 3


def test_the_same_code_of_another_symbol_another_request_and_another_code_are_told() -> None:
    desk = opened()
    desk.error(STREAM, 10197, ELSEWHERE)
    desk.error(OTHER_STREAM, 10197, ELSEWHERE)
    desk.error(BARS, 10197, ELSEWHERE)
    desk.error(OTHER_BARS, 10182, "Failed to request live updates (disconnected).")
    assert told(desk) == [
        ("SPY", "stream 10197"), ("QQQ", "stream 10197"),
        ("SPY", "bars 10197"), ("QQQ", "bars 10182"),
    ]  # fmt: skip


def test_an_error_that_is_not_told_again_is_acted_on_again() -> None:
    desk = opened()
    desk.error(LINE, 10197, ELSEWHERE)
    desk.later(30.0)
    desk.error(7, 10197, ELSEWHERE, 31.0)
    assert calls(desk.later(61.0)) == [("reqMktData", 9), ("reqRealTimeBars", 10)]
    assert told(desk) == [("SPY", "line 10197")]


def test_a_long_text_is_cut() -> None:
    desk = opened()
    desk.error(LINE, 10090, "x" * 500)
    assert desk.outlet.incidents[0][2] == "line 10090 " + "x" * 189


def test_a_second_error_of_a_request_that_is_gone_changes_nothing() -> None:
    desk = opened()
    desk.error(LINE, 354, NOT_SUBSCRIBED)
    assert desk.error(LINE, 10197, ELSEWHERE) == []
    assert (desk.state.retry_at_s, len(desk.outlet.incidents)) == ({("SPY", "line"): 900.0}, 1)


@pytest.mark.parametrize("req_id", [-1, 0, 99])
@pytest.mark.parametrize(
    ("code", "text"),
    [(354, NOT_SUBSCRIBED), (101, ""), (2104, MARKET_FARM_BACK), (300, ""), (100, "Max rate")],
)
def test_an_error_of_none_of_our_requests_changes_nothing(
    req_id: int, code: int, text: str
) -> None:
    desk = opened()
    assert (desk.error(req_id, code, text), desk.later(1000.0)) == ([], [])
    assert desk.ids() == ((LINE, BARS, STREAM), (OTHER_LINE, OTHER_BARS, OTHER_STREAM))
    assert (desk.outlet.incidents, desk.acted) == ([], [])


def test_an_error_of_the_connection_before_is_of_none_of_our_requests() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.lost_all, "disconnect")
    desk.error(LINE, 354, NOT_SUBSCRIBED, 2.0)
    assert (desk.state.retry_at_s, desk.outlet.incidents) == ({}, [])


def test_what_was_refused_stays_so_over_a_reconnect_until_its_time_has_come() -> None:
    desk = opened()
    desk.error(LINE, 354, NOT_SUBSCRIBED)
    desk.at(1.0, desk.requests.lost_all, "disconnect")
    desk.state.lines.connected()
    assert calls(desk.later(2.0)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]
    assert desk.qqq.line_id == 7
    assert calls(desk.later(900.0)) == [("reqMktData", 9), ("reqRealTimeBars", 10)]
    assert desk.spy.line_id == 9


@pytest.mark.parametrize(
    ("notices", "link"),
    [
        ([(1100, LOST)], Link.DOWN),
        ([(2110, LOST)], Link.DOWN),
        ([(1100, LOST), (1101, BACK)], Link.RESUBSCRIBE),
        ([(1100, LOST), (1102, BACK)], Link.VERIFY),
        ([(2103, MARKET_FARM), (2104, MARKET_FARM_BACK)], Link.RENEW),
        ([(2105, HISTORY_FARM), (2106, HISTORY_FARM_BACK)], Link.RENEW_HISTORY),
        ([(1300, "Socket port has been reset")], Link.REBUILD),
    ],
)
def test_a_change_of_connectivity_is_acted_on_and_told(
    notices: list[tuple[int, str]], link: Link
) -> None:
    desk = opened()
    for code, text in notices:
        assert desk.error(-1, code, text) == []
    code, text = notices[-1]
    assert desk.acted[-1] == (link, f"{code}: {text}")
    assert desk.outlet.incidents[-1] == ("connectivity", "", f"{code}: {text}")


def test_connectivity_that_is_lost_again_and_again_is_acted_on_once() -> None:
    desk = opened()
    for _ in range(3):
        desk.error(-1, 1100, LOST)
    assert (len(desk.acted), len(desk.outlet.incidents)) == (1, 1)


@pytest.mark.parametrize("code", [1100, 2103])
def test_a_long_text_about_connectivity_is_cut(code: int) -> None:
    desk = opened()
    desk.hear(104.0)
    desk.error(-1, code, "x" * 500)
    assert desk.outlet.incidents[0][2] == f"{code}: " + "x" * 194
    reasons = [why for _, why in desk.acted] or [note[1] for note in desk.interrupted() if note]
    assert set(reasons) == {f"{code}: " + "x" * 114}


@pytest.mark.parametrize(("code", "text"), [(2103, MARKET_FARM), (2105, HISTORY_FARM)])
def test_a_broken_farm_is_told_and_nothing_is_sent_for_it(code: int, text: str) -> None:
    desk = opened()
    assert (desk.error(-1, code, text), desk.acted) == ([], [])
    assert desk.outlet.incidents == [("connectivity", "", f"{code}: {text}")]


@pytest.mark.parametrize(("code", "text"), [(2103, MARKET_FARM), (2105, HISTORY_FARM)])
def test_bars_may_be_missing_since_a_farm_broke(code: int, text: str) -> None:
    desk = opened()
    desk.hear(104.0)
    desk.error(-1, code, text)
    desk.rig.at_s = 120.0
    desk.rig.keeper.restored(["SPY", "QQQ"])
    window = (90, 130, f"{code}: {text}")
    assert (desk.rig.pending(), desk.rig.pending("QQQ")) == ([window], [window])


def test_prints_may_be_lost_since_a_market_farm_broke() -> None:
    desk = opened()
    desk.hear(104.0)
    desk.error(-1, 2103, MARKET_FARM)
    assert desk.interrupted() == [(104.0, f"2103: {MARKET_FARM}")] * 2


def test_a_broken_history_farm_costs_no_prints() -> None:
    desk = opened()
    desk.hear(104.0)
    desk.error(-1, 2105, HISTORY_FARM)
    assert desk.interrupted() == [None, None]


@pytest.mark.parametrize(
    ("req_id", "code", "text"),
    [
        (BARS, 10182, "Failed to request live updates (disconnected)."),
        (LINE, 354, NOT_SUBSCRIBED),
        (BARS, 101, ""),
    ],
)
def test_bars_that_ended_are_fetched_back_from_then_until_they_come_again(
    req_id: int, code: int, text: str
) -> None:
    desk = opened()
    desk.hear(104.0)
    desk.error(req_id, code, text)
    desk.rig.at_s = 1120.0
    desk.later(1000.0)
    assert [window[:2] for window in desk.rig.pending()] == [(90, 1130)]


def asked_of_history() -> Desk:
    """All is open, and a window of SPY is asked for by the id 7."""
    desk = opened()
    desk.miss(0, 40)
    assert calls(history_decides(desk, 0.0)) == [("reqHistoricalData", 7)]
    return desk


def history_decides(desk: Desk, now_s: float) -> list[tuple[object, ...]]:
    return desk.at(now_s, desk.history.decide, M + 100.0, now_s)


def test_an_error_of_history_is_none_of_the_live_requests() -> None:
    desk = asked_of_history()
    assert desk.error(7, 162, NO_DATA) == []
    assert said(desk.outlet.losses) == [("SPY", 0, 40, "disconnect: filled, 0 bars", 0)]
    assert (desk.outlet.incidents, desk.spy.bars_id) == ([], BARS)


def test_a_broken_history_farm_puts_open_requests_back_until_it_is_there_again() -> None:
    desk = asked_of_history()
    desk.error(-1, 2105, HISTORY_FARM, 4.0)
    assert desk.error(7, 162, NO_DATA, 5.0) == []
    assert [history_decides(desk, now_s) for now_s in (5.0, 100.0)] == [[], []]
    desk.error(-1, 2106, HISTORY_FARM_BACK, 101.0)
    assert calls(history_decides(desk, 101.0)) == [("reqHistoricalData", 8)]
    assert desk.outlet.losses == []


def test_a_request_that_a_broken_farm_put_back_is_not_repeated_within_fifteen_seconds() -> None:
    desk = asked_of_history()
    desk.error(-1, 2105, HISTORY_FARM, 4.0)
    desk.error(-1, 2106, HISTORY_FARM_BACK, 5.0)
    assert history_decides(desk, 19.9) == []
    assert calls(history_decides(desk, 20.0)) == [("reqHistoricalData", 8)]


def test_a_broken_market_farm_leaves_open_requests_of_history() -> None:
    desk = asked_of_history()
    desk.error(-1, 2103, MARKET_FARM, 4.0)
    assert history_decides(desk, 20.0) == []
    desk.error(7, 162, NO_DATA, 21.0)
    assert len(desk.outlet.losses) == 1
