"""Depth updates with literal sides, for the store's tests."""

from __future__ import annotations

import json
from typing import Any

from shared.market.depth import BookState, DepthUpdate

MISSING = [None, 0, None]


def side(*levels: tuple[float, int, str]) -> bytes:
    """JSON of a side: these levels, then missing ones up to ten."""
    rows: list[Any] = [list(level) for level in levels]
    return json.dumps(rows + [MISSING] * (10 - len(rows)), separators=(",", ":")).encode()


BIDS = side((100.0, 300, "ARCA"), (99.99, 200, "ARCA"))
ASKS = side((100.02, 100, "ARCA"))
EMPTY = side()
# What an update with BIDS and ASKS counts for in a queue's bytes.
UPDATE_BYTES = len(BIDS) + len(ASKS) + 200


def update(
    seq: int = 0, symbol: str = "SPY", venue: str = "ARCA", ts_ms: int | None = None
) -> DepthUpdate:
    """`ts_ms` is 1000 + `seq` unless given."""
    ts = 1000 + seq if ts_ms is None else ts_ms
    return DepthUpdate(symbol, venue, ts, ts / 1000, BIDS, ASKS, BookState.LIVE, seq, ts)


def updates(*seqs: int, symbol: str = "SPY") -> list[DepthUpdate]:
    return [update(seq, symbol) for seq in seqs]
