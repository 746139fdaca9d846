from __future__ import annotations

from collections import Counter

import pytest

from shared.market.loss import Loss
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


def muted(newest_bar_s: float, heard_s: float) -> Desk:
    """All is open; SPY's newest bar is older than what was heard last of anything."""
    desk = opened()
    desk.hear(heard_s)
    desk.spy.bar_heard_ms = int((M + newest_bar_s) * 1000)
    return desk


@pytest.mark.parametrize(
    ("bars", "sent"),
    [
        (False, [("cancelMktData", LINE), ("cancelTickByTickData", STREAM)]),
        (
            True,
            [
                ("cancelMktData", LINE),
                ("cancelTickByTickData", STREAM),
                ("cancelRealTimeBars", BARS),
            ],
        ),
    ],
)
def test_a_renewed_symbol_is_cancelled_once_and_its_bars_where_they_are_to_be(
    bars: bool, sent: list[tuple[object, object]]
) -> None:
    desk = opened()
    assert calls(desk.at(1.0, desk.requests.renew, desk.spy, "mute", bars)) == sent
    assert desk.ids()[1] == (OTHER_LINE, OTHER_BARS, OTHER_STREAM)


def test_what_was_renewed_is_asked_for_again_when_its_line_is_no_longer_counted() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.renew, desk.spy, "mute", True)
    assert desk.decide(1.9) == []
    assert calls(desk.decide(2.0)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]
    assert calls(desk.decide(14.9) + desk.decide(15.0)) == [("reqTickByTickData", 9)]
    assert desk.ids()[0] == (7, 8, 9)


def test_bars_stay_where_only_the_line_is_renewed() -> None:
    desk = opened()
    desk.at(1.0, desk.requests.renew, desk.spy, "mute trades", False)
    assert calls(desk.decide(2.0)) == [("reqMktData", 7)]
    assert desk.rig.pending() == []


def test_a_renewed_symbol_may_have_lost_prints_and_the_others_not() -> None:
    desk = opened()
    desk.hear(100.0)
    desk.at(1.0, desk.requests.renew, desk.spy, "2104: farm", False)
    assert desk.interrupted() == [(100.0, "2104: farm"), None]


def test_what_was_renewed_twice_in_a_row_is_cancelled_once() -> None:
    desk = opened()
    sent = [desk.at(1.0, desk.requests.renew, desk.spy, "mute", True) for _ in range(2)]
    assert [len(each) for each in sent] == [3, 0]


def test_a_symbol_of_which_nothing_is_open_is_not_cancelled_and_asked_for_again() -> None:
    desk = opened()
    for kind in ("line", "bars", "stream"):
        desk.at(1.0, getattr(desk.requests, f"forget_{kind}"), desk.spy, "error 300")
    assert desk.at(1.0, desk.requests.renew, desk.spy, "mute", True) == []
    desk.state.lines.ended("SPY")
    assert calls(desk.decide(1.0)) == [("reqMktData", 7), ("reqRealTimeBars", 8)]


@pytest.mark.parametrize(
    ("reason", "window"),
    [
        ("mute bars", (40, 160)),
        ("mute", (40, 160)),
        ("2106: HMDS data farm connection is OK:ushmds", (130, 160)),
    ],
)
def test_mute_bars_are_missing_since_the_newest_one_and_others_since_the_connection_spoke(
    reason: str, window: tuple[int, int]
) -> None:
    desk = muted(50.0, 144.0)
    desk.rig.at_s = 150.0
    desk.at(1.0, desk.requests.renew_bars, desk.spy, reason)
    desk.decide(1.0)
    assert desk.rig.pending() == [(*window, reason)]


def test_a_renewal_of_everything_takes_mute_bars_back_to_the_newest_one() -> None:
    desk = muted(50.0, 144.0)
    desk.at(1.0, desk.requests.renew, desk.spy, "mute", True)
    desk.rig.at_s = 150.0
    desk.decide(2.0)
    assert desk.rig.pending() == [(40, 160, "mute")]


def test_the_bars_of_the_other_symbol_have_no_window() -> None:
    desk = muted(50.0, 144.0)
    desk.at(1.0, desk.requests.renew_bars, desk.spy, "mute bars")
    desk.decide(1.0)
    assert desk.rig.pending("QQQ") == []


def test_bars_are_asked_for_again_at_once_though_they_had_to_wait() -> None:
    desk = opened()
    desk.at(0.0, desk.requests.forget_bars, desk.spy, "error 10182")
    desk.state.bars.ended("SPY", 0.0, 60.0)
    desk.at(1.0, desk.requests.renew_bars, desk.spy, "2106: farm")
    assert calls(desk.decide(1.0)) == [("reqRealTimeBars", 7)]


