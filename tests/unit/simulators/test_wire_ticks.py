from __future__ import annotations

from simulators.tws import wire_ticks
from simulators.tws.bars import Bar
from simulators.tws.prints import PAST_LIMIT, UNREPORTED, Print
from simulators.tws.quotes import NO_QUOTE, Quote
from simulators.tws.wire import FrameBuffer, fields_of

from .test_wire import recorded

PRINT = Print(
    7, 1_700_000_000_123, 5_859_400, 100, "P", "F", 0, True, total=2_000, value_e4=11_718_000_000
)
QUOTE = Quote(5_859_400, 300, 5_859_500, 200)
BAR = Bar(
    1_700_000_000, 5_859_400, 5_860_000, 5_859_300, 5_859_900, 1_500, 1_500 * 5_859_600, trades=12
)
QUOTE_BAR = Bar(1_700_000_000, 5_859_400, 5_860_000, 5_859_300, 5_859_950, -1, 0, trades=-1)


def fields(data: bytes) -> list[str]:
    (payload,) = FrameBuffer().feed(data)
    return fields_of(payload)


def test_a_price_tick_has_price_size_and_mask() -> None:
    assert (
        wire_ticks.tick_price(3, 1, 5_859_400, 300, 1)
        == b"\x00\x00\x00\x151\x006\x003\x001\x00585.94\x00300\x001\x00"
    )


def test_an_absent_price_is_minus_one() -> None:
    sent = fields(wire_ticks.tick_price(3, 2, NO_QUOTE.ask_e4, NO_QUOTE.ask_size))
    assert sent == ["1", "6", "3", "2", "-1.00", "0", "0"]


def test_a_size_tick_has_the_size_alone() -> None:
    assert wire_ticks.tick_size(3, 8, 6_514) == b"\x00\x00\x00\x0d2\x006\x003\x008\x006514\x00"


def test_a_generic_tick_is_message_45() -> None:
    assert wire_ticks.tick_generic(3, 49, 1) == b"\x00\x00\x00\x0c45\x006\x003\x0049\x001\x00"


def test_a_string_tick_is_message_46() -> None:
    assert wire_ticks.tick_string(3, 84, "P") == b"\x00\x00\x00\x0c46\x006\x003\x0084\x00P\x00"


def test_request_parameters_have_no_version_field() -> None:
    assert (
        wire_ticks.tick_req_params(3, "0.01", "9c0001")
        == b"\x00\x00\x00\x1381\x003\x000.01\x009c0001\x003\x00"
    )


def test_a_snapshot_ends_with_message_57() -> None:
    assert wire_ticks.snapshot_end(3) == b"\x00\x00\x00\x0757\x001\x003\x00"


def test_rt_volume_is_six_fields_between_semicolons() -> None:
    text = wire_ticks.rt_volume_text(PRINT)
    assert text == "585.94;100;1700000000123;2000;585.90000000;true"


def test_rt_volume_of_what_is_no_trade_has_an_empty_price() -> None:
    text = wire_ticks.rt_volume_text(PRINT._replace(number=0, price_e4=-10_000, size=0))
    assert text == ";0;1700000000123;2000;585.90000000;true"


def test_rt_volume_before_any_volume_has_no_average() -> None:
    text = wire_ticks.rt_volume_text(PRINT._replace(total=0, value_e4=0, single=False))
    assert text == "585.94;100;1700000000123;0;0.00000000;false"


def test_a_tick_by_tick_trade_has_seconds_mask_venue_and_conditions() -> None:
    assert (
        wire_ticks.tick_by_tick_trade(5, 2, PRINT, "ARCA")
        == b"\x00\x00\x00\x2699\x005\x002\x001700000000\x00585.94\x00100\x000\x00ARCA\x00F\x00"
    )


