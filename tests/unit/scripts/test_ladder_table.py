from __future__ import annotations

from rich.console import Console

from scripts.ladder import Ladder
from scripts.ladder_table import side_by_side
from shared.market.depth import Pair


def drawn(*ladders: Ladder) -> list[str]:
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(side_by_side(ladders))
    return captured.get().splitlines()


def side(symbol: str, bid: float, ask: float) -> Ladder:
    bids, asks = ((bid, 100, "NSDQ"),), ((ask, 4700, "VIRT"),)
    return Ladder(Pair(symbol, "NASDAQ"), "ISLAND", bids, asks, 12, 3.0)


def test_two_ladders_stand_side_by_side_in_eighty_columns() -> None:
    lines = drawn(side("AAPL", 230.01, 230.03), side("MSFT", 430.0, 430.04))
    assert lines[0].split() == ["AAPL@NASDAQ", "MSFT@NASDAQ"]
    assert lines[2].split() == [
        *("NSDQ", "100", "230.01", "230.03", "4700", "VIRT"),
        *("NSDQ", "100", "430.00", "430.04", "4700", "VIRT"),
    ]


def test_a_refused_ladder_shows_the_reason_in_its_place() -> None:
    refused = Ladder(Pair("SPX", "CBOE"), "CBOE", (), (), refusal="no depth offered there (10092)")
    assert drawn(refused)[2].strip() == "no depth offered there (10092)"


def test_a_book_that_is_not_live_names_its_state() -> None:
    reset = Ladder(Pair("SPY", "ARCA"), "ARCA", (), (), 4, state="reset")
    assert drawn(reset)[0].strip() == "SPY@ARCA (reset)"
