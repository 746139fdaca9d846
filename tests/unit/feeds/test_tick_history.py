from __future__ import annotations

import pytest
from ib_async import Contract

from tests.unit.feeds.asking_history import (
    BARS,
    ELSEWHERE,
    HMDS,
    NO_DATA,
    TOO_MANY,
    Desk,
    asked,
    ids,
)
from tests.unit.feeds.bar_keeping import M, history, said


def test_bars_are_asked_for_up_to_the_windows_end_in_utc() -> None:
    spy = Contract(symbol="SPY", secType="STK", exchange="SMART", primaryExchange="ARCA",
                   currency="USD")  # fmt: skip
    assert asked().client.sent == [
        ("bars", 41, spy, "20131007-13:30:40", "40 S", "5 secs", "TRADES", 0, 2, False, []),
    ]


def test_windows_of_two_symbols_are_asked_for_side_by_side() -> None:
    desk = asked()
    desk.miss(symbol="QQQ")
    assert ids(desk.decide(1.0)) == [("bars", 42)]


def test_an_answer_fills_the_window() -> None:
    desk = asked()
    desk.answer(BARS % (M, M + 5))
    assert desk.rig.outlet.bars == [("SPY", history(0)), ("SPY", history(5, 11.0))]
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 2 bars", 0)]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


def test_one_bar_that_cannot_be_read_does_not_cost_the_others_and_the_window_is_not_whole() -> None:
    desk = asked()
    desk.answer(BARS % (M + 1, M + 5))
    assert desk.rig.outlet.bars == [("SPY", history(5, 11.0))]
    assert said(desk.losses) == [
        ("SPY", 0, 40, "disconnect: not filled, 1 bars could not be read", 1)
    ]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


def test_bars_that_cannot_be_read_are_counted() -> None:
    desk = asked()
    desk.answer(BARS % (M + 1, M + 6))
    assert [loss.count for loss in desk.losses] == [2]


@pytest.mark.parametrize("raw_id", [b"40", b"42", b"-1", b"x", b""])
def test_an_answer_to_nothing_of_ours_is_ignored(raw_id: bytes) -> None:
    desk = asked()
    desk.answer(BARS.replace(b"|41|", b"|" + raw_id + b"|") % (M, M + 5))
    assert (desk.rig.outlet.bars, desk.losses) == ([], [])
    assert desk.rig.pending() == [(0, 40, "disconnect")]


def test_a_second_answer_is_ignored() -> None:
    desk = asked()
    for _ in range(2):
        desk.answer(BARS % (M, M + 5))
    assert (len(desk.rig.outlet.bars), len(desk.losses)) == (2, 1)


def test_an_answer_that_cannot_be_read_is_asked_for_again() -> None:
    desk = asked()
    desk.answer(b"17|41|a|b|3|1|2|3|")
    assert (desk.rig.outlet.bars, desk.losses) == ([], [])
    assert [ids(desk.decide(now_s)) for now_s in (20.9, 21.0)] == [[], [("bars", 42)]]


def test_no_data_is_an_answer() -> None:
    desk = asked()
    assert desk.error(162, NO_DATA) is True
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 0 bars", 0)]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


@pytest.mark.parametrize(("code", "text"), [(162, TOO_MANY), (420, TOO_MANY), (10197, ELSEWHERE)])
def test_too_many_requests_and_another_session_hold_back_every_window_for_a_minute(
    code: int, text: str
) -> None:
    desk = asked()
    desk.miss(symbol="QQQ")
    assert desk.error(code, text) is True
    assert desk.decide(64.9) == []
    assert ids(desk.decide(65.0)) == [("bars", 42), ("bars", 43)]
    assert desk.losses == []


@pytest.mark.parametrize(("code", "text"), [(162, TOO_MANY), (10197, ELSEWHERE)])
def test_too_many_requests_and_another_session_are_no_failure_of_a_request(
    code: int, text: str
) -> None:
    desk = asked()
    for n in range(7):
        desk.error(code, text, now_s=100.0 * n, req_id=41 + n)
        assert ids(desk.decide(100.0 * n + 60.0)) == [("bars", 42 + n)]
    assert desk.losses == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (162, f"{HMDS}No market data permissions for ISLAND STK"),
        (354, "Requested market data is not subscribed."),
    ],
)
def test_a_missing_permission_gives_the_window_up_at_once(code: int, text: str) -> None:
    desk = asked()
    assert desk.error(code, text) is True
    assert said(desk.losses) == [("SPY", 0, 40, f"disconnect: not filled, {code} {text}", None)]
    assert (desk.rig.pending(), desk.decide(1000.0)) == ([], [])


