from __future__ import annotations

import pytest

from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.error_codes import (
    depth_limit,
    depth_venues,
    is_notice,
    no_history,
    no_permission,
    pacing,
    stream_limit,
)

HMDS = "Historical Market Data Service error message:"
BARS = "Invalid Real-time Query:"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Max number (3) of market depth requests has been reached", 3),
        ("Max number (1) of market depth requests has been reached.", 1),
        (
            "Max number (60) of market depth requests has been reached. You may make multiple "
            "market depth requests for the same security.",
            60,
        ),
        ("Max number (0) of market depth requests has been reached", 0),
        ("Max number 5 of market depth requests has been reached", 5),
        ("Error 309, reqId 1007: Max number (2) of market depth requests has been reached", 2),
        ("Max number of market depth requests has been reached", None),
        ("Max number () of market depth requests has been reached", None),
        ("", None),
    ],
)
def test_the_accounts_limit_is_read_from_the_text(text: str, expected: int | None) -> None:
    assert depth_limit(text) == expected


def test_venues_of_a_notice_are_told_apart_by_service() -> None:
    text = (
        "Exchanges - Depth: IEX; Top: BYX; AMEX; PEARL; Need additional market data permissions "
        "- Depth: BATS; ARCA; NASDAQ; BEX; NYSE; "
    )
    assert depth_venues(text) == {
        "depth": ("IEX",),
        "top": ("BYX", "AMEX", "PEARL"),
        "missing": ("BATS", "ARCA", "NASDAQ", "BEX", "NYSE"),
    }


def test_a_notice_may_name_no_venue_with_depth() -> None:
    text = (
        "Exchanges - Top: BYX; AMEX; Need additional market data permissions - Depth: BATS; "
        "ARCA; Top: IEX; "
    )
    assert depth_venues(text) == {
        "depth": (), "top": ("BYX", "AMEX"), "missing": ("BATS", "ARCA", "IEX"),
    }  # fmt: skip


def test_a_notice_may_miss_no_permission() -> None:
    assert depth_venues("Exchanges - Depth: NASDAQ; BATS; Top: BYX; ") == {
        "depth": ("NASDAQ", "BATS"), "top": ("BYX",), "missing": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (
            "Exchanges - Depth: IEX; Top: BYX; Unknown market data permissions - Depth: BATS; ",
            "IEX",
        ),
        ("Exchanges - Top: BYX; Unknown market data permissions - Depth: BATS; ", ""),
    ],
)
def test_unknown_permissions_are_neither_depth_nor_missing(text: str, depth: str) -> None:
    assert depth_venues(text) == {
        "depth": (depth,) if depth else (), "top": ("BYX",), "missing": (),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "no venues at all"])
def test_a_text_without_venues_names_none(text: str) -> None:
    assert depth_venues(text) == {"depth": (), "top": (), "missing": ()}


def test_the_refusals_of_the_contract_park_a_pair() -> None:
    assert {354, 10089, 10090, 10092, 10168, 10186} == codes.ENTITLEMENT


@pytest.mark.parametrize("code", [309, 316, 317, 2152, 200, 300, 310])
def test_what_is_no_missing_entitlement_is_not_taken_for_one(code: int) -> None:
    assert code not in codes.ENTITLEMENT


@pytest.mark.parametrize(("code", "expected"), [(200, True), (10092, True), (354, False)])
def test_a_wrong_spelling_has_two_codes(code: int, expected: bool) -> None:
    assert (code in codes.WRONG_SPELLING) is expected


@pytest.mark.parametrize(("code", "expected"), [(300, True), (310, True), (309, False)])
def test_a_request_already_gone_has_two_codes(code: int, expected: bool) -> None:
    assert (code in codes.ALREADY_GONE) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HMDS}Historical data request pacing violation", True),
        (f"{BARS}Historical data request pacing violation", True),
        ("Pacing violation", True),
        (f"{HMDS}HMDS query returned no data: SPY@SMART Trades", False),
        (f"{BARS}No market data permissions for NYSE STK", False),
        ("Max rate of messages per second has been exceeded.", False),
        ("", False),
    ],
)
def test_too_many_requests_are_told_by_the_text(text: str, expected: bool) -> None:
    assert pacing(text) is expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (162, f"{HMDS}HMDS query returned no data: SPY@SMART Trades", True),
        (162, f"{HMDS}HMDS QUERY RETURNED NO DATA: SPY@SMART Trades", True),
        (162, f"{HMDS}Historical data request pacing violation", False),
        (162, f"{HMDS}No market data permissions for ISLAND STK", False),
        (162, f"{HMDS}HMDS server disconnect occurred.  Attempting reconnection...", False),
        (366, "No historical data query found for ticker id:5", False),
        (354, "HMDS query returned no data", False),
    ],
)
def test_only_a_162_without_data_is_an_answer(code: int, text: str, expected: bool) -> None:
    assert no_history(code, text) is expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (420, f"{BARS}No market data permissions for NYSE STK", True),
        (162, f"{HMDS}No market data permissions for ISLAND STK", True),
        (354, "Requested market data is not subscribed.", True),
        (10089, "Requested market data requires additional subscription for API.", True),
        (10168, "Delayed market data is not enabled.", True),
        (10186, "Delayed market data is not enabled.", True),
        (420, f"{BARS}Historical data request pacing violation", False),
        (162, f"{HMDS}HMDS query returned no data: SPY@SMART Trades", False),
        (101, "Max number of tickers has been reached.", False),
        (10182, "Failed to request live updates (disconnected).", False),
        (10197, "No market data during competing live session", False),
    ],
)
def test_data_that_the_account_may_not_have_is_told_by_code_or_text(
    code: int, text: str, expected: bool
) -> None:
    assert no_permission(code, text) is expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (10190, "Max number of tick-by-tick requests has been reached.", True),
        (10190, "", True),
        (
            322,
            "Error processing request.-'bZ' : cause - Max number of tick-by-tick requests has "
            "been reached.",
            True,
        ),
        (322, "Error processing request.-'bZ' : cause - Duplicate ticker id", False),
        (101, "Max number of tickers has been reached.", False),
        (10187, "Failed to request tick-by-tick data. Max number of ticks", False),
    ],
)
def test_too_many_streams_are_told_by_two_codes(code: int, text: str, expected: bool) -> None:
    assert stream_limit(code, text) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (10090, True),
        (10091, True),
        (10167, True),
        (2100, True),
        (2152, True),
        (2199, True),
        (2099, False),
        (2200, False),
        (10089, False),
        (10168, False),
        (10197, False),
        (101, False),
        (300, False),
        (354, False),
    ],
)
def test_a_request_with_a_notice_or_a_warning_of_tws_goes_on(code: int, expected: bool) -> None:
    assert is_notice(code) is expected
