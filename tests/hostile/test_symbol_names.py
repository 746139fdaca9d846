"""Names made to reach another key, a pattern or a log line: they are refused, or are just names."""

from __future__ import annotations

import itertools
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.venue import canonical
from shared.store.keys import Keys
from shared.universe import parse_universe
from tests.hostile.fuzzing import foreign, fuzz, unreadable

KEYS: Final = Keys()
HOSTILE: Final = [
    "SPY:ARCA", "SPY:book", "*", "SPY*", "S?Y", "[A-Z]", "{SPY}", "SPY\n", "SPY\r\nDEL x",
    "SPY\x00", "ЅРУ", "SPY\u200b", "\uff33PY", "../SPY", "~*", "%RW~*", "&*", "+@all", "..", ".",
    "-", "^", "#", "$", "a" * 21, "", " ", "SPY ", "\ud800", "\x1b[31m", "SPY'", 'SPY"', "SPY\\",
    "_checked_ts", "session", "data", "metrics", "spy", "calls", "0", "SPY/../QQQ",
    "SPY;FLUSHALL", "events",
]  # fmt: skip
# Of these characters names are just names: no key ends at one, no pattern or command has one.
PLAIN: Final = r"(?a)[\w.^#$~%&+@/;-]{1,20}"
names = st.sampled_from(HOSTILE) | st.text(max_size=8) | st.text("SPY.:*-", max_size=5)


def keys_of(symbol: str, venue: str) -> list[str]:
    by_symbol = [
        KEYS.depth_stream, KEYS.depth_last, KEYS.depth_heartbeat, KEYS.book, KEYS.ticker, KEYS.last,
        KEYS.trades, KEYS.bars_5s, KEYS.bars_1min, KEYS.calls, KEYS.puts, KEYS.chain,
        KEYS.options_monitor, KEYS.sentiment, KEYS.sentiment_monitor, KEYS.depth_live,
    ]  # fmt: skip
    return [
        *(key(symbol) for key in by_symbol),
        KEYS.venue_book(symbol, canonical(venue)),
        KEYS.greeks(symbol, "IBM171215C00150000"),
        KEYS.technicals(symbol, "RSI"),
        KEYS.growing(symbol, "chain"),
    ]


@fuzz(400)
@given(st.lists(names, max_size=5), st.lists(names, max_size=3))
def test_names_that_are_taken_have_keys_of_their_own(symbols: list[str], venues: list[str]) -> None:
    problems: list[str] = []
    entries: dict[Any, Any] = {symbol: {"venues": list(venues)} for symbol in symbols}
    universe = parse_universe({"symbols": entries}, problems)
    assert unreadable(problems) == []
    if problems:
        return
    pairs = list(itertools.product(universe.symbols(), universe.instruments[0].venues or ("X",)))
    found = [key for pair in pairs for key in keys_of(*pair)]
    assert foreign(found) == []
    assert not any(re.search(r"[*?\[\]{}\\\s'\"]", key) for key in found)
    books = [KEYS.venue_book(symbol, canonical(venue)) for symbol, venue in pairs]
    assert len(set(books)) == len(pairs)


@pytest.mark.parametrize("name", [one for one in HOSTILE if not re.fullmatch(PLAIN, one)])
def test_a_name_that_could_reach_further_is_refused(name: str) -> None:
    for document in (
        {"symbols": {name: None}},
        {"symbols": {"SPY": {"venues": [name]}}},
        {"symbols": {"SPY": {"primary": name}}},
    ):
        problems: list[str] = []
        parse_universe(document, problems)
        allowed = not name and "primary" in str(document)
        assert allowed or len(problems) == 1
        assert unreadable(problems) == []


@pytest.mark.parametrize("pinned", [[["SPY"]], [{"a": 1}], [None], [["SPY"], ["SPY"]], {"SPY": 1}])
def test_pinned_names_that_are_no_names_are_refused(pinned: Any) -> None:
    problems: list[str] = []
    parse_universe({"symbols": {"SPY": None}, "pinned": pinned}, problems)
    assert problems


def test_ten_thousand_symbols_are_one_fault() -> None:
    problems: list[str] = []
    parse_universe({"symbols": {f"S{n}": None for n in range(10_000)}}, problems)
    assert problems == ["symbols: were 10000, must be at most 1000"]