@pytest.mark.parametrize("code", [165, 2100, 2176, 2199, 10090, 10167])
def test_a_notice_leaves_the_request_open(code: int) -> None:
    desk = asked()
    assert desk.error(code, "Historical Market Data Service query message:...") is True
    desk.answer(BARS % (M, M + 5))
    assert len(desk.rig.outlet.bars) == 2


def test_another_error_is_asked_again_and_given_up_after_the_fifth() -> None:
    desk = asked()
    for n in range(5):
        assert desk.losses == []
        desk.error(162, f"{HMDS}HMDS server disconnect", now_s=20.0 * n, req_id=41 + n)
        desk.decide(20.0 * n + 16.0)
    assert said(desk.losses) == [
        ("SPY", 0, 40, f"disconnect: not filled, 162 {HMDS}HMDS server disconnect", None)
    ]
    assert ids(desk.client.sent) == [("bars", 41 + n) for n in range(5)]


@pytest.mark.parametrize("req_id", [-1, 40, 42])
def test_errors_of_other_requests_are_none_of_ours(req_id: int) -> None:
    desk = asked()
    assert desk.error(162, NO_DATA, req_id=req_id) is False
    assert (desk.losses, desk.rig.pending()) == ([], [(0, 40, "disconnect")])


def test_no_answer_within_its_time_is_cancelled_and_asked_for_again() -> None:
    desk = asked()
    assert [desk.decide(45.0), desk.decide(45.1)] == [[], [("cancel", 41)]]
    assert [ids(desk.decide(now_s)) for now_s in (61.0, 61.1)] == [[], [("bars", 42)]]


def test_an_answer_that_comes_too_late_is_ignored() -> None:
    desk = asked()
    desk.decide(45.1)
    desk.answer(BARS % (M, M + 5))
    assert (desk.rig.outlet.bars, desk.rig.pending()) == ([], [(0, 40, "disconnect")])


def test_a_new_connection_asks_again_and_does_not_know_the_old_requests() -> None:
    desk = asked()
    desk.history.disconnected(44.0)
    assert desk.error(162, NO_DATA) is False
    # Identical requests must be 15 s apart, also over two connections.
    assert [ids(desk.decide(now_s)) for now_s in (59.9, 60.0)] == [[], [("bars", 42)]]


def test_nothing_is_asked_for_while_a_history_farm_is_broken() -> None:
    desk = Desk()
    desk.miss()
    desk.notice(2105)
    assert desk.decide(0.0) == []
    desk.notice(2106)
    assert ids(desk.decide(1.0)) == [("bars", 41)]


def test_an_answer_that_a_broken_farm_owes_is_not_overdue() -> None:
    desk = asked()
    desk.notice(2105)
    assert (desk.decide(45.1), desk.rig.pending()) == ([], [(0, 40, "disconnect")])


@pytest.mark.parametrize(("at_s", "asked_for"), [(7240.0, [("bars", 41)]), (7240.1, [])])
def test_a_window_that_waited_beyond_reach_is_not_asked_for_any_more(
    at_s: float, asked_for: list[tuple[object, object]]
) -> None:
    desk = Desk()
    desk.miss()
    assert ids(desk.decide(0.0, at_s)) == asked_for


@pytest.mark.parametrize("codes", [(), (2105,)], ids=["farm well", "farm broken"])
def test_a_window_that_waited_beyond_reach_is_entered_once_as_not_filled(
    codes: tuple[int, ...],
) -> None:
    desk = Desk()
    desk.miss()
    for code in codes:
        desk.notice(code)
    for now_s in (0.0, 1.0):
        desk.decide(now_s, 7240.1)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: not filled, beyond reach", None)]
    assert desk.rig.pending() == []


def test_a_window_that_is_one_too_many_is_told_as_not_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.control.backfill.MOST_WAITING", 1)
    desk = Desk()
    desk.miss(0, 40)
    desk.miss(60, 90)
    assert ids(desk.decide(0.0)) == [("bars", 41)]
    assert said(desk.losses) == [
        ("SPY", 0, 40, "disconnect: not filled, too many windows wait", None)
    ]
