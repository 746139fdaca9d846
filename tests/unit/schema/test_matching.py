from __future__ import annotations

import pytest

from shared.schema.matching import Matcher
from shared.schema.row import Shape
from shared.schema.table import rows
from shared.store.keys import Keys


@pytest.mark.parametrize(
    ("key", "row", "names"),
    [
        ("raw:ibkr:depth:stream:SPY", "depth_stream", {"symbol": "SPY"}),
        ("market:BRK.B:book", "book", {"symbol": "BRK.B"}),
        ("market:SPY:ARCA:book", "venue_book", {"symbol": "SPY", "venue": "ARCA"}),
        ("market:SPY:bars:5s", "bars_5s", {"symbol": "SPY"}),
        ("market:session", "market_session", {}),
        ("options:SPY:chain", "chain", {"symbol": "SPY"}),
        ("options:SPY:SPY261218C00600000:greeks", "greeks",
         {"symbol": "SPY", "contract": "SPY261218C00600000"}),
        ("monitoring:options:SPY", "options_monitor", {"symbol": "SPY"}),
        ("monitoring:alpha_vantage:metrics", "alpha_vantage_metrics", {}),
        ("heartbeat:ibkr_ingestion", "ibkr_ingestion_heartbeats", {}),
        ("heartbeat:ibkr_depth", "heartbeat", {"worker": "ibkr_depth"}),
        ("ibkr:connected", "ibkr_connected", {}),
        ("coord:depth:live:SPY", "depth_live", {"symbol": "SPY"}),
        ("coord:depth:fallback", "depth_fallback", {}),
        ("coord:ratelimit:alpha_vantage:3f9a1c2b", "rate_limit", {"account": "3f9a1c2b"}),
        ("technicals:SPY:RSI", "technicals", {"symbol": "SPY", "indicator": "RSI"}),
    ],
)  # fmt: skip
def test_a_key_belongs_to_one_row(key: str, row: str, names: dict[str, str]) -> None:
    found = Matcher(Keys()).find(key)
    assert found is not None
    assert (found[0].name, found[1]) == (row, names)


@pytest.mark.parametrize(
    "key",
    [
        "market:SPY:quote", "market:SPY:ISLAND:book", "market:SPY:arca:book", "market::book",
        "market:SPY:ARCA:book:old", "technicals:SPY:SMA", "coord:depth", "heartbeat:",
        "options:SPY:greeks", "options:SPY:SPY-1:greeks", "events:options:SPY", "ibkr:connected ",
        "coord:ratelimit:alpha_vantage:KEY", "raw:ibkr:depth:last:S Y",
    ],
)  # fmt: skip
def test_any_other_key_belongs_to_none(key: str) -> None:
    assert Matcher(Keys()).find(key) is None


def test_the_prefix_stands_before_every_key() -> None:
    matcher = Matcher(Keys("desk.1:"))
    assert matcher.find("desk.1:market:SPY:book") is not None
    assert matcher.find("market:SPY:book") is None
    assert matcher.find("desk:1:market:SPY:book") is None


def test_rows_are_told_apart_by_name_and_key() -> None:
    for named in ([row.name for row in rows()], [row.key(Keys()) for row in rows()]):
        assert len(set(named)) == len(named)


def test_every_key_of_the_product_is_scanned_for() -> None:
    patterns = [pattern.rstrip("*") for pattern in Keys("p:").owned_patterns()]
    for row in rows():
        if row.shape is not Shape.CHANNEL:
            assert row.key(Keys("p:")).startswith(tuple(patterns)), row.name
