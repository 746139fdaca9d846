from __future__ import annotations

import pytest
from ib_async import Contract

from shared.errors import BadRow
from tests.unit.feeds.asking_history import NO_DATA, Desk, asked, ids
from tests.unit.feeds.bar_keeping import M, said


def test_trades_are_asked_for_from_the_windows_beginning_in_utc() -> None:
    spy = Contract(symbol="SPY", secType="STK", exchange="SMART", primaryExchange="ARCA",
                   currency="USD")  # fmt: skip
    assert asked("trades").client.sent == [
        ("ticks", 41, spy, "20131007-13:30:00", "", 1000, "TRADES", 0, False, [])
    ]


def test_trades_that_fit_one_answer_end_the_window() -> None:
    desk = asked("trades")
    desk.page(7, 20, False)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 7 trades", 0)]
    assert desk.rig.state.counters.trades_filled == 7
    assert desk.decide(1000.0) == []


def test_the_loss_is_one_of_trades() -> None:
    desk = asked("trades")
    desk.page(7, 20, False)
    assert [loss.feed for loss in desk.losses] == ["trades"]


def test_trades_beyond_one_answer_are_asked_for_from_the_next_second() -> None:
    desk = asked("trades")
    desk.page(900, 20, True)
    assert desk.losses == []
    assert [each[3] for each in desk.decide(6.0)] == ["20131007-13:30:21"]


@pytest.mark.parametrize(("now_s", "asked_for"), [(5.4, 0), (5.5, 1)])
def test_the_next_page_is_asked_for_half_a_second_later(now_s: float, asked_for: int) -> None:
    desk = asked("trades")
    desk.page(900, 20, True)
    assert len(desk.decide(now_s)) == asked_for


@pytest.mark.parametrize(
    ("newest_s", "asked_for"), [(38, ["20131007-13:30:39"]), (39, []), (55, [])]
)
def test_a_full_answer_that_reaches_the_windows_end_is_the_last(
    newest_s: int, asked_for: list[str]
) -> None:
    desk = asked("trades")
    desk.page(900, newest_s, True)
    assert [each[3] for each in desk.decide(6.0)] == asked_for


def paged() -> Desk:
    """Of the window's 40 s the first 21 were told, with 900 trades; the rest is asked for."""
    desk = asked("trades")
    desk.page(900, 20, True)
    desk.decide(6.0)
    return desk


def test_a_window_in_pages_is_entered_once_from_its_beginning_with_the_trades_of_all() -> None:
    desk = paged()
    desk.page(800, 30, True, 42)
    desk.decide(7.0)
    desk.page(50, 39, False, 43)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 1750 trades", 0)]
    assert desk.rig.state.counters.trades_filled == 1750


def test_trades_that_cannot_be_read_are_counted_in_the_windows_loss() -> None:
    desk = asked("trades")
    desk.page(7, 20, False, unreadable=2)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: 7 trades filled, 2 unreadable", 2)]


def test_trades_that_cannot_be_read_are_counted_over_all_pages_of_a_window() -> None:
    desk = asked("trades")
    desk.page(900, 20, True, unreadable=1)
    desk.decide(6.0)
    desk.page(50, 39, False, 42, unreadable=2)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: 950 trades filled, 3 unreadable", 3)]


def test_a_full_answer_of_which_no_time_could_be_read_is_passed_by_a_second() -> None:
    desk = asked("trades")
    desk.page(0, -M, True, unreadable=1000)
    assert [each[3] for each in desk.decide(6.0)] == ["20131007-13:30:01"]


def test_nothing_behind_the_first_page_leaves_a_window_filled_from_its_beginning() -> None:
    desk = paged()
    desk.error(162, NO_DATA, req_id=42)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 900 trades", 0)]


def test_a_refused_page_enters_the_whole_window_and_what_it_got() -> None:
    desk = paged()
    desk.error(354, "Requested market data is not subscribed.", req_id=42)
    assert said(desk.losses) == [
        (
            "SPY", 0, 40,
            "disconnect: 900 trades filled, the rest not: "
            "354 Requested market data is not subscribed.", None,
        ),
    ]  # fmt: skip


