from __future__ import annotations

import pytest

from shared.schema.neighbours import ChainsSeen, gap_ranges
from shared.schema.row import Reading
from shared.schema.sequence import first_missing
from shared.store.keys import Keys

CALL, PUT = "SPY260918C00600000", "SPY260918P00600000"


def chain(data: object, symbol: str = "SPY") -> Reading:
    return Reading(f"options:{symbol}:chain", "string", data, {"symbol": symbol})


def greeks(contract: str, symbol: str = "SPY") -> Reading:
    names = {"symbol": symbol, "contract": contract}
    return Reading(f"options:{symbol}:{contract}:greeks", "string", b"{}", names)


def test_greeks_are_of_a_contract_of_their_chain() -> None:
    seen = ChainsSeen(Keys(), False)
    assert seen.check("chain", chain(b'{"by_contract":{"SPY260918C00600000":{}}}')) == []
    assert seen.check("greeks", greeks(CALL)) == []
    assert [str(fault) for fault in seen.check("greeks", greeks(PUT))] == [
        f"options:SPY:{PUT}:greeks key: was there, must be of a contract of options:SPY:chain"
    ]
    assert seen.check("greeks", greeks(CALL, "QQQ")) != []
    seen.forget(["SPY"])
    assert seen.check("greeks", greeks(CALL)) != []


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", ValueError("wrong type"), None])
def test_greeks_are_not_blamed_for_a_chain_that_cannot_be_read(data: object) -> None:
    seen = ChainsSeen(Keys(), False)
    seen.check("chain", chain(data))
    assert seen.check("greeks", greeks(CALL)) == []


def test_greeks_that_live_longer_than_chains_may_be_left() -> None:
    seen = ChainsSeen(Keys(), True)
    assert seen.check("greeks", greeks(CALL)) == []
    seen.check("chain", chain(b'{"by_contract":{}}'))
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
