from __future__ import annotations

from typing import Any

import pytest

from shared.feeds.ibkr.tick_report import health, metrics
from shared.market.quote import Field, Tick
from shared.normalize.ibkr_ticks import TickParser
from tests.unit.feeds.bar_keeping import in_loop
from tests.unit.feeds.requesting import (
    BARS,
    LINE,
    OTHER_BARS,
    OTHER_LINE,
    OTHER_STREAM,
    STREAM,
    Desk,
    opened,
)

MARKET_FARM = "Market data farm connection is broken:usfarm"
HISTORY_FARM = "HMDS data farm connection is broken:ushmds"


def told(desk: Desk, now_s: float = 0.0) -> tuple[bool, str]:
    answers: list[tuple[bool, str]] = []
    in_loop(lambda: answers.append(health(desk.state)), now_s=now_s)
    return answers[0]


def turned_delayed(desk: Desk) -> Desk:
    for feed in (desk.qqq, desk.spy):
        feed.quote.data_type(3)
    return desk


def test_a_feed_with_everything_is_well() -> None:
    assert told(opened()) == (True, "")


def test_without_a_session_the_gateway_is_not_connected() -> None:
    desk = opened()
    desk.state.session = None
    assert told(desk) == (False, "not connected to the gateway")


@pytest.mark.parametrize("code", [1100, 2110])
def test_a_gateway_without_its_servers_is_no_connection(code: int) -> None:
    desk = opened()
    desk.state.connectivity.notice(code, "Connectivity has been lost.", 0.0)
    assert told(desk) == (False, "gateway lost IB's servers")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (2103, MARKET_FARM, "market data farm broken: usfarm"),
        (2105, HISTORY_FARM, "history farm broken: ushmds"),
    ],
)
def test_a_broken_farm_is_named_on_a_connection_that_stands(
    code: int, text: str, expected: str
) -> None:
    desk = opened()
    desk.state.connectivity.notice(code, text, 0.0)
    assert told(desk) == (True, expected)


def test_all_broken_history_farms_are_named_in_order() -> None:
    desk = opened()
    for name in ("ushmds", "euhmds"):
        desk.state.connectivity.notice(2105, f"HMDS data farm connection is broken:{name}", 0.0)
    assert told(desk) == (True, "history farm broken: euhmds, ushmds")


def test_a_market_farm_is_named_before_a_history_farm() -> None:
    desk = opened()
    desk.state.connectivity.notice(2105, HISTORY_FARM, 0.0)
    desk.state.connectivity.notice(2103, MARKET_FARM, 0.0)
    assert told(desk) == (True, "market data farm broken: usfarm")


def test_symbols_with_delayed_data_that_is_not_published_are_named() -> None:
    assert told(turned_delayed(opened())) == (True, "delayed data is not published: QQQ, SPY")


def test_delayed_data_that_is_published_is_well() -> None:
    assert told(turned_delayed(opened(allow_delayed=True))) == (True, "")


def test_lines_that_are_not_open_yet_at_the_start_are_not_missed() -> None:
    assert told(Desk()) == (True, "")


def test_a_symbol_for_which_no_line_is_free_is_named() -> None:
    desk = opened()
    desk.state.lines.refused("QQQ", 0.0)
    assert told(desk) == (True, "no line for QQQ")


def test_symbols_whose_line_was_refused_are_named_in_order_of_importance() -> None:
    desk = opened()
    for req_id in (OTHER_LINE, LINE):
        desk.error(req_id, 354, "Requested market data is not subscribed.")
    assert told(desk) == (True, "no line for SPY, QQQ")


def test_a_line_that_is_back_is_not_missed() -> None:
    desk = opened()
    desk.error(OTHER_LINE, 10197, "No market data during competing live session")
    desk.later(30.0)
    assert told(desk, 30.0) == (True, "")


def test_symbols_without_permission_for_bars_are_named() -> None:
    desk = opened()
    for req_id in (BARS, OTHER_BARS):
        desk.error(req_id, 420, "Invalid Real-time Query:No market data permissions for NYSE STK")
    assert told(desk) == (True, "no bars for QQQ, SPY")