def test_a_page_lost_with_the_connection_is_asked_for_again_and_its_window_stays_whole() -> None:
    desk = paged()
    desk.history.disconnected(10.0)
    assert [each[3] for each in desk.decide(26.0)] == ["20131007-13:30:21"]
    desk.page(50, 39, False, 43)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 950 trades", 0)]


def test_a_page_that_waited_beyond_reach_enters_the_whole_window() -> None:
    desk = paged()
    desk.history.disconnected(10.0)
    desk.decide(26.0, 7240.1)
    assert said(desk.losses) == [
        ("SPY", 0, 40, "disconnect: 900 trades filled, the rest not: beyond reach", None)
    ]


def test_the_next_page_has_all_its_tries() -> None:
    desk = asked("trades")
    for n in range(8):
        if n == 4:
            desk.page(900, 20, True, 45)
            desk.decide(80.0)
        desk.error(162, "HMDS server disconnect", 20.0 * n, 41 + n + n // 4)
        assert ids(desk.decide(20.0 * n + 16.0)) == [("ticks", 42 + n + n // 4)]
    assert desk.losses == []


def test_the_next_page_comes_before_the_symbols_other_windows() -> None:
    desk = asked("trades")
    desk.miss(60, 80)
    desk.page(900, 20, True)
    assert [each[:4:3] for each in desk.decide(6.0)] == [("ticks", "20131007-13:30:21")]


def test_a_window_without_trades_is_filled() -> None:
    desk = asked("trades")
    desk.error(162, NO_DATA)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: filled, 0 trades", 0)]
    assert desk.decide(1000.0) == []


def test_trades_that_waited_beyond_reach_are_entered_as_not_filled() -> None:
    desk = Desk()
    desk.miss(feed="trades")
    assert desk.decide(0.0, 7240.1) == []
    assert said(desk.losses) == [
        ("SPY", 0, 40, "disconnect: 0 trades filled, the rest not: beyond reach", None)
    ]


def test_trades_that_cannot_be_read_are_asked_for_again() -> None:
    desk = asked("trades")
    desk.told = BadRow("2 ticks need 13 fields, was 5")
    desk.answer(b"98|41|2|1|")
    assert (desk.losses, ids(desk.decide(21.0))) == ([], [("ticks", 42)])


def test_trades_that_cannot_be_read_five_times_are_given_up() -> None:
    desk = asked("trades")
    desk.told = BadRow("2 ticks need 13 fields, was 5")
    for n in range(5):
        desk.answer(b"98|%d|2|1|" % (41 + n), 20.0 * n)
        desk.decide(20.0 * n + 16.0)
    assert said(desk.losses) == [
        (
            "SPY", 0, 40,
            "disconnect: 0 trades filled, the rest not: "
            "unreadable answer, 2 ticks need 13 fields, was 5", None,
        ),
    ]  # fmt: skip


def test_trades_and_bars_of_one_symbol_are_asked_for_one_after_the_other() -> None:
    desk = asked("trades")
    desk.miss()
    assert desk.decide(1.0) == []
    desk.page(7, 20, False)
    assert ids(desk.decide(6.0)) == [("bars", 42)]


def test_unreadable_prints_of_a_page_are_told_though_the_next_one_has_no_data() -> None:
    desk = asked("trades")
    desk.page(900, 20, full=True, unreadable=1)
    desk.decide(6.0)
    desk.error(162, NO_DATA, req_id=42)
    assert said(desk.losses) == [("SPY", 0, 40, "disconnect: 900 trades filled, 1 unreadable", 1)]


def test_windows_of_trades_that_wait_at_a_stop_are_entered_as_unfilled() -> None:
    desk = asked("trades")
    desk.miss(20, 51, feed="trades")
    desk.miss(20, 51, feed="bars")
    desk.history.stopped()
    assert [loss.reason for loss in desk.losses] == [
        "disconnect: 0 trades filled, the rest not: stopped"
    ] * 2
