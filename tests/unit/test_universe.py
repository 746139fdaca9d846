from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.settings import repository_root
from shared.universe import Instrument, Universe, load_universe, name_fault, parse_universe


def parse(symbols: Any, pinned: Any = None) -> tuple[Universe, list[str]]:
    problems: list[str] = []
    universe = parse_universe({"symbols": symbols, "pinned": pinned}, problems)
    return universe, problems


def load(tmp_path: Path, text: str) -> tuple[Universe, list[str]]:
    path = tmp_path / "symbols.yaml"
    path.write_text(text)
    problems: list[str] = []
    return load_universe(path, problems), problems


def test_the_shipped_universe_has_the_ten_names_at_their_venues() -> None:
    problems: list[str] = []
    universe = load_universe(repository_root() / "config/ibkr_symbols.yaml", problems)
    assert problems == []
    assert {one.symbol: (one.venues, one.primary) for one in universe.instruments} == {
        "SPY": (("ARCA",), "ARCA"),
        "QQQ": (("ISLAND",), "NASDAQ"),
        "IWM": (("ARCA",), "ARCA"),
        "AAPL": (("ISLAND",), "NASDAQ"),
        "MSFT": (("ISLAND",), "NASDAQ"),
        "GOOGL": (("ISLAND",), "NASDAQ"),
        "AMZN": (("ISLAND",), "NASDAQ"),
        "META": (("ISLAND",), "NASDAQ"),
        "NVDA": (("ISLAND",), "NASDAQ"),
        "TSLA": (("ISLAND",), "NASDAQ"),
    }
    assert universe.pinned == ()


def test_a_bare_symbol_leaves_the_venue_to_the_primary_exchange() -> None:
    universe, problems = parse({"IBM": None})
    assert problems == []
    assert universe.instruments == (
        Instrument("IBM", "STK", (), "", "USD", ibkr_name="IBM", alpha_vantage_name="IBM"),
    )


def test_vendor_spellings_stand_beside_our_name() -> None:
    universe, problems = parse({"BRK.B": {"ibkr": "BRK B", "alpha_vantage": "BRK-B"}})
    assert problems == []
    berkshire = universe.by_symbol("BRK.B")
    assert (berkshire.ibkr_name, berkshire.alpha_vantage_name) == ("BRK B", "BRK-B")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [(None, ("IND", ("CBOE",))), ({"venues": ["NYSE"]}, ("IND", ("NYSE",)))],
)
def test_an_index_is_tried_at_cboe(entry: Any, expected: tuple[str, tuple[str, ...]]) -> None:
    universe, _ = parse({"SPX": entry})
    assert (universe.instruments[0].sec_type, universe.instruments[0].venues) == expected


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "must be text of 1 to 20 characters"),
        (None, "must be text of 1 to 20 characters"),
        (7, "must be text of 1 to 20 characters"),
        ("A" * 21, "must be at most 20 characters, has 21"),
        ("A B", "must be printable ASCII without spaces"),
        ("A\n", "must be printable ASCII without spaces"),
        ("A\x00", "must be printable ASCII without spaces"),
        ("A\x7f", "must be printable ASCII without spaces"),
        ("ÄBC", "must be printable ASCII without spaces"),
        ("A:B", "must not contain :"),
        ("{A}", "must not contain { }"),
        ("A*", "must not contain *"),
        ("A?", "must not contain ?"),
        ("[A]", "must not contain [ ]"),
        ('A"\\', 'must not contain " \\'),
    ],
)
def test_a_name_that_could_break_out_of_a_key_is_refused(name: object, fault: str) -> None:
    assert name_fault(name) == fault


@pytest.mark.parametrize("name", ["SPY", "BRK.B", "BF-B", "A" * 20, "ES/1", "^VIX"])
def test_a_plain_name_is_accepted(name: str) -> None:
    assert name_fault(name) is None


def test_tickers_that_yaml_reads_as_truth_values_stay_names(tmp_path: Path) -> None:
    universe, problems = load(tmp_path, "symbols: {ON: , NO: , Y: , TRUE: , 700: }\n")
    assert problems == []
    assert universe.symbols() == ("ON", "NO", "Y", "TRUE", "700")


def test_a_symbol_that_stands_twice_is_refused(tmp_path: Path) -> None:
    universe, problems = load(tmp_path, "symbols:\n  SPY:\n  SPY: {venues: [ARCA]}\n")
    assert universe.instruments == ()
    assert "key SPY stands twice, again in line 3" in problems[0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{venues: [SMART]}", "symbols.A.venues: was 'SMART', must be a concrete venue"),
        ("{primary: SMART}", "symbols.A.primary: was 'SMART', must be a concrete venue"),
        ("{venues: ['A:B']}", "symbols.A.venues: was 'A:B', must not contain :"),
        ("{venues: ARCA}", "symbols.A.venues: was 'ARCA', must be a list like [ARCA]"),
        ("{venues: [ARCA, ARCA]}", "must name each once"),
        ("{venues: [ISLAND, NASDAQ]}", "must name each venue once"),
        ("{sec_type: OPT}", "symbols.A.sec_type: was 'OPT', must be one of STK, IND"),
        ("{currency: usd}", "symbols.A.currency: was 'usd', must be text like"),
        ("{ibkr: ''}", "symbols.A.ibkr: was '', must be text like"),
        ("{ibkr: [x]}", "symbols.A.ibkr: was ['x'], must be text like"),
        ("{venue: [ARCA]}", "symbols.A.venue: unknown key, nearest is venues"),
        ("ARCA", "symbols.A: was 'ARCA', must be a mapping or empty"),
    ],
)
def test_an_unusable_entry_names_its_path_and_bound(entry: str, expected: str) -> None:
    _, problems = parse({"A": yaml.safe_load(entry)})
    assert expected in problems[0]


def test_all_faults_are_reported_together() -> None:
    _, problems = parse({"A B": None, "C": {"sec_type": "X"}}, ["D", "D"])
    assert len(problems) == 5


def test_a_pinned_symbol_must_stand_in_the_list() -> None:
    _, problems = parse({"SPY": None}, ["QQQ"])
    assert problems == ["pinned: was 'QQQ', must be one of the symbols above"]


@pytest.mark.parametrize("text", ["", "symbols:\n", "symbols: []\n"])
def test_an_empty_universe_is_refused(tmp_path: Path, text: str) -> None:
    assert "must map at least one symbol" in load(tmp_path, text)[1][0]


def test_an_unknown_top_level_key_names_the_nearest(tmp_path: Path) -> None:
    _, problems = load(tmp_path, "symbols: {SPY: }\npined: [SPY]\n")
    assert problems == ["symbols.yaml: pined: unknown key, nearest is pinned"]


def test_an_unknown_symbol_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        parse({"SPY": None})[0].by_symbol("QQQ")
