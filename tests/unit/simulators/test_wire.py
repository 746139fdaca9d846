from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulators.errors import WireError
from simulators.tws import wire
from simulators.tws.book import BID, INSERT, Row, RowOp
from simulators.tws.contracts import Directory, describe

RECORDING = Path(__file__).parents[4] / "shared/data/gateway/frames_sv178.jsonl"


def recorded() -> dict[str, list[str]]:
    if not RECORDING.exists():
        pytest.skip("the recorded gateway frames are not here")
    lines = [json.loads(line) for line in RECORDING.read_text().splitlines()]
    return {line["test"].removeprefix("TestCaptureDecode_"): line["fields"] for line in lines}


def fields(data: bytes) -> list[str]:
    (payload,) = wire.FrameBuffer().feed(data)
    return wire.fields_of(payload)


def test_a_message_is_a_length_and_nul_ended_fields() -> None:
    assert wire.message(49, 1, 1700000000) == b"\x00\x00\x00\x1049\x001\x001700000000\x00"


def test_an_error_message_ends_with_an_empty_reject_field() -> None:
    assert (
        wire.error_message(-1, 1100, "lost")
        == b"\x00\x00\x00\x124\x002\x00-1\x001100\x00lost\x00\x00"
    )


def test_accounts_share_one_field() -> None:
    assert fields(wire.managed_accounts(["DU1", "DU2"])) == ["15", "1", "DU1,DU2"]


def test_a_plain_depth_row_is_message_12() -> None:
    row = RowOp(INSERT, BID, 3, Row(5_859_400, 200, ""))
    assert (
        wire.depth_rows(7, [row])
        == b"\x00\x00\x00\x1812\x001\x007\x003\x000\x001\x00585.94\x00200\x00"
    )


def test_a_market_maker_row_is_message_13() -> None:
    row = RowOp(INSERT, BID, 0, Row(2_358_400, 300, "NSDQ"))
    sent = fields(wire.depth_rows_l2(9, [row], smart=False))
    assert sent == ["13", "1", "9", "0", "NSDQ", "0", "1", "235.84", "300", "0"]


def test_a_smart_row_says_so_in_the_last_field() -> None:
    row = RowOp(INSERT, BID, 0, Row(2_358_400, 300, "OVERNIGHT"))
    sent = fields(wire.depth_rows_l2(9000, [row], smart=True))
    assert sent == ["13", "1", "9000", "0", "OVERNIGHT", "0", "1", "235.84", "300", "1"]


def test_depth_exchanges_end_each_row_with_an_integer() -> None:
    rows = [wire.DepthExchange("ARCA", "STK", "Deep")]
    sent = fields(wire.depth_exchanges(rows))
    assert sent == ["80", "1", "ARCA", "STK", "", "Deep", "2147483647"]


def test_frames_are_found_in_single_bytes() -> None:
    buffer = wire.FrameBuffer()
    data = wire.message(61, 1) + wire.message(49, 1)
    found = [payload for byte in data for payload in buffer.feed(bytes([byte]))]
    assert found == [b"61\x001\x00", b"49\x001\x00"]


def test_a_frame_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(WireError, match="was 4294967295 bytes, limit 16777215"):
        wire.FrameBuffer().feed(b"\xff\xff\xff\xff")


def test_a_payload_without_a_final_nul_is_refused() -> None:
    with pytest.raises(WireError, match="does not end with NUL"):
        wire.fields_of(b"49\x001")


def test_start_up_messages_equal_the_recorded_ones() -> None:
    frames = recorded()
    assert fields(wire.managed_accounts(["DU9000001"])) == frames["ManagedAccounts"]
    assert fields(wire.next_valid_id(1)) == frames["NextValidID"]
    notice = wire.error_message(-1, 2104, "Market data farm connection is OK:usfarm")
    assert fields(notice) == frames["APIError_2104"]


def test_end_messages_equal_the_recorded_ones() -> None:
    frames = recorded()
    assert fields(wire.positions_end()) == frames["PositionEnd"]
    assert fields(wire.open_orders_end()) == frames["OpenOrderEnd"]
    assert fields(wire.account_summary_end(1001)) == frames["AccountSummaryEnd"]
    assert fields(wire.contract_data_end(1001)) == frames["ContractDetailsEnd"]
    assert fields(wire.market_data_type(1001, 3)) == frames["MarketDataType"]


def test_contract_data_has_the_layout_of_the_recorded_one() -> None:
    real = recorded()["ContractDetails"]
    listing = Directory(7).listing("AAPL")
    assert listing is not None
    sent = fields(wire.contract_data(1001, describe(listing, "SMART", "NASDAQ")))
    # Order types (15), categories (22-24), calendars (26-27) and the market rules differ.
    ours = [*range(15), 16, 17, 18, 19, 20, 21, 25, *range(28, 36), *range(37, len(real))]
    assert len(sent) == len(real)
    assert [sent[i] for i in ours] == [real[i] for i in ours]
