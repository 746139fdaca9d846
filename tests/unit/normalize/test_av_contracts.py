"""Which contract a row is: its id becomes a part of a key, so it must be what it says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from shared.market.option import ChainFaults, Contract
from shared.normalize.av_contracts import Identity, is_sound, read_tolerantly, spelled_alike
from tests.support.option_bodies import Row, contract_id, option_row, without
from tests.unit.normalize.test_av_options import read_rows

GOOD = option_row(155.0)
NO_STRIKES: tuple[Any, ...] = (
    *("0", 0, "-1", "", "None", "nan", "1e400", "10000000.01"),
    *(True, [], {}),
)


def contract(**fields: Any) -> Contract:
    (one,) = read_rows(option_row()).contracts
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def spoilt(**fields: Any) -> Row:
    return option_row() | fields


def kept(*rows: Any) -> tuple[list[str], int]:
    """Ids of what is kept, and how many were dropped."""
    chain = read_rows(*rows)
    return [one.contractID for one in chain.contracts], chain.faults.dropped


def test_the_ids_of_the_test_rows_are_those_of_the_vendor() -> None:
    assert contract_id("IBM", "2025-09-05", "call", 150.0) == "IBM250905C00150000"
    assert contract_id("SPY", "2026-12-18", "put", 600.5) == "SPY261218P00600500"


@pytest.mark.parametrize(
    "name",
    ["IBM171215C00150000", "I171215C00150000", "GOOGL7171215C00150000", "BRKB171215C00150000"],
)
def test_any_root_of_letters_and_digits_will_do(name: str) -> None:
    assert is_sound([contract(contractID=name)])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "171215C00150000",
        "IBM171215P00150000",
        "IBM171216C00150000",
        "IBM171215C0150000",
        "IBM17121500150000",
        "ibm171215c00150000",
        "IBM 171215C00150000",
        "IBM   171215C00150000",
        " IBM171215C00150000",
        "IBM171215C00150000\n",
        "IBM:171215C00150000",
        "IBM:chain",
        "SPY:SPY171215C00150000",
        "../171215C00150000",
        "IBM*171215C00150000",
        "{IBM}171215C00150000",
        "IBM-171215C00150000",
        "IBM\x00171215C00150000",
        "ΙBM171215C00150000",
        "IBM171215C0015000\u0660",
        "ABCDEFGHIJ171215C00150000",
        "A" * 10_000 + "171215C00150000",
    ],
)
def test_an_id_that_does_not_agree_or_is_unfit_for_a_key_is_dropped(name: str) -> None:
    assert not is_sound([contract(contractID=name)])
    assert kept(option_row(contractID=name), GOOD) == (["IBM171215C00155000"], 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"expiration": "2017-12-16"},
        {"expiration": ""},
        {"expiration": "171215"},
        {"expiration": "20171215"},
        {"expiration": "2017-12-15T00"},
        {"expiration": "2099-99-99", "contractID": "IBM999999C00150000"},
        {"expiration": "2017-02-29", "contractID": "IBM170229C00150000"},
        {"type": "put"},
        {"date": ""},
        {"date": "2017-13-01"},
    ],
)
def test_a_row_that_does_not_agree_with_its_id_is_dropped(fields: dict[str, str]) -> None:
    assert kept(spoilt(**fields), GOOD) == (["IBM171215C00155000"], 1)


@pytest.mark.parametrize(
    "spoiled",
    [
        *(without(option_row(), name) for name in ("contractID", "expiration", "strike", "type")),
        *(without(option_row(), name) for name in ("symbol", "date")),
        *(spoilt(**{name: None}) for name in ("contractID", "symbol", "strike", "type")),
        *(spoilt(**{name: 7}) for name in ("contractID", "symbol", "expiration", "date")),
        *(spoilt(strike=strike) for strike in NO_STRIKES),
        *(spoilt(type=right) for right in ("", "C", "straddle", 7, True)),
        *({}, [], None, 7, "text", True, [option_row()]),
    ],
)
def test_a_row_that_cannot_be_told_is_dropped_and_the_others_stay(spoiled: Any) -> None:
    assert kept(GOOD, spoiled, option_row(160.0)) == (
        ["IBM171215C00155000", "IBM171215C00160000"],
        1,
    )


def test_a_strike_may_be_a_number() -> None:
    (one,) = read_rows(option_row() | {"strike": 150}).contracts
    assert (one.strike, type(one.strike)) == (150.0, float)


def test_no_contracts_are_not_sound() -> None:
    assert not is_sound([])


@pytest.mark.parametrize(
    ("found", "wanted", "alike"),
    [
        ("IBM", "IBM", True),
        ("ibm", "IBM", True),
        ("BRK.B", "BRK-B", True),
        ("BRK-B", "BRK.B", True),
        ("BRKB", "BRK-B", False),
        ("BRK.A", "BRK-B", False),
        ("", "IBM", False),
    ],
)
def test_dot_and_dash_are_alike(found: str, wanted: str, alike: bool) -> None:
    assert spelled_alike(found, wanted) is alike


# Doubled rows


def test_the_first_of_doubled_rows_is_kept_with_its_row() -> None:
    chain = read_rows(option_row(bid="1.00"), GOOD, option_row(bid="9.00"), option_row(bid="8.00"))
    assert [(one.contractID[-8:], one.bid) for one in chain.contracts] == [
        ("00150000", 1.0),
        ("00155000", 2.0),
    ]
    assert b'"bid":"1.00"' in bytes(chain.rows[0])
    assert (len(chain.rows), chain.faults.duplicates) == (2, 2)
    assert (chain.metrics.contracts, chain.metrics.calls, chain.metrics.volume) == (2, 2, 10)


def test_a_contract_is_doubled_too_when_another_piece_had_it() -> None:
    identity, faults = Identity(), ChainFaults()
    first, second = contract(), contract(contractID="IBM171215C00155000")
    rows = [Raw(b"1"), Raw(b"2")]
    assert identity.single([first], rows[:1], faults) == ([first], rows[:1])
    assert identity.single([first, second], rows, faults) == ([second], rows[1:])
    assert identity.single([second], rows[1:], faults) == ([], [])
    assert faults == ChainFaults(duplicates=2)


def test_rows_that_are_refused_together_are_read_one_by_one() -> None:
    faults = ChainFaults()
    rows = [Raw(text) for text in (b"{}", b"[]", b"7", b'{"strike": "1"}')]
    doubtful: set[str] = set()
    assert read_tolerantly(rows, faults, doubtful) == ([], [])
    assert doubtful == set()
    assert faults == ChainFaults(dropped=4)