@pytest.mark.parametrize(
    ("now_s", "expected"),
    [(59.9, "bars wait for the vendor's pacing: SPY, QQQ"), (60.0, "")],
)
def test_symbols_whose_bars_wait_for_the_pacing_are_named(now_s: float, expected: str) -> None:
    desk = opened()
    for req_id in (BARS, OTHER_BARS):
        desk.error(req_id, 420, "Invalid Real-time Query:Historical data request pacing violation")
    assert told(desk, now_s) == (True, expected)


def test_a_missing_stream_is_no_lack() -> None:
    desk = opened()
    desk.error(STREAM, 10189, "Failed to request tick-by-tick data")
    assert told(desk) == (True, "")


def test_the_figures_of_a_feed_that_just_opened_everything() -> None:
    desk = opened()
    assert metrics(desk.state, TickParser()) == {
        "ticks": 0,
        "trades": 0,
        "bars": 0,
        "stragglers": 0,
        "bad_ticks": 0,
        "halts": 0,
        "bars_requested": 2,
        "line_refusals": 0,
        "backfill_pending": 0,
        "bars_filled": 0,
        "late_bars": 0,
        "trades_filled": 0,
        "trades_left_out": 0,
        "unknown_venues": {},
        "lines": 2,
        "streams": 2,
        "stream_limit": 5,
        "bar_streams": 2,
        "delayed": [],
        "reconnects": 0,
        "suspended": [],
    }


@pytest.mark.parametrize(
    ("counter", "name"),
    [
        ("messages", "ticks"),
        ("trades", "trades"),
        ("bars", "bars"),
        ("stragglers", "stragglers"),
        ("bad_ticks", "bad_ticks"),
        ("halts", "halts"),
        ("bars_requested", "bars_requested"),
        ("line_refusals", "line_refusals"),
        ("bars_filled", "bars_filled"),
        ("late_bars", "late_bars"),
        ("trades_filled", "trades_filled"),
    ],
)
def test_every_counter_is_told_by_its_name(counter: str, name: str) -> None:
    desk = Desk()
    setattr(desk.state.counters, counter, 7)
    shown = metrics(desk.state, TickParser())
    assert [key for key, value in shown.items() if value == 7] == [name]


@pytest.mark.parametrize(("connections", "reconnects"), [(0, 0), (1, 0), (2, 1), (5, 4)])
def test_the_first_connection_is_no_reconnect(connections: int, reconnects: int) -> None:
    desk = Desk()
    desk.state.connections = connections
    assert metrics(desk.state, TickParser())["reconnects"] == reconnects


def test_what_was_refused_is_told_by_symbol_and_part_until_it_is_asked_for_again() -> None:
    desk = opened()
    desk.error(STREAM, 10189, "Failed to request tick-by-tick data")
    desk.error(OTHER_LINE, 10197, "No market data during competing live session")
    shown = metrics(desk.state, TickParser())
    assert (shown["suspended"], shown["lines"], shown["streams"], shown["bar_streams"]) == (
        ["QQQ:line", "SPY:stream"], 1, 1, 1,
    )  # fmt: skip
    desk.later(900.0)
    assert metrics(desk.state, TickParser())["suspended"] == []


def test_a_lower_limit_of_streams_is_told() -> None:
    desk = opened()
    desk.error(OTHER_STREAM, 10190, "Max number of tick-by-tick requests has been reached.")
    assert metrics(desk.state, TickParser())["stream_limit"] == 1


def test_delayed_symbols_are_told_whether_they_are_published_or_not() -> None:
    for allowed in (False, True):
        desk = Desk(allow_delayed=allowed)
        desk.spy.quote.apply(Tick(Field.BID, 10.0, 100, delayed=True), 1)
        assert metrics(desk.state, TickParser())["delayed"] == ["SPY"]


def test_windows_of_all_symbols_that_history_owes_are_counted() -> None:
    desk = Desk()
    desk.miss(0, 40)
    desk.miss(0, 40, "QQQ")
    assert metrics(desk.state, TickParser())["backfill_pending"] == 2


def test_prints_that_were_left_out_are_summed_over_the_symbols() -> None:
    desk = Desk()
    desk.spy.splice.left_out, desk.qqq.splice.left_out = 3, 4
    assert metrics(desk.state, TickParser())["trades_left_out"] == 7


def test_letters_without_a_venue_are_told_as_they_are_now() -> None:
    parser: Any = TickParser()
    parser.unknown_venues["U"] = 2
    shown = metrics(Desk().state, parser)
    parser.unknown_venues["U"] = 3
    assert shown["unknown_venues"] == {"U": 2}
