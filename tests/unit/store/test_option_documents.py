"""The JSON of a chain: joined pieces are what orjson would have written in one."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.market.option import Chain, ChainPart, Contract
from shared.store.option_documents import (
    ChainDocuments,
    event_of,
    greeks_document,
    greeks_texts,
    whole_documents,
)
from tests.support.option_bodies import GREEKS, NOW_MS, Row, option_body, option_row, option_rows
from tests.unit.normalize.test_av_options import read

COUNTS = (0, 1, 2, 249, 250, 251, 500, 501)


def chain_of(rows: list[Row]) -> Chain:
    return read(option_body(rows))


def only(**fields: Any) -> Contract:
    (one,) = chain_of([option_row()]).contracts
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def document_of(chain: Chain) -> bytes:
    return whole_documents(chain, "sim")[2]


def side_of(chain: Chain, right: str) -> bytes:
    return whole_documents(chain, "sim")[0 if right == "call" else 1]


def greeks_text(one: Contract) -> bytes:
    """Empty where there is none."""
    texts = greeks_texts([one])
    assert [found for found, _ in texts] == [one][: len(texts)]
    return texts[0][1] if texts else b""


def greeks(one: Contract) -> Any:
    return json.loads(greeks_document(greeks_text(one), NOW_MS), parse_constant=pytest.fail)


@pytest.mark.parametrize("count", COUNTS)
def test_a_chain_of_any_length_is_one_document(count: int) -> None:
    chain = chain_of(option_rows(count))
    text = document_of(chain)
    document = json.loads(text, parse_constant=pytest.fail)
    assert text == orjson.dumps(document)
    assert list(document) == [
        *("symbol", "fetched_ts", "source", "by_contract", "as_of", "expirations", "metrics"),
    ]
    assert list(document["by_contract"]) == [row["contractID"] for row in option_rows(count)]
    assert document["metrics"]["contracts"] == count


@pytest.mark.parametrize("count", COUNTS)
def test_calls_and_puts_are_the_rows_as_they_were_sent(count: int) -> None:
    rows = option_rows(count)
    chain = chain_of(rows)
    for right in ("call", "put"):
        text = side_of(chain, right)
        assert text == orjson.dumps([row for row in rows if row["type"] == right])


@pytest.mark.parametrize("right", ["call", "put"])
def test_one_side_may_be_empty(right: str) -> None:
    rows = [option_row(100.0 + n, right) for n in range(600)]
    chain = chain_of(rows)
    assert side_of(chain, right) == orjson.dumps(rows)
    assert side_of(chain, "call" if right == "put" else "put") == b"[]"


def test_a_side_that_is_not_in_every_piece_is_whole() -> None:
    rows = [option_row(100.0 + n, "put" if n in (0, 1_400) else "call") for n in range(1_500)]
    chain = chain_of(rows)
    assert side_of(chain, "put") == orjson.dumps([rows[0], rows[1_400]])


def test_parts_of_any_size_make_the_same_documents() -> None:
    chain = chain_of(option_rows(20))
    for sizes in ([20], [1] * 20, [0, 7, 0, 13, 0]):
        documents, at = ChainDocuments("IBM", NOW_MS, "sim"), 0
        pieces = []
        for size in sizes:
            part = ChainPart(chain.contracts[at : at + size], chain.rows[at : at + size])
            pieces.append(documents.part(part))
            at += size
        pieces.append(documents.end(chain))
        assert [b"".join(one) for one in zip(*pieces, strict=True)] == whole_documents(chain, "sim")


def test_greeks_of_many_contracts_are_each_its_own() -> None:
    bare = dict.fromkeys(GREEKS)
    chain = chain_of([option_row(100.0 + n, mark=f"{n}.25") for n in range(9)])
    for one in chain.contracts[::3]:
        for name in bare:
            setattr(one, name, None)
    found = {
        one.contractID: orjson.loads(text + b"}")["mark"]
        for one, text in greeks_texts(chain.contracts)
    }
    assert found == {one.contractID: n + 0.25 for n, one in enumerate(chain.contracts) if n % 3}
    assert greeks_texts([]) == []


def test_a_contract_has_typed_numbers_and_null_for_none() -> None:
    chain = chain_of([option_row(bid="0.00", volume=None, rho="-0.00000", last="-")])
    document = json.loads(document_of(chain))
    assert document["by_contract"] == {
        "IBM171215C00150000": {
            "contractID": "IBM171215C00150000",
            "symbol": "IBM",
            "expiration": "2017-12-15",
            "strike": 150.0,
            "type": "call",
            "last": None,
            "mark": 2.05,
            "bid": None,
            "bid_size": 10,
            "ask": 2.1,
            "ask_size": 20,
            "volume": None,
            "open_interest": 50,
            "date": "2017-11-15",
            "implied_volatility": 0.2,
            "delta": 0.5,
            "gamma": 0.01,
            "theta": -0.02,
            "vega": 0.1,
            "rho": -0.0,
        }
    }
    assert document["expirations"] == [
        {
            "expiration": "2017-12-15",
            "dte": 30,
            "calls": 1,
            "puts": 0,
            "volume": 0,
            "open_interest": 50,
        }
    ]
    assert document["metrics"] == {
        "contracts": 1,
        "calls": 1,
        "puts": 0,
        "two_sided": 0,
        "with_greeks": 1,
        "missing_greeks": 0,
        "junk_greeks": 0,
        "volume": 0,
        "open_interest": 50,
        "put_call_volume_ratio": None,
        "put_call_open_interest_ratio": 0.0,
    }


# Greeks


def test_greeks_have_the_fields_of_the_contract() -> None:
    assert greeks(only()) == {
        "implied_volatility": 0.2,
        "delta": 0.5,
        "gamma": 0.01,
        "theta": -0.02,
        "vega": 0.1,
        "rho": -0.0,
        "mark": 2.05,
        "ts": NOW_MS,
    }


def test_a_greek_that_is_none_is_null_and_so_is_the_mark() -> None:
    found = greeks(only(theta=None, mark=None))
    assert (found["theta"], found["mark"], found["delta"]) == (None, None, 0.5)


def test_no_greeks_are_no_document_even_with_a_mark() -> None:
    assert greeks_text(only(**dict.fromkeys(GREEKS))) == b""


@pytest.mark.parametrize("name", GREEKS)
def test_one_greek_is_a_document_even_when_it_is_zero(name: str) -> None:
    found = greeks(only(**(dict.fromkeys(GREEKS) | {name: 0.0})))
    assert found == dict.fromkeys(GREEKS) | {name: 0.0, "mark": 2.05, "ts": NOW_MS}


def test_the_text_of_greeks_changes_with_each_of_their_fields_alone() -> None:
    texts = {greeks_text(only(**{name: 0.123})) for name in (*GREEKS, "mark")}
    assert len(texts | {greeks_text(only())}) == 8
    assert greeks_text(only(bid=9.0, volume=9, last=None, strike=1.0)) == greeks_text(only())


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=7, max_size=7))
@settings(deadline=None)
def test_greeks_of_any_size_are_as_orjson_writes_them(values: list[float | None]) -> None:
    one = only(**dict(zip((*GREEKS, "mark"), values, strict=True)))
    text = greeks_text(one)
    if text:
        document = greeks_document(text, NOW_MS)
        assert document == orjson.dumps(orjson.loads(document))
        assert list(orjson.loads(document).values()) == [*values, NOW_MS]


@given(st.floats(0, 1e7, exclude_min=True), st.integers(0, 10**12))
@settings(deadline=None)
def test_prices_and_counts_of_any_size_are_as_orjson_writes_them(price: float, count: int) -> None:
    chain = chain_of([option_row()])
    chain.contracts = [only(bid=price, strike=price, volume=count)]
    text = document_of(chain)
    assert text == orjson.dumps(orjson.loads(text))
    assert math.isfinite(price)


# Event


def test_the_event_tells_status_and_figures() -> None:
    chain = chain_of(option_rows(5))
    event = orjson.loads(event_of(chain, "options:IBM:chain", {"greeks_changed": 5}))
    assert event == {
        "key": "options:IBM:chain",
        "ts": NOW_MS,
        "status": "ok",
        "as_of": "2017-11-15",
        "contracts": 5,
        "calls": 3,
        "puts": 2,
        "greeks_changed": 5,
    }


def test_the_event_of_an_empty_chain_says_so() -> None:
    event = orjson.loads(event_of(chain_of([]), "options:IBM:chain", {}))
    assert (event["status"], event["contracts"], event["as_of"]) == ("empty", 0, "")


def test_the_documents_are_the_numbers_of_the_chain() -> None:
    chain = chain_of(option_rows(50))
    document = orjson.loads(whole_documents(chain, "live")[2])
    assert list(document["by_contract"].values()) == msgspec.to_builtins(chain.contracts)
    assert document["source"] == "live"
