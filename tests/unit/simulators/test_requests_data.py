from __future__ import annotations

import pytest

from simulators.errors import WireError
from simulators.tws.request_fields import ContractFields
from simulators.tws.requests import parse_request
from simulators.tws.requests_data import (
    HistoricalDataCancel,
    HistoricalDataRequest,
    HistoricalTicksRequest,
    MarketDataCancel,
    MarketDataRequest,
    RealTimeBarsCancel,
    RealTimeBarsRequest,
    TickByTickCancel,
    TickByTickRequest,
)

from .test_requests import split

# As ib_async 2.1 sends them at server version 178.
SPY = "756733 SPY STK . 0.0 . . SMART ARCA USD SPY SPY"
CONTRACT = ContractFields(
    *(756733, "SPY", "STK", "", "0.0", "", "", "SMART", "ARCA", "USD", "SPY", "SPY")
)


def test_market_data_names_its_generic_ticks() -> None:
    request = parse_request(split(f"1 11 3 {SPY} 0 233,375 0 0 ."))
    assert request == MarketDataRequest(3, CONTRACT, ("233", "375"), snapshot=False)


def test_a_snapshot_says_so_behind_the_generic_ticks() -> None:
    request = parse_request(split(f"1 11 3 {SPY} 0 . 1 0 ."))
    assert request == MarketDataRequest(3, CONTRACT, (), snapshot=True)


def test_a_delta_neutral_contract_is_read_over() -> None:
    request = parse_request(split(f"1 11 3 {SPY} 1 265598 0.5 230.0 233 0 0 ."))
    assert request == MarketDataRequest(3, CONTRACT, ("233",), snapshot=False)


def test_the_legs_of_a_combo_are_read_over() -> None:
    combo = SPY.replace("STK", "BAG")
    legs = "2 756733 1 BUY SMART 265598 1 SELL SMART"
    request = parse_request(split(f"1 11 3 {combo} {legs} 0 233 0 0 ."))
    assert isinstance(request, MarketDataRequest)
    assert request.generic_ticks == ("233",)


def test_a_combo_with_too_few_legs_is_refused() -> None:
    with pytest.raises(WireError, match="message 1 too short, was 0 last fields, expected 3"):
        parse_request(split(f"1 11 3 {SPY.replace('STK', 'BAG')} 9 1 2 3"))


def test_cancels_carry_the_req_id_alone() -> None:
    assert parse_request(["2", "2", "3"]) == MarketDataCancel(3)
    assert parse_request(["98", "3"]) == TickByTickCancel(3)
    assert parse_request(["51", "1", "3"]) == RealTimeBarsCancel(3)
    assert parse_request(["25", "1", "3"]) == HistoricalDataCancel(3)


def test_tick_by_tick_has_no_version_field() -> None:
    request = parse_request(split(f"97 4 {SPY} AllLast 0 0"))
    assert request == TickByTickRequest(4, CONTRACT, "AllLast", 0, ignore_size=False)


def test_tick_by_tick_quotes_may_ignore_sizes() -> None:
    request = parse_request(split(f"97 4 {SPY} BidAsk 10 1"))
    assert request == TickByTickRequest(4, CONTRACT, "BidAsk", 10, ignore_size=True)


def test_real_time_bars_name_what_they_show() -> None:
    request = parse_request(split(f"50 3 5 {SPY} 5 TRADES 0 ."))
    assert request == RealTimeBarsRequest(5, CONTRACT, "TRADES", regular_hours=False)


def test_historical_data_carries_end_size_and_duration() -> None:
    fields = split(f"20 6 {SPY} 0 . . . 1 BID 2 1 .")
    fields[15:18] = ["20231114 22:13:20 UTC", "5 secs", "600 S"]
    assert parse_request(fields) == HistoricalDataRequest(
        6,
        CONTRACT,
        end="20231114 22:13:20 UTC",
        bar_size="5 secs",
        duration="600 S",
        regular_hours=True,
        what="BID",
        format_date=2,
        keep_up_to_date=True,
    )


def test_historical_ticks_carry_start_end_and_number() -> None:
    fields = split(f"96 7 {SPY} 0 . . 1000 BID_ASK 0 1 .")
    fields[15] = "20231114 22:13:20 UTC"
    assert parse_request(fields) == HistoricalTicksRequest(
        7,
        CONTRACT,
        start="20231114 22:13:20 UTC",
        end="",
        number_of_ticks=1000,
        what="BID_ASK",
        regular_hours=False,
        ignore_size=True,
    )


def test_a_short_request_names_both_lengths() -> None:
    with pytest.raises(WireError, match="message 97 too short, was 2 fields, expected 17"):
        parse_request(["97", "4"])
