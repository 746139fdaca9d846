from __future__ import annotations

from collections import Counter

import pytest

from shared.market.quote import Field, Tick
from shared.market.trade import Trade, TradeFeed
from tests.unit.feeds.bar_keeping import M
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

NOTHING = (0, 0, 0)


def test_a_closed_line_is_cancelled_with_its_bars_and_once() -> None:
    desk = opened()
    sent = [desk.at(1.0, desk.requests.close_line, desk.spy, "no room") for _ in range(2)]
    assert sent == [[("cancelMktData", LINE), ("cancelRealTimeBars", BARS)], []]
    assert desk.ids()[0] == (0, 0, STREAM)


def test_closed_bars_are_cancelled_once_and_leave_the_line() -> None:
    desk = opened()
    sent = [desk.at(1.0, desk.requests.close_bars, desk.spy, "no room") for _ in range(2)]
    assert (sent, desk.ids()[0]) == ([[("cancelRealTimeBars", BARS)], []], (LINE, 0, STREAM))


def test_a_stream_goes_to_a_more_important_symbol_and_is_cancelled_for_it() -> None:
    desk = Desk(tick_streams=1)
    desk.state.streams.exclude("SPY")
    desk.decide(0.0)
    desk.state.streams.include("SPY")
    assert calls(desk.decide(1.0)) == [("cancelTickByTickData", 5)]
    assert calls(desk.decide(2.0)) == [("reqTickByTickData", 6)]
    assert desk.ids() == ((1, 2, 6), (3, 4, 0))


@pytest.mark.parametrize(
    ("kind", "left"),
    [("line", (0, BARS, STREAM)), ("bars", (LINE, 0, STREAM)), ("stream", (LINE, BARS, 0))],
)
def test_what_the_gateway_ended_is_forgotten_and_nothing_sent(
    kind: str, left: tuple[int, int, int]
) -> None:
    desk = opened()
    assert desk.at(1.0, getattr(desk.requests, f"forget_{kind}"), desk.spy, "error 300") == []
    assert (desk.ids()[0], len(desk.requests.by_id)) == (left, 5)


@pytest.mark.parametrize(("kind", "table"), [("line", "lines"), ("bars", "bars"),
                                             ("stream", "streams")])  # fmt: skip
def test_messages_of_what_was_forgotten_belong_to_nobody(kind: str, table: str) -> None:
    desk = opened()
    desk.at(1.0, getattr(desk.requests, f"forget_{kind}"), desk.spy, "error 300")
    assert list(getattr(desk.requests.rows, table).values()) == [desk.qqq]


def test_the_quote_of_a_line_that_ended_is_withdrawn_and_forgotten() -> None:
    desk = opened()
    desk.spy.quote.apply(Tick(Field.BID, 10.0, 100), 1)
    desk.at(1.0, desk.requests.forget_line, desk.spy, "error 300")
    assert desk.outlet.quotes == [("SPY", None)]
    assert desk.spy.quote.get(Field.BID) is None


def test_bars_that_were_not_open_have_no_window_where_they_are_forgotten() -> None:
    desk = Desk()
    desk.at(1.0, desk.requests.forget_bars, desk.spy, "error 300")
    desk.rig.keeper.restored(["SPY"])
    assert desk.rig.pending() == []


@pytest.mark.parametrize(("first", "second"), [("line", "stream"), ("stream", "line")])
def test_prints_may_be_lost_once_neither_line_nor_stream_is_open(first: str, second: str) -> None:
    desk = opened()
    desk.hear(100.0)
    desk.at(1.0, getattr(desk.requests, f"forget_{first}"), desk.spy, "error 300")
    assert desk.interrupted() == [None, None]
    desk.at(1.0, getattr(desk.requests, f"forget_{second}"), desk.spy, "error 10189")
    assert desk.interrupted() == [(100.0, "error 10189"), None]


def held_back() -> tuple[Desk, list[Trade]]:
    """The line is the source; the stream's print of the second behind its first is held back."""
    desk = opened()
    desk.requests.rows.now_ms = (M + 1) * 1000
    for second in (M, M + 1):
        row = b"99|5|2|%d|10|100|0|ARCA||" % second
        desk.requests.rows.on_print(row.split(b"|"))
    assert desk.outlet.trades == []
    trade = Trade(
        "SPY",
        10,
        100,
        "ARCA",
        (M + 1) * 1000,
        (M + 1) * 1000,
        TradeFeed.TICK_BY_TICK,
        "",
        False,
        False,
    )
    return desk, [trade]


def test_prints_that_were_held_back_for_a_line_go_out_when_it_ends() -> None:
    desk, held = held_back()
    desk.at(1.0, desk.requests.forget_line, desk.spy, "error 300")
    assert desk.outlet.trades == held


