from __future__ import annotations

import datetime
import gzip
import json
from random import Random
from typing import Any

import pytest

from simulators.alphavantage.chain import Chain, expirations, rows_body
from simulators.alphavantage.contract import COLUMNS, contract_id
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

MONDAY = datetime.date(2026, 5, 4)


def chain_of(contracts: int = 600, spot: float = 245.0, seed: int = 7) -> Chain:
    return Chain("IBM", MONDAY, contracts, spot, Random(seed))


def rows_of(chain: Chain, greeks: bool = True) -> list[dict[str, Any]]:
    document = json.loads(chain.body("Realtime Options", greeks).plain())
    return list(document["data"])


@needs_vendor_recordings
def test_a_row_has_the_keys_of_a_recorded_one_in_their_order() -> None:
    recorded = json.loads((RECORDINGS / "HISTORICAL_OPTIONS_IBM_20171115.json").read_bytes())
    document = json.loads(chain_of().body("Historical Options", True).plain())
    assert list(document) == list(recorded)
    assert {tuple(row) for row in document["data"]} == {tuple(row) for row in recorded["data"]}
    assert document["message"] == recorded["message"]


@needs_vendor_recordings
def test_without_greeks_it_has_the_keys_of_the_recorded_sample() -> None:
    recorded = json.loads((RECORDINGS / "REALTIME_OPTIONS_artificial.json").read_bytes())
    assert {tuple(r) for r in rows_of(chain_of(), False)} == {tuple(r) for r in recorded["data"]}


@pytest.mark.parametrize("greeks", [True, False])
def test_a_chain_is_printed_as_json_prints_it(greeks: bool) -> None:
    text = chain_of(70).body("Realtime Options", greeks).plain().decode()
    assert json.dumps(json.loads(text), indent=4) == text


@pytest.mark.parametrize("contracts", [1, 2, 7, 33, 600, 3000])
def test_a_chain_has_exactly_so_many_different_contracts(contracts: int) -> None:
    rows = rows_of(chain_of(contracts))
    assert len(rows) == len({row["contractID"] for row in rows}) == contracts


def test_all_values_are_strings_with_the_vendors_decimals() -> None:
    for row in rows_of(chain_of()):
        assert all(isinstance(value, str) for value in row.values())
        assert all(
            len(row[name].partition(".")[2]) == 2
            for name in ("strike", "last", "mark", "bid", "ask")
        )
        assert all(len(row[name].partition(".")[2]) == 5 for name in COLUMNS[14:])
        assert all(row[n].isdigit() for n in COLUMNS if n.endswith(("size", "volume", "interest")))


def test_a_contract_id_agrees_with_its_fields() -> None:
    for row in rows_of(chain_of()):
        expiration = datetime.date.fromisoformat(row["expiration"])
        call, strike = row["type"] == "call", float(row["strike"])
        assert row["contractID"] == contract_id("IBM", expiration, call, strike)


def test_a_contract_id_is_spelled_as_the_clearing_house_does() -> None:
    expiration = datetime.date(2025, 9, 5)
    assert contract_id("IBM", expiration, True, 150.0) == "IBM250905C00150000"
    assert contract_id("BRK-B", expiration, False, 462.5) == "BRKB250905P00462500"


def test_rows_stand_in_the_vendors_order() -> None:
    rows = rows_of(chain_of())
    order = [(row["expiration"], float(row["strike"]), row["type"]) for row in rows]
    assert order == sorted(order)
    assert {row["type"] for row in rows} == {"call", "put"}


def test_expirations_are_fridays_to_come() -> None:
    assert expirations(datetime.date(2026, 5, 8), 2) == [
        datetime.date(2026, 5, 15),
        datetime.date(2026, 5, 22),
    ]
    dates = expirations(MONDAY, 30)
    assert dates[0] == datetime.date(2026, 5, 8)
    assert {date.weekday() for date in dates} == {4}
    assert len(set(dates)) == 30


def test_prices_are_plausible() -> None:
    rows = rows_of(chain_of(3000))
    assert all(0 <= float(row["bid"]) < float(row["ask"]) for row in rows)
    assert all(float(row["mark"]) >= 0.01 for row in rows)
    calls = [row for row in rows if row["type"] == "call"]
    assert all(0 <= float(row["delta"]) <= 1 for row in calls)
    assert all(float(row["delta"]) <= 0 for row in rows if row["type"] == "put")


def test_fifteen_percent_have_no_bid_and_then_no_bid_size() -> None:
    rows = rows_of(chain_of(1000))
    unbid = [row for row in rows if row["bid"] == "0.00"]
    assert len(unbid) == 150
    assert {row["bid_size"] for row in unbid} == {"0"}


def test_deep_in_the_money_rows_have_the_solvers_floor() -> None:
    rows = [r for r in rows_of(chain_of(1000)) if r["implied_volatility"] == "0.01976"]
    assert 0.02 < len(rows) / 1000 < 0.25
    assert {abs(float(r["delta"])) for r in rows} == {1.0}
    assert {(r["gamma"], r["vega"]) for r in rows} == {("0.00000", "0.00000")}


@pytest.mark.parametrize(("contracts", "share", "moved"), [(600, 0.05, 30), (3000, 0.01, 30)])
def test_a_share_of_the_rows_moves(contracts: int, share: float, moved: int) -> None:
    chain = chain_of(contracts)
    before = rows_of(chain)
    assert chain.move(share) == moved
    after = rows_of(chain)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == moved
    assert [row["contractID"] for row in before] == [row["contractID"] for row in after]


def test_a_chain_that_does_not_move_is_the_same_object() -> None:
    chain = chain_of()
    body = chain.body("Realtime Options", True)
    assert chain.move(0.0) == 0
    assert chain.body("Realtime Options", True) is body


def test_only_changed_parts_are_rendered_again() -> None:
    chain = chain_of(12_000)
    before = set(map(id, chain.body("Realtime Options", True).pieces))
    kept = chain.body("Realtime Options", True).pieces
    chain.move(0.05)
    after = chain.body("Realtime Options", True).pieces
    assert sum(id(piece) not in before for piece in after) <= 0.15 * len(kept)


def test_what_is_sent_after_moves_is_what_the_rows_say() -> None:
    chain = chain_of(1000)
    for greeks in (True, False, True):
        chain.move(0.1)
        body = chain.body("Realtime Options", greeks)
        rows = chain.rows if greeks else [row[:14] for row in chain.rows]
        assert gzip.decompress(body.gzipped()) == rows_body("Realtime Options", rows).plain()


def test_volume_of_a_moving_contract_never_falls() -> None:
    chain = chain_of()
    before = rows_of(chain)
    for _ in range(5):
        chain.move(0.5)
    pairs = zip(before, rows_of(chain), strict=True)
    assert all(int(a["volume"]) <= int(b["volume"]) for a, b in pairs)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two, other = chain_of(), chain_of(), chain_of(seed=8)
    for chain in (one, two, other):
        chain.move(0.2)
    assert rows_of(one) == rows_of(two) != rows_of(other)


def test_a_chain_without_rows_has_an_empty_list() -> None:
    assert json.loads(rows_body("Realtime Options", []).plain()) == {
        "endpoint": "Realtime Options", "message": "success", "data": [],
    }  # fmt: skip
