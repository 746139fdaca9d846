from __future__ import annotations

import fnmatch
from dataclasses import fields
from inspect import getmembers, isfunction

import pytest

from shared.store.keys import SOURCE, Keys

KEYS = Keys()
NAMES = {
    "raw:ibkr:depth:stream:SPY": KEYS.depth_stream("SPY"),
    "raw:ibkr:depth:last:SPY": KEYS.depth_last("SPY"),
    "raw:ibkr:depth:hb:SPY": KEYS.depth_heartbeat("SPY"),
    "market:SPY:ARCA:book": KEYS.venue_book("SPY", "ARCA"),
    "market:SPY:book": KEYS.book("SPY"),
    "market:SPY:ticker": KEYS.ticker("SPY"),
    "market:SPY:last": KEYS.last("SPY"),
    "market:SPY:trades": KEYS.trades("SPY"),
    "market:SPY:bars:5s": KEYS.bars_5s("SPY"),
    "market:SPY:bars:1min": KEYS.bars_1min("SPY"),
    "coord:quote:ts": KEYS.quote_times(),
    "coord:seq:ibkr_trades": KEYS.numbers("ibkr_trades"),
    "coord:covered:ibkr_trades": KEYS.covered("ibkr_trades"),
    "heartbeat:ibkr_depth": KEYS.heartbeat("ibkr_depth"),
    "heartbeat:ibkr_ingestion": KEYS.family_heartbeat("ibkr_ingestion"),
    "heartbeat:alpha_vantage": KEYS.family_heartbeat("alpha_vantage"),
    "ibkr:connected": KEYS.ibkr_connected(),
    "monitoring:ibkr:metrics": KEYS.metrics("ibkr"),
    "monitoring:alpha_vantage:metrics": KEYS.metrics("alpha_vantage"),
    "monitoring:gaps": KEYS.gaps(),
    "monitoring:incidents": KEYS.incidents(),
    "monitoring:depth:coverage": KEYS.coverage(),
    "monitoring:depth:rotation": KEYS.rotation(),
    "coord:source": KEYS.source(),
    "coord:lease:ibkr_depth": KEYS.lease("ibkr_depth"),
    "coord:depth:live:SPY": KEYS.depth_live("SPY"),
    "coord:depth:fallback": KEYS.depth_fallback(),
    "coord:control:ibkr_depth": KEYS.control("ibkr_depth"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_spelled_as_in_the_contract(name: str) -> None:
    assert NAMES[name] == name


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_covered_by_a_pattern_of_the_reset(name: str) -> None:
    assert any(fnmatch.fnmatchcase(name, pattern) for pattern in KEYS.owned_patterns())


def test_the_prefix_stands_before_every_key_and_pattern() -> None:
    prefixed = Keys("t:")
    methods = [name for name, _ in getmembers(Keys, isfunction) if not name.startswith("_")]
    assert len(methods) > 15
    for name in methods:
        made = getattr(prefixed, name)
        count = made.__code__.co_argcount - 1
        value = made(*("SPY", "ARCA")[:count])
        for key in value if isinstance(value, tuple) else [value]:
            assert key.startswith("t:")


def test_the_prefix_is_empty_by_default() -> None:
    assert [field.default for field in fields(Keys)] == [""]
    assert KEYS.source() == SOURCE