def test_over_renewals_and_a_stop_each_open_request_is_cancelled_once_and_no_refused_one() -> None:
    desk = opened()
    requests = desk.requests
    desk.at(1.0, requests.renew, desk.spy, "mute", True)
    desk.decide(20.0)
    desk.error(OTHER_BARS, 101, "Max number of tickers has been reached.", 21.0)
    desk.at(21.0, requests.renew_bars, desk.spy, "mute bars")
    desk.decide(22.0)
    for _ in range(2):
        desk.at(23.0, requests.renew, desk.spy, "2104: farm", False)
    desk.at(24.0, requests.cancel_all)
    cancelled = Counter(each[1] for each in desk.wire.sent if str(each[0]).startswith("cancel"))
    assert cancelled == dict.fromkeys([1, 2, 3, 5, 6, 7, 8, 9, 10], 1)


def test_prints_that_could_not_be_read_are_a_loss_and_told_once() -> None:
    desk = opened()
    desk.spy.unreadable["trades"] = (3, (M + 10) * 1000)
    for _ in range(2):
        desk.at(1.0, desk.requests.unreadable, desk.spy, (M + 11) * 1000)
    assert desk.outlet.losses == [
        Loss("trades", "SPY", (M + 10) * 1000, (M + 11) * 1000, "unreadable", 3)
    ]


def test_bars_that_could_not_be_read_are_fetched_back_and_are_no_loss_yet() -> None:
    desk = opened()
    desk.rig.at_s = 101.0
    desk.spy.unreadable["bars"] = (1, (M + 100) * 1000)
    for _ in range(2):
        desk.at(1.0, desk.requests.unreadable, desk.spy, (M + 101) * 1000)
    assert (desk.outlet.losses, desk.rig.pending()) == ([], [(90, 110, "unreadable bar")])


def test_prints_and_bars_that_could_not_be_read_are_told_apart() -> None:
    desk = opened()
    desk.rig.at_s = 101.0
    desk.spy.unreadable |= {"bars": (1, (M + 100) * 1000), "trades": (2, (M + 100) * 1000)}
    desk.at(1.0, desk.requests.unreadable, desk.spy, (M + 101) * 1000)
    assert [(loss.feed, loss.count) for loss in desk.outlet.losses] == [("trades", 2)]
    assert len(desk.rig.pending()) == 1


@pytest.mark.parametrize("wanted", [False, True])
def test_published_prints_are_remembered_where_trades_are_to_be_fetched_back(
    wanted: bool,
) -> None:
    desk = Desk(backfill_trades=wanted)
    assert list(desk.requests.rows.published or {}) == (["SPY", "QQQ"] if wanted else [])


def test_prints_of_an_earlier_run_are_remembered_as_published() -> None:
    desk = Desk(backfill_trades=True)
    trade = Trade("SPY", 10.0, 100, "ARCA", M * 1000, 0, TradeFeed.TICK_BY_TICK)
    desk.at(1.0, desk.requests.recall, "SPY", [trade])
    published = desk.requests.rows.published
    assert published is not None
    assert (published["SPY"].missing([trade]), published["QQQ"].missing([trade])) == ([], [trade])


def test_prints_of_an_earlier_run_are_of_no_use_where_none_are_fetched_back() -> None:
    desk = Desk()
    trade = Trade("SPY", 10.0, 100, "ARCA", M * 1000, 0, TradeFeed.TICK_BY_TICK)
    desk.at(1.0, desk.requests.recall, "SPY", [trade])
    assert desk.requests.rows.published is None


def test_a_new_connection_knows_what_was_published_and_counted_and_no_old_request() -> None:
    desk = opened(backfill_trades=True)
    old, parser = desk.requests.rows, desk.requests.parser
    desk.at(1.0, desk.requests.new_rows)
    new = desk.requests.rows
    assert (new is old, new.lines, new.bars, new.streams) == (False, {}, {}, {})
    assert (new.published is old.published, new.parser is parser) == (True, True)
    assert desk.requests.by_id == {}


def test_trades_that_were_mute_are_missing_since_the_newest_print() -> None:
    desk = opened()
    desk.hear(100.0)
    # Ticks of other kinds were heard until just now.
    desk.spy.heard_s = 50.0
    desk.spy.mute.print_s = 12.5
    desk.at(51.0, desk.requests.renew, desk.spy, "mute trades", False)
    assert desk.interrupted()[0] == (62.5, "mute trades")


@pytest.mark.parametrize("reason", ["mute", "2104: farm", "disconnect: timeout"])
def test_trades_of_a_symbol_that_is_silent_are_missing_since_it_was_heard_last(
    reason: str,
) -> None:
    desk = opened()
    desk.hear(100.0)
    desk.spy.heard_s, desk.spy.mute.print_s = 50.0, 12.5
    desk.at(51.0, desk.requests.renew, desk.spy, reason, False)
    assert desk.interrupted()[0] == (100.0, reason)
