from __future__ import annotations

import json

import pytest

from shared.schema.neighbours import ChainsSeen, gap_ranges
from shared.schema.row import Reading
from shared.schema.sequence import first_missing
from shared.store.keys import Keys

CALL, PUT = "SPY260918C00600000", "SPY260918P00600000"


CHAIN = {"by_contract": {CALL: {"type": "call"}, PUT: {"type": "put"}}}
KEYS = Keys()


def document(row: str, data: object, symbol: str = "SPY") -> Reading:
    raw = json.dumps(data).encode() if isinstance(data, dict | list) else data
    return Reading(f"options:{symbol}:{row}", "string", raw, {"symbol": symbol})


def greeks(contract: str, symbol: str = "SPY") -> Reading:
    names = {"symbol": symbol, "contract": contract}
    return Reading(f"options:{symbol}:{contract}:greeks", "string", b"{}", names)


def seeing(calls: object, puts: object, chain: object) -> tuple[ChainsSeen, list[str]]:
    """What was found wrong when these went by; ... for one that is not there."""
    seen, found = ChainsSeen(KEYS, False), []
    for row, data in (("calls", calls), ("puts", puts), ("chain", chain)):
        if data is not ...:
            found += [str(fault) for fault in seen.check(row, document(row, data))]
    return seen, found


def rows_of(*names: str) -> list[dict[str, str]]:
    return [{"contractID": name} for name in names]


def test_greeks_are_of_a_contract_of_their_chain() -> None:
    one_call = {"by_contract": {CALL: {"type": "call"}}}
    seen, found = seeing(rows_of(CALL), [], one_call)
    assert found == []
    assert seen.check("greeks", greeks(CALL)) == []
    assert [str(fault) for fault in seen.check("greeks", greeks(PUT))] == [
        f"options:SPY:{PUT}:greeks key: was there, must be of a contract of options:SPY:chain"
    ]
    assert seen.check("greeks", greeks(CALL, "QQQ")) != []
    seen.forget(["SPY"])
    assert seen.check("greeks", greeks(CALL)) != []


def test_calls_and_puts_are_the_contracts_of_their_chain() -> None:
    assert seeing(rows_of(CALL), rows_of(PUT), CHAIN)[1] == []
    assert seeing(rows_of(f" {CALL}"), rows_of(PUT), CHAIN)[1] == []
    assert seeing(rows_of(CALL, PUT), rows_of(PUT), CHAIN)[1] == [
        "options:SPY:calls rows: was 2, must be those of the 1 calls of options:SPY:chain"
    ]
    assert seeing(rows_of(CALL), rows_of("SPY260918P00610000"), CHAIN)[1] == [
        "options:SPY:puts rows: was 1, must be those of the 1 puts of options:SPY:chain"
    ]
    assert seeing(rows_of(CALL), ..., CHAIN)[1] == [
        "options:SPY:puts key: was absent, must be there with options:SPY:chain"
    ]


@pytest.mark.parametrize("data", [b"{", [], {}, ValueError("wrong type"), None])
def test_nobody_is_blamed_for_a_chain_that_cannot_be_read(data: object) -> None:
    seen, found = seeing(..., ..., data)
    assert found == []
    assert seen.check("greeks", greeks(CALL)) == []


@pytest.mark.parametrize("data", [b"{", {}, [1], ValueError("wrong type"), None])
def test_rows_that_cannot_be_read_are_not_compared(data: object) -> None:
    assert seeing(data, rows_of(PUT), CHAIN)[1] == []


def test_greeks_that_live_longer_than_chains_may_be_left() -> None:
    seen = ChainsSeen(KEYS, True)
    assert seen.check("greeks", greeks(CALL)) == []
    seen.check("chain", document("chain", {"by_contract": {}}))
    assert seen.check("greeks", greeks(CALL)) != []


def test_the_ledger_names_numbers_by_feed_and_symbol() -> None:
    rows = [
        {b"feed": b"depth", b"symbol": b"SPY", b"from_seq": b"3", b"to_seq": b"5"},
        {b"feed": b"depth", b"symbol": b"SPY", b"from_seq": b"9", b"to_seq": b"9"},
        {b"feed": b"trades", b"symbol": b"SPY", b"from_seq": b"", b"to_seq": b""},
        {b"feed": b"trades", b"symbol": b"QQQ"},
    ]
    assert gap_ranges(rows) == {("depth", "SPY"): [(3, 5), (9, 9)]}


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        ([], 4), ([(4, 6)], 0), ([(5, 6)], 4), ([(4, 4)], 5), ([(6, 9), (1, 5)], 0),
        ([(4, 5), (5, 6)], 0), ([(1, 3), (7, 9)], 4),
    ],
)  # fmt: skip
def test_the_first_number_that_is_in_no_range(lost: list[tuple[int, int]], missing: int) -> None:
    assert first_missing(4, 6, lost) == missing