def test_the_mask_of_a_trade_says_past_limit_and_unreported() -> None:
    both = PRINT._replace(mask=PAST_LIMIT + UNREPORTED, size=0.5, conditions="")
    sent = fields(wire_ticks.tick_by_tick_trade(5, 1, both, "FINRA"))
    assert sent == ["99", "5", "1", "1700000000", "585.94", "0.5", "3", "FINRA", ""]


def test_a_tick_by_tick_quote_has_both_prices_before_both_sizes() -> None:
    sent = fields(wire_ticks.tick_by_tick_bid_ask(5, 1_700_000_000, QUOTE))
    assert sent == ["99", "5", "3", "1700000000", "585.94", "585.95", "300", "200", "0"]


def test_a_midpoint_may_lie_between_cents() -> None:
    sent = fields(wire_ticks.tick_by_tick_mid_point(5, 1_700_000_000, QUOTE.mid_e4))
    assert sent == ["99", "5", "4", "1700000000", "585.9450"]


def test_a_real_time_bar_has_its_start_and_three_figures_of_trades() -> None:
    sent = fields(wire_ticks.real_time_bar(9, BAR))
    assert sent[:4] == ["50", "3", "9", "1700000000"]
    assert sent[4:] == ["585.94", "586.00", "585.93", "585.99", "1500", "585.960000", "12"]


def test_a_bar_of_quotes_has_no_volume() -> None:
    assert fields(wire_ticks.real_time_bar(9, QUOTE_BAR))[8:] == ["-1", "-1", "-1"]


def test_history_says_how_many_bars_there_are() -> None:
    period = ("20231114 17:13:20 US/Eastern", "20231114 17:13:25 US/Eastern")
    sent = fields(wire_ticks.historical_data(9, period, [("1700000000", BAR)]))
    assert sent[:5] == ["17", "9", *period, "1"]
    assert sent[5:] == ["1700000000", *fields(wire_ticks.real_time_bar(9, BAR))[4:]]


def test_history_has_the_layout_of_the_recorded_one() -> None:
    real = recorded()["HistoricalData"]
    sent = fields(wire_ticks.historical_data(1001, (real[2], real[3]), [(real[5], BAR)] * 7))
    assert len(sent) == len(real)
    assert sent[:6] == real[:6]


def test_price_and_size_ticks_equal_the_recorded_ones() -> None:
    frames = recorded()
    assert fields(wire_ticks.tick_price(1001, 68, 2_554_500, 200)) == frames["TickPrice"]
    assert fields(wire_ticks.tick_size(1001, 74, 312_894)) == frames["TickSize"]
    assert fields(wire_ticks.snapshot_end(1001)) == frames["TickSnapshotEnd"]


def test_an_update_of_history_has_open_close_high_low() -> None:
    sent = fields(wire_ticks.historical_data_update(9, "1700000000", BAR))
    assert sent[:4] == ["90", "9", "12", "1700000000"]
    assert sent[4:] == ["585.94", "585.99", "586.00", "585.93", "585.960000", "1500"]


def test_historical_trades_end_with_done() -> None:
    sent = fields(wire_ticks.historical_trades(9, [(PRINT, "ARCA")]))
    assert sent == ["98", "9", "1", "1700000000", "0", "585.94", "100", "ARCA", "F", "1"]


def test_historical_quotes_have_a_mask_before_the_prices() -> None:
    sent = fields(wire_ticks.historical_quotes(9, [(1_700_000_000_500, QUOTE)]))
    assert sent == ["97", "9", "1", "1700000000", "0", "585.94", "585.95", "300", "200", "1"]


def test_historical_midpoints_have_a_field_nobody_reads() -> None:
    sent = fields(wire_ticks.historical_midpoints(9, [(1_700_000_000_500, QUOTE)]))
    assert sent == ["96", "9", "1", "1700000000", "0", "585.9450", "0", "1"]


def test_no_history_of_ticks_is_an_empty_answer() -> None:
    assert fields(wire_ticks.historical_trades(9, [])) == ["98", "9", "0", "1"]
