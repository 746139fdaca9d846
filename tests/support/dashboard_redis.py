"""A little of everything that a dashboard shows, put into Redis by hand."""

from __future__ import annotations

import json
import time
from typing import Any

import redis


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fill(client: redis.Redis) -> None:
    at = now_ms()
    levels = [[585.0 - step / 100, 100 + step, "ARCA"] for step in range(10)]
    asks = [[585.1 + step / 100, 200 + step, "ARCA"] for step in range(10)]
    book = {"symbol": "SPY", "ts": at, "received_ts": at, "seq": 41, "bids": levels, "asks": asks}
    beat = {"worker": "ibkr_depth", "ts": at, "pid": 7, "started_ts": at - 9_000, "source": "sim"}
    contract = {"expiration": "2026-12-18", "strike": 600.0, "implied_volatility": 0.2}
    legs = {kind: {**contract, "type": kind, "open_interest": 5} for kind in ("call", "put")}
    chain = {"as_of": "2026-11-26", "fetched_ts": at, "by_contract": legs, "metrics": {}}
    for name, value in {
        "coord:source": "sim",
        "market:SPY:book": json.dumps({**book, "venues": ["ARCA"], "crossed": False}),
        "market:SPY:ARCA:book": json.dumps({**book, "venue": "ARCA", "state": "live"}),
        "coord:depth:live:SPY": '["ARCA"]',
        "heartbeat:ibkr_depth": json.dumps({**beat, "state": "running", "connected": True}),
        "options:SPY:chain": json.dumps({**chain, "expirations": [{"expiration": "2026-12-18"}]}),
    }.items():
        client.set(name, value)
    hashes: dict[str, Any] = {
        "market:session": {"state": "closed", "calendar": "XNYS"},
        "raw:ibkr:depth:last:SPY": {"seq": 41, "ts": at, "venue": "ARCA"},
        "market:SPY:ticker": {"bid": 585.0, "ask": 585.1, "quote_ts": at, "quote_received_ts": at},
        "monitoring:data:stale": {"_checked_ts": at},
        "monitoring:options:SPY": {"status": "ok", "fetched_ts": at},
        "monitoring:depth:coverage": {"SPY": json.dumps({"share": 0.5, "live_s": 9})},
    }
    for name, fields in hashes.items():
        client.hset(name, mapping=fields)
    trade = {"seq": 3, "ts": at, "received_ts": at, "price": 585.05, "size": 10}
    client.lpush("market:SPY:trades", json.dumps(trade))
    turn: dict[Any, Any] = {
        "ts": at,
        "slot": 0,
        "symbol": "SPY",
        "venue": "ARCA",
        "event": "subscribe",
    }
    client.xadd("monitoring:depth:rotation", turn)
    client.xadd("monitoring:incidents", {"ts": at, "worker": "x", "kind": "309", "text": "full"})
    client.xadd("monitoring:gaps", {"feed": "depth", "symbol": "SPY", "from_ts": at, "to_ts": at})
