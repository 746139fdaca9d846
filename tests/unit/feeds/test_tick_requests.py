from __future__ import annotations

import pytest

from shared.control.silence import Verdict
from tests.unit.feeds.bar_keeping import M
from tests.unit.feeds.requesting import (
    BARS,
    LINE,
    OTHER_BARS,
    OTHER_LINE,
    OTHER_STREAM,
    SPY,
    STREAM,
    Desk,
    calls,
    opened,
)


@pytest.mark.parametrize(("allowed", "kind"), [(False, 1), (True, 3)])
def test_a_connection_says_which_kind_of_data_is_wanted(allowed: bool, kind: int) -> None:
    desk = Desk(allow_delayed=allowed)
    assert desk.at(0.0, desk.requests.start) == [("reqMarketDataType", kind)]


def test_a_line_is_asked_for_with_the_prints_of_rtvolume_and_no_snapshot() -> None:
    assert opened().wire.sent[0] == ("reqMktData", LINE, SPY, "233", False, False, [])


def test_bars_are_asked_for_of_trades_at_all_hours() -> None:
    assert opened().wire.sent[1] == ("reqRealTimeBars", BARS, SPY, 5, "TRADES", 0, [])


def test_a_stream_is_asked_for_of_all_prints_and_none_of_the_past() -> None:
    assert opened().wire.sent[4] == ("reqTickByTickData", STREAM, SPY, "AllLast", 0, False)


def test_bars_are_asked_for_right_behind_their_line_and_streams_behind_all_of_them() -> None:
    assert calls(opened().wire.sent) == [
        ("reqMktData", LINE),
        ("reqRealTimeBars", BARS),
        ("reqMktData", OTHER_LINE),
        ("reqRealTimeBars", OTHER_BARS),
        ("reqTickByTickData", STREAM),
        ("reqTickByTickData", OTHER_STREAM),
    ]


def test_every_open_request_is_known_by_its_id_and_by_its_symbol() -> None:
    desk = opened()
    assert desk.ids() == ((LINE, BARS, STREAM), (OTHER_LINE, OTHER_BARS, OTHER_STREAM))
    assert {n: (kind, feed.symbol) for n, (kind, feed) in desk.requests.by_id.items()} == {
        1: ("line", "SPY"), 2: ("bars", "SPY"), 3: ("line", "QQQ"),
        4: ("bars", "QQQ"), 5: ("stream", "SPY"), 6: ("stream", "QQQ"),
    }  # fmt: skip


def test_messages_are_routed_to_the_symbol_that_asked_for_them() -> None:
    desk = opened()
    rows = desk.requests.rows
    assert (rows.lines, rows.bars, rows.streams) == (
        {b"1": desk.spy, b"3": desk.qqq},
        {b"2": desk.spy, b"4": desk.qqq},
        {b"5": desk.spy, b"6": desk.qqq},
    )


def test_what_is_open_is_not_asked_for_again() -> None:
    desk = opened()
    assert [desk.decide(now_s) for now_s in (0.1, 20.0, 1000.0)] == [[], [], []]


def test_nothing_is_asked_for_before_the_connection_is_there() -> None:
    desk = Desk()
    desk.state.lines.disconnected()
    desk.state.streams.disconnected()
    assert desk.decide(0.0) == []


def test_bars_that_are_asked_for_are_counted() -> None:
    assert opened().state.counters.bars_requested == 2


@pytest.mark.parametrize(
    ("messages", "sent"),
    [(2, [2, 0, 2, 2, 0]), (3, [3, 0, 3, 0, 0]), (4, [4, 0, 2, 0, 0]), (6, [6, 0, 0, 0, 0])],
)
def test_no_more_messages_are_sent_than_a_second_has(messages: int, sent: list[int]) -> None:
    desk = Desk(messages)
    assert [len(desk.decide(now_s)) for now_s in (0.0, 0.9, 1.0, 2.1, 3.2)] == sent


def test_a_single_message_a_second_opens_lines_before_bars_and_bars_before_streams() -> None:
    desk = Desk(1)
    assert [calls(desk.decide(float(second))) for second in range(7)] == [
        [("reqMktData", 1)], [("reqMktData", 2)],
        [("reqRealTimeBars", 3)], [("reqRealTimeBars", 4)],
        [("reqTickByTickData", 5)], [("reqTickByTickData", 6)], [],
    ]  # fmt: skip


def test_few_messages_open_a_symbol_with_its_bars_before_the_next() -> None:
    assert calls(Desk(2).decide(0.0)) == [("reqMktData", 1), ("reqRealTimeBars", 2)]


def test_bars_that_the_account_may_not_have_are_not_asked_for_behind_their_line() -> None:
    desk = Desk(tick_streams=0)
    desk.state.no_bars.add("SPY")
    assert calls(desk.decide(0.0)) == [
        ("reqMktData", 1), ("reqMktData", 2), ("reqRealTimeBars", 3),
    ]  # fmt: skip
    assert desk.ids() == ((1, 0, 0), (2, 3, 0))


def test_new_bars_give_what_is_missing_in_them_its_time_again() -> None:
    desk = opened()
    desk.spy.mute.print(M + 5, True, 0.0)
    desk.at(1.0, desk.requests.renew_bars, desk.spy, "mute bars")
    desk.decide(2.0)
    assert (desk.spy.mute.unbarred, desk.spy.mute.print_s) == (False, 2.0)


def test_a_new_line_gives_its_prints_and_its_ticks_their_time_again() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.renew, desk.spy, "mute trades", False)
    desk.decide(900.0)
    assert desk.spy.mute.print_s == 900.0
    assert [desk.spy.silence.judge(now_s) for now_s in (930.0, 930.1)] == [
        Verdict.FINE, Verdict.PROBE,
    ]  # fmt: skip


def test_until_its_first_bar_a_symbols_bars_came_up_to_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.feeds.ibkr.tick_requests.now_ms", lambda: (M + 7) * 1000)
    assert opened().spy.bar_heard_ms == (M + 7) * 1000


def test_bars_that_are_asked_for_close_the_window_that_is_to_be_filled() -> None:
    desk = Desk()
    desk.rig.interrupt(104.0, 104.0)
    desk.rig.at_s = 120.0
    desk.decide(0.0)
    assert desk.rig.pending() == [(90, 130, "disconnect")]