def test_prints_of_the_line_that_were_held_back_for_a_stream_go_out_when_it_ends() -> None:
    desk, held = held_back()
    rows = desk.requests.rows
    for text in (
        b"10;100;%d;9;10;true" % ((M + 1) * 1000),
        b"11;70;%d;9;10;true" % ((M + 2) * 1000),
    ):
        rows.on_line([b"46", b"6", b"1", b"48", text, b""])
    before = [(trade.price, trade.size) for trade in desk.outlet.trades]
    desk.at(1.0, desk.requests.forget_stream, desk.spy, "error 300")
    after = [(trade.price, trade.size) for trade in desk.outlet.trades]
    assert (before, after) == ([(10, 100)], [(10, 100), (11, 70)])


def test_prints_that_were_held_back_go_out_when_everything_is_lost() -> None:
    desk, held = held_back()
    desk.at(1.0, desk.requests.lost_all, "disconnect")
    assert desk.outlet.trades == held


def test_what_is_lost_with_the_connection_is_not_cancelled_and_forgotten() -> None:
    desk = opened()
    desk.spy.quote.apply(Tick(Field.BID, 10.0, 100), 1)
    assert desk.at(1.0, desk.requests.lost_all, "disconnect") == []
    rows = desk.requests.rows
    assert desk.spy.quote.get(Field.BID) is None
    assert (desk.ids(), desk.requests.by_id) == ((NOTHING, NOTHING), {})
    assert (rows.lines, rows.bars, rows.streams) == ({}, {}, {})
    assert desk.outlet.quotes == [("SPY", None), ("QQQ", None)]


def test_after_a_lost_connection_all_is_asked_for_again_and_streams_when_they_may() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.lost_all, "disconnect")
    assert desk.decide(1.0) == []
    desk.state.lines.connected()
    desk.state.streams.connected()
    assert calls(desk.decide(2.0)) == [
        ("reqMktData", 7), ("reqRealTimeBars", 8), ("reqMktData", 9), ("reqRealTimeBars", 10),
    ]  # fmt: skip
    assert (desk.decide(14.9), len(desk.decide(15.0))) == ([], 2)


def test_prints_of_every_symbol_that_was_heard_may_be_lost_with_the_connection() -> None:
    desk = opened()
    desk.hear(100.0)
    desk.qqq.heard_ms = 0
    desk.at(1.0, desk.requests.lost_all, "disconnect")
    assert desk.interrupted() == [(100.0, "disconnect"), None]


def test_bars_of_every_symbol_are_fetched_back_from_before_the_connection_was_lost() -> None:
    desk = opened()
    desk.hear(104.0)
    desk.rig.at_s = 118.0
    desk.at(1.0, desk.requests.lost_all, "disconnect")
    desk.state.lines.connected()
    desk.rig.at_s = 120.0
    desk.decide(2.0)
    window = (90, 130, "disconnect")
    assert (desk.rig.pending(), desk.rig.pending("QQQ")) == ([window], [window])


def test_the_first_interruption_counts_until_prints_come_again() -> None:
    desk = opened()
    desk.hear(100.0)
    desk.requests.interrupt([desk.spy], "2103: farm")
    desk.hear(110.0)
    desk.requests.interrupt([desk.spy, desk.qqq], "disconnect")
    assert desk.interrupted() == [(100.0, "2103: farm"), (110.0, "disconnect")]


def test_bars_of_the_symbols_that_have_them_are_missing_since_anything_was_heard_last() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.close_bars, desk.qqq, "no room")
    desk.state.bars.ended("QQQ", 1.0, 0.0)
    desk.hear(104.0)
    desk.requests.interrupt_bars("2105: farm")
    desk.rig.at_s = 120.0
    desk.rig.keeper.restored(["SPY", "QQQ"])
    assert desk.rig.pending() == [(90, 130, "2105: farm")]
    assert [reason for *_, reason in desk.rig.pending("QQQ")] == ["no room"]


def test_at_a_stop_every_open_request_is_cancelled_once() -> None:
    desk = opened()
    assert Counter(desk.at(1.0, desk.requests.cancel_all)) == Counter(
        [
            ("cancelMktData", LINE), ("cancelMktData", OTHER_LINE),
            ("cancelRealTimeBars", BARS), ("cancelRealTimeBars", OTHER_BARS),
            ("cancelTickByTickData", STREAM), ("cancelTickByTickData", OTHER_STREAM),
        ]
    )  # fmt: skip


def test_at_a_stop_nothing_is_cancelled_that_is_not_open_any_more() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.close_line, desk.spy, "no room")
    desk.at(1.0, desk.requests.forget_bars, desk.qqq, "error 10182")
    desk.at(1.0, desk.requests.forget_stream, desk.qqq, "error 10189")
    assert sorted(calls(desk.at(1.0, desk.requests.cancel_all))) == [
        ("cancelMktData", OTHER_LINE), ("cancelTickByTickData", STREAM),
    ]  # fmt: skip
