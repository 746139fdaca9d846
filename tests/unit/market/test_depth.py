from __future__ import annotations

from shared.market.depth import BookState, Pair


def test_a_pair_reads_as_symbol_at_venue() -> None:
    assert str(Pair("SPY", "ARCA")) == "SPY@ARCA"


def test_pairs_are_equal_and_sorted_by_symbol_then_venue() -> None:
    pairs = {Pair("SPY", "ARCA"), Pair("AAPL", "NASDAQ"), Pair("SPY", "ARCA"), Pair("SPY", "AMEX")}
    assert sorted(pairs) == [Pair("AAPL", "NASDAQ"), Pair("SPY", "AMEX"), Pair("SPY", "ARCA")]


def test_states_are_spelled_as_readers_see_them() -> None:
    assert [state.value for state in BookState] == ["live", "reset", "parked"]
