from __future__ import annotations

import json
import time

import msgspec
import pytest

from benchmarks.chain_documents import ENDPOINT, SYMBOL, ChainSource
from benchmarks.chain_plain import SOURCE, documents
from benchmarks.chain_ways import read_at_once
from shared.store.option_documents import greeks_document, greeks_texts, whole_documents
from simulators.alphavantage.contract import COLUMNS

NOW_MS = time.time_ns() // 1_000_000
CONTRACTS = 600


def rows(body: bytes) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(body)["data"]
    return found


def with_floor(body: bytes) -> bytes:
    """The first contract has the values that the vendor's solver ends at."""
    document = json.loads(body)
    document["data"][0] |= {
        "implied_volatility": "0.01976", "delta": "1.00000", "gamma": "0.00000", "vega": "0.00000",
    }  # fmt: skip
    return json.dumps(document, indent=4).encode()


def test_a_body_is_as_the_vendor_prints_it() -> None:
    body = ChainSource(CONTRACTS).body()
    document = json.loads(body)
    assert body == json.dumps(document, indent=4).encode()
    assert document["endpoint"] == ENDPOINT and len(document["data"]) == CONTRACTS
    assert {tuple(row) for row in document["data"]} == {COLUMNS}
    assert {row["symbol"] for row in document["data"]} == {SYMBOL}


def test_five_of_a_hundred_rows_move() -> None:
    source = ChainSource(CONTRACTS)
    before, after = rows(source.body()), rows(source.moved())
    moved = sum(a != b for a, b in zip(before, after, strict=True))
    assert moved == CONTRACTS * 0.05


def test_a_spoiled_row_has_one_empty_value_and_the_others_are_as_they_were() -> None:
    source = ChainSource(CONTRACTS)
    sound, spoiled = rows(source.body()), rows(source.spoiled(range(20)))
    differ = [
        {name for name in COLUMNS if a[name] != b[name]}
        for a, b in zip(sound, spoiled, strict=True)
    ]
    assert [len(names) for names in differ] == [1] * 20 + [0] * (CONTRACTS - 20)
    assert all(spoiled[n][name] == "" for n, names in enumerate(differ) for name in names)
    assert len(set.union(*differ)) == 14
    assert source.spoiled([]) == source.body()


@pytest.mark.parametrize("kind", ["sound", "one spoiled", "all spoiled", "floor"])
def test_the_plain_way_makes_the_documents_of_the_product(kind: str) -> None:
    source = ChainSource(CONTRACTS)
    spoiled = {"one spoiled": [7], "all spoiled": range(CONTRACTS)}
    body = source.spoiled(spoiled.get(kind, []))
    body = with_floor(body) if kind == "floor" else body
    chain, plain = read_at_once(body, NOW_MS), documents(body, NOW_MS)

    calls, puts, document = map(msgspec.json.decode, whole_documents(chain, SOURCE))
    assert (calls, puts, document) == (plain.calls, plain.puts, plain.chain)
    texts = greeks_texts(chain.contracts)
    greeks = {one.contractID: json.loads(greeks_document(text, NOW_MS)) for one, text in texts}
    assert greeks == plain.greeks
    assert len(greeks) == CONTRACTS - (kind == "floor")
    assert chain.faults.bad_values == len(spoiled.get(kind, []))
