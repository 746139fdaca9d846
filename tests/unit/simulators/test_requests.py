from __future__ import annotations

import pytest

from simulators.errors import WireError
from simulators.tws.requests import (
    AccountUpdates,
    ContractDetails,
    ContractFields,
    CurrentTime,
    DepthCancel,
    DepthRequest,
    StartApi,
    UnknownRequest,
    parse_request,
)

# As ib_async 2.1 sends them at server version 178.
DEPTH = "10 5 1 265598 AAPL STK . 0.0 . . ISLAND NASDAQ USD . . 10 0 ."
DETAILS = "9 8 4 0 SPY STK . 0.0 . . ARCA . USD . . 0 . . ."


def split(text: str) -> list[str]:
    return ["" if word == "." else word for word in text.split(" ")]


def test_start_api_names_the_client_id() -> None:
    assert parse_request(["71", "2", "777", ""]) == StartApi(777, "")


def test_a_depth_request_carries_contract_rows_and_flag() -> None:
    contract = ContractFields(
        *(265598, "AAPL", "STK", "", "0.0", "", "", "ISLAND", "NASDAQ", "USD", "", "")
    )
    assert parse_request(split(DEPTH)) == DepthRequest(1, contract, 10, False)


def test_contract_details_carries_the_contract() -> None:
    request = parse_request(split(DETAILS))
    assert isinstance(request, ContractDetails)
    assert (request.req_id, request.contract.symbol, request.contract.exchange) == (
        4,
        "SPY",
        "ARCA",
    )


def test_a_depth_cancel_carries_the_flag() -> None:
    assert parse_request(["11", "1", "5", "1"]) == DepthCancel(5, smart=True)


def test_account_updates_name_the_account() -> None:
    assert parse_request(["6", "2", "1", "DU1"]) == AccountUpdates(True, "DU1")


def test_current_time_has_no_fields() -> None:
    assert parse_request(["49", "1"]) == CurrentTime()


def test_an_unknown_message_id_is_kept() -> None:
    assert parse_request(["3", "45", "x"]) == UnknownRequest(3, ("3", "45", "x"))


def test_a_short_request_names_both_lengths() -> None:
    with pytest.raises(WireError, match="message 10 too short, was 2 fields, expected 17"):
        parse_request(["10", "5"])


def test_a_request_id_that_is_no_number_is_refused() -> None:
    with pytest.raises(WireError, match="req id must be an integer, was 'x'"):
        parse_request(["11", "1", "x", "0"])
