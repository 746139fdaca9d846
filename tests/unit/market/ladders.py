"""A published side, read back and held against the contract."""

from __future__ import annotations

import orjson

MISSING = [None, 0, None]


def levels(side_json: bytes, bids: bool) -> list[tuple[float, float, str]]:
    """The levels of a published side, after checking everything a reader relies on."""
    rows = orjson.loads(side_json)
    assert len(rows) == 10, side_json
    present = [(price, size, venue) for price, size, venue in rows if price is not None]
    assert rows[len(present) :] == [MISSING] * (10 - len(present)), side_json
    prices = [row[0] for row in present]
    assert prices == sorted(prices, reverse=bids), side_json
    assert all(price > 0 and size > 0 for price, size, _ in present), side_json
    return present
