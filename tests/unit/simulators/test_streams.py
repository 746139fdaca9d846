from __future__ import annotations

import pytest

from simulators.tws.world import World

from .worlds import BARS, HISTORY, LINE, TICKS, Receiver, accepted, ask, world


def receiver(connection: int = 1, here: World | None = None, **options: object) -> Receiver:
    return Receiver(here or world(trade_rate=0, history_s=0, **options), connection)


def symbols(count: int) -> list[str]:
    return [f"{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(count)]


def test_a_line_over_the_cap_is_101() -> None:
    client = receiver(line_cap=2)
    assert client.codes(LINE.format(1, "SPY", ".")) == []
    assert client.codes(LINE.format(2, "QQQ", ".")) == []
    replies = client.ask(LINE.format(3, "IWM", "."))
    assert replies == [["4", "2", "3", "101", "Max number of tickers has been reached.", ""]]


def test_lines_are_counted_over_all_clients() -> None:
    here = world(line_cap=1, history_s=0)
    assert receiver(1, here).codes(LINE.format(1, "SPY", ".")) == []
    assert receiver(2, here).codes(LINE.format(1, "QQQ", ".")) == [101]


def test_bars_and_depth_use_lines_too() -> None:
    client = receiver(line_cap=3)
    accepted(client.here, ask(1, "SPY"))
    assert client.codes(BARS.format(2, "SPY", "TRADES")) == []
    assert client.codes(LINE.format(3, "SPY", ".")) == []
    assert client.codes(BARS.format(4, "QQQ", "TRADES")) == [101]
    assert client.here.streams.lines_used() == 3


def test_depth_is_never_refused_for_want_of_lines() -> None:
    client = receiver(line_cap=1)
    client.ask(LINE.format(1, "SPY", "."))
    assert accepted(client.here, ask(2, "QQQ")).state == "live"


def test_a_cancelled_line_is_free_at_once() -> None:
    client = receiver(line_cap=1)
    client.ask(LINE.format(1, "SPY", "."))
    assert client.codes("2 2 1") == []
    assert client.codes(LINE.format(2, "QQQ", ".")) == []


def test_the_sixth_tick_by_tick_stream_is_10190() -> None:
    client = receiver()
    codes = [client.codes(TICKS.format(n, s, "AllLast")) for n, s in enumerate(symbols(6))]
    assert codes == [[], [], [], [], [], [10190]]
    client.ask("98 0")
    assert client.codes(TICKS.format(9, "SPY", "Last")) == []


def test_the_tick_by_tick_cap_may_change() -> None:
    client = receiver(tick_cap=1)
    client.ask(TICKS.format(1, "SPY", "Last"))
    client.here.options.update("tick_cap", 2)
    assert client.codes(TICKS.format(2, "QQQ", "Last")) == []
    assert client.codes(TICKS.format(3, "IWM", "Last")) == [10190]


def test_an_unsupported_tick_type_is_10189() -> None:
    assert receiver().codes(TICKS.format(1, "SPY", "Everything")) == [10189]


def test_an_index_has_no_tick_by_tick_data() -> None:
    index = TICKS.format(1, "SPX", "Last").replace("STK", "IND").replace("SMART", "CBOE")
    assert receiver().codes(index) == [10189]


def test_one_request_per_instrument_in_fifteen_seconds_may_be_enforced() -> None:
    client = receiver(tick_instrument_s=15.0)
    assert client.codes(TICKS.format(1, "SPY", "Last")) == []
    assert client.codes(TICKS.format(2, "SPY", "BidAsk")) == [322]
    assert client.codes(TICKS.format(3, "QQQ", "Last")) == []
    client.now_s += 15
    assert client.codes(TICKS.format(4, "SPY", "BidAsk")) == []


def test_the_sixty_first_new_bar_request_in_ten_minutes_is_420() -> None:
    client = receiver()
    for req_id in range(60):
        client.now_s += 0.1
        assert client.codes(BARS.format(req_id, "SPY", "TRADES")) == []
        client.ask(f"51 1 {req_id}")
    assert client.codes(BARS.format(99, "SPY", "TRADES")) == [420]
    client.now_s += 600
    assert client.codes(BARS.format(99, "SPY", "TRADES")) == []


def test_bar_pacing_may_be_switched_off() -> None:
    client = receiver(bar_pacing="off", rate_limit=0)
    for req_id in range(61):
        assert client.codes(BARS.format(req_id, "SPY", "TRADES")) == []
        client.ask(f"51 1 {req_id}")


def test_a_live_id_used_again_is_102_for_a_line_and_322_for_the_others() -> None:
    client = receiver()
    client.ask(LINE.format(1, "SPY", "."))
    client.ask(TICKS.format(2, "SPY", "Last"))
    client.ask(BARS.format(3, "SPY", "TRADES"))
    assert client.codes(LINE.format(1, "QQQ", ".")) == [102]
    assert client.codes(TICKS.format(2, "QQQ", "Last")) == [322]
    assert client.codes(BARS.format(3, "QQQ", "TRADES")) == [322]


@pytest.mark.parametrize(
    ("cancel", "code"), [("2 2 5", 300), ("98 5", 300), ("51 1 5", 300), ("25 1 5", 366)]
)
def test_a_cancel_of_nothing_is_answered(cancel: str, code: int) -> None:
    client = receiver()
    assert client.codes(cancel) == [code]
    assert client.here.streams.counts.events["cancel_of_unknown"] == 1


def test_a_double_cancel_is_counted_as_one() -> None:
    client = receiver()
    client.ask(LINE.format(1, "SPY", "."))
    assert [client.codes("2 2 1"), client.codes("2 2 1")] == [[], [300]]
    assert client.here.streams.counts.events["double_cancel"] == 1


def test_an_unknown_symbol_is_200() -> None:
    assert receiver().codes(LINE.format(1, "ZZZZ", ".")) == [200]


def test_a_competing_session_refuses_with_10197() -> None:
    client = receiver()
    client.here.streams.competing.add("SPY")
    assert client.codes(LINE.format(1, "SPY", ".")) == [10197]
    assert client.codes(TICKS.format(2, "SPY", "Last")) == [10197]
    assert client.codes(BARS.format(3, "SPY", "TRADES")) == [10197]
    assert client.codes(LINE.format(4, "QQQ", ".")) == []


@pytest.mark.parametrize("code", [354, 10089, 10168, 10186])
def test_a_line_without_permission_is_refused(code: int) -> None:
    client = receiver()
    client.here.streams.entitlements["lines", "*"] = code
    assert client.codes(LINE.format(1, "SPY", ".")) == [code]


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("ticks", 10187, "Failed to request tick-by-tick data:No market data permissions for "),
        ("bars", 420, "Invalid Real-time Query:No market data permissions for ARCA STK"),
    ],
)
def test_other_kinds_have_refusals_of_their_own(kind: str, code: int, text: str) -> None:
    client = receiver()
    client.here.streams.entitlements[kind, "SPY"] = code
    asked = TICKS.format(1, "SPY", "Last") if kind == "ticks" else BARS.format(1, "SPY", "TRADES")
    (reply,) = client.ask(asked)
    assert reply[3] == str(code)
    assert reply[4].startswith(text)


def test_history_without_permission_is_162() -> None:
    client = receiver()
    client.here.streams.entitlements["history", "*"] = 162
    asked = HISTORY.format(1, "SPY", "TRADES", 0)
    (reply,) = client.ask(asked, end="", size="5 secs", duration="60 S")
    assert reply[3:5] == [
        "162",
        "Historical Market Data Service error message:No market data permissions for ARCA STK",
    ]


def test_ticks_may_go_on_after_a_cancel() -> None:
    client = receiver(late_ticks_ms=500)
    client.ask(TICKS.format(1, "SPY", "BidAsk"))
    (stream,) = client.here.streams
    client.ask("98 1")
    assert stream.state == "late"
    client.here.streams.expire(client.now_s + 0.5)
    assert stream.state == "ended"


def test_a_disconnect_ends_all_streams_of_that_client() -> None:
    here = world(history_s=0)
    first, second = receiver(1, here), receiver(2, here)
    first.ask(LINE.format(1, "SPY", "."))
    second.ask(LINE.format(1, "SPY", "."))
    first.session.disconnected(first.now)
    assert [s.client.connection for s in here.streams] == [2]
