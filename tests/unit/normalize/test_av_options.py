"""What makes an answer the chain that was asked for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from shared.errors import BadDocument
from shared.market.option import Chain, ChainFaults, ChainMetrics, Contract
from shared.normalize.av_options import ChainRequest, read_chain
from tests.support.option_bodies import (
    DAY,
    HISTORICAL,
    NOW_MS,
    REALTIME,
    option_body,
    option_row,
    without,
)
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

IBM = ChainRequest("IBM", "IBM", REALTIME)


def read(body: bytes, request: ChainRequest = IBM, now_ms: int = NOW_MS) -> Chain:
    work = read_chain(body, request, now_ms)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Chain = end.value
            return found


def read_rows(*rows: Any) -> Chain:
    return read(option_body(list(rows)))


def test_a_contract_has_every_field_as_a_number() -> None:
    chain = read_rows(option_row())
    assert chain.contracts == [
        Contract(
            contractID="IBM171215C00150000",
            symbol="IBM",
            expiration="2017-12-15",
            strike=150.0,
            type="call",
            last=2.1,
            mark=2.05,
            bid=2.0,
            bid_size=10,
            ask=2.1,
            ask_size=20,
            volume=5,
            open_interest=50,
            date="2017-11-15",
            implied_volatility=0.2,
            delta=0.5,
            gamma=0.01,
            theta=-0.02,
            vega=0.1,
            rho=-0.0,
        )
    ]
    assert (chain.symbol, chain.as_of, chain.fetched_ms) == ("IBM", "2017-11-15", NOW_MS)
    assert chain.faults == ChainFaults()


def test_the_row_is_kept_as_it_was_sent_without_its_white_space() -> None:
    sent = option_row(note="a  b, } {")
    (row,) = read_rows(sent).rows
    assert bytes(row) == json.dumps(sent, separators=(",", ":")).encode()


def test_the_order_of_the_vendor_is_kept() -> None:
    chain = read_rows(option_row(160.0), option_row(150.0), option_row(155.0, "put"))
    assert [one.strike for one in chain.contracts] == [160.0, 150.0, 155.0]
    assert [json.loads(bytes(row))["strike"] for row in chain.rows] == [
        "160.00",
        "150.00",
        "155.00",
    ]


@pytest.mark.parametrize("data", ["[]", "[ ]", "[\r\n\t]"])
def test_a_chain_without_rows_is_empty(data: str) -> None:
    body = f'{{"endpoint": "Realtime Options", "message": "success", "data": {data}}}'
    chain = read(body.encode())
    assert (chain.contracts, chain.rows, chain.expirations, chain.as_of) == ([], [], [], "")
    assert (chain.metrics, chain.symbol) == (ChainMetrics(), "IBM")
    assert chain.greeks_coverage is None


@pytest.mark.parametrize(
    "data", [None, {}, {"a": {}}, "text", 7, True, [1], ["{", "}"], [[]], [None, {}], [[{}]]]
)
def test_data_that_is_no_list_of_contracts_is_refused(data: Any) -> None:
    with pytest.raises(BadDocument, match=r"data: was|chain of IBM: \d contracts of"):
        read(option_body(data))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"NaN",
        b"\xef\xbb\xbf{}",
        b"<!DOCTYPE html><html></html>",
        b'{"endpoint": "Realtime Options", "message": "success"}',
        b'{"endpoint": "Realtime Options", "data": []}',
        b'{"message": "success", "data": []}',
        b'{"endpoint": 7, "message": "success", "data": []}',
        b'{"endpoint": "Realtime Options", "message": null, "data": []}',
        b'{"endpoint": "Realtime Options", "message": "success", "data": []} {}',
        b'{"endpoint": "Realtime Options", "message": "success", "data": [{]}',
        b'{"endpoint": "Realtime Options", "message": "success", "data": [{"a": NaN}]}',
        b'{"endpoint": "\xff", "message": "success", "data": []}',
        b'{"endpoint": "Realtime Options", "message": "success", "data": ' + b"[" * 100_000,
        b'{"endpoint": "Realtime Options", "message": "success", "data": [{"a":' + b"[" * 100_000,
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_chain_is_refused(payload: bytes) -> None:
    with pytest.raises(BadDocument, match="chain of IBM"):
        read(payload)


def test_an_answer_cut_off_anywhere_is_refused() -> None:
    body = option_body([option_row(), option_row(155.0, "put")], indent=None)
    assert len(read(body).contracts) == 2
    for length in range(len(body)):
        with pytest.raises(BadDocument):
            read(body[:length])


# Endpoint and message


@pytest.mark.parametrize(
    "endpoint",
    ["Realtime Options", " Realtime Options ", "Realtime Options - DATA DELAYED BY 15 MINUTES"],
)
def test_the_endpoint_may_be_marked_as_delayed(endpoint: str) -> None:
    assert len(read(option_body([option_row()], endpoint)).contracts) == 1


@pytest.mark.parametrize(
    "endpoint",
    ["", "Historical Options", "Realtime Options FMV", "Realtime Options-", "realtime options"],
)
def test_another_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(BadDocument, match=f"endpoint: was '{endpoint}', must be 'Realtime"):
        read(option_body([option_row()], endpoint))


def test_a_historical_chain_is_no_realtime_chain_and_the_other_way_round() -> None:
    historical = ChainRequest("IBM", "IBM", HISTORICAL)
    assert len(read(option_body([option_row()], HISTORICAL), historical).contracts) == 1
    with pytest.raises(BadDocument, match="endpoint"):
        read(option_body([option_row()], REALTIME), historical)


@pytest.mark.parametrize("message", ["success", "Success", " SUCCESS\n"])
def test_success_may_be_spelled_in_any_case(message: str) -> None:
    assert len(read(option_body([option_row()], message=message)).contracts) == 1


@pytest.mark.parametrize("message", ["", "succes", "success!", "No data for symbol IBM", "x" * 999])
def test_any_other_message_is_refused(message: str) -> None:
    with pytest.raises(BadDocument, match="message: was .*, must be 'success'") as caught:
        read(option_body([option_row()], message=message))
    assert len(str(caught.value)) < 300


@needs_vendor_recordings
def test_the_artificial_chain_is_refused_whatever_its_message_says() -> None:
    sent = (RECORDINGS / "REALTIME_OPTIONS_artificial.json").read_bytes()
    with pytest.raises(BadDocument, match="message: was 'This is a premium endpoint"):
        read(sent)
    told = re.sub(rb'"message": "[^"]*"', b'"message": "success"', sent)
    with pytest.raises(BadDocument, match="symbol of a contract: was 'XXYYZZ', must be 'IBM'"):
        read(told)
    with pytest.raises(BadDocument, match="4 contracts of 4 are unusable"):
        read(told.replace(b'"XXYYZZ"', b'"IBM"'))


# Symbol


def test_one_contract_of_another_symbol_spoils_the_chain() -> None:
    with pytest.raises(BadDocument, match="symbol of a contract: was 'ZZQ', must be 'IBM'"):
        read_rows(option_row(), option_row(155.0, symbol="ZZQ"))


@pytest.mark.parametrize("spelled", ["BRK-B", "BRK.B", "brk.b"])
@pytest.mark.parametrize("asked", ["BRK-B", "BRK.B"])
def test_a_symbol_may_have_a_dot_or_a_dash(asked: str, spelled: str) -> None:
    body = option_body([option_row(symbol="BRK-B") | {"symbol": spelled}])
    chain = read(body, ChainRequest("BRK.B", asked, REALTIME))
    assert (chain.symbol, chain.contracts[0].symbol) == ("BRK.B", spelled)


@pytest.mark.parametrize("found", ["BRK-A", "BRKB", "BRK", "", "BRK B"])
def test_another_share_class_is_another_symbol(found: str) -> None:
    with pytest.raises(BadDocument, match="symbol of a contract"):
        read(
            option_body([option_row(symbol="BRK-B") | {"symbol": found}]),
            ChainRequest("BRK.B", "BRK-B", REALTIME),
        )


# Day


def test_a_historical_chain_is_of_the_day_that_was_asked_for() -> None:
    body = option_body([option_row()], HISTORICAL)
    assert read(body, ChainRequest("IBM", "IBM", HISTORICAL, DAY)).as_of == DAY
    with pytest.raises(BadDocument, match="date: was '2017-11-15', must be '2017-11-14'"):
        read(body, ChainRequest("IBM", "IBM", HISTORICAL, "2017-11-14"))


def test_the_chain_is_of_the_newest_day_of_its_rows() -> None:
    older = option_row(155.0, date="2017-11-14")
    assert read_rows(older, option_row(), option_row(160.0, date="2017-11-13")).as_of == DAY


@pytest.mark.parametrize("day", ["2017-11-17", "2017-11-16", "2008-01-02"])
def test_a_day_may_have_begun_elsewhere_before_ours(day: str) -> None:
    assert read_rows(option_row(date=day)).as_of == day


@pytest.mark.parametrize("day", ["2017-11-18", "2049-01-01", "9999-12-31"])
def test_a_day_to_come_is_made_up(day: str) -> None:
    with pytest.raises(BadDocument, match=f"date: was '{day}', must be a day up to 2017-11-17"):
        read_rows(option_row(date=day))


@pytest.mark.parametrize("day", ["", "2049-99-99", "20171115", "2017-11-15T00:00:00", "15.11.2017"])
def test_rows_without_a_day_are_dropped(day: str) -> None:
    chain = read_rows(option_row(), option_row(155.0, date=day))
    assert ([one.strike for one in chain.contracts], chain.faults.dropped) == ([150.0], 1)


# More than half


def test_half_of_a_chain_may_be_unusable() -> None:
    chain = read_rows(option_row(), without(option_row(155.0), "contractID"))
    assert (len(chain.contracts), chain.faults.dropped) == (1, 1)


def test_a_chain_of_which_more_than_half_is_unusable_is_refused() -> None:
    spoiled = [without(option_row(strike), "strike") for strike in (155.0, 160.0)]
    with pytest.raises(BadDocument, match="2 contracts of 3 are unusable, at most half may be"):
        read_rows(option_row(), *spoiled)


def test_doubled_rows_are_not_unusable() -> None:
    chain = read_rows(option_row(), option_row(), option_row())
    assert (len(chain.contracts), chain.faults.duplicates, chain.faults.dropped) == (1, 2, 0)
