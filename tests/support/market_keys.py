"""Reads what the trades worker publishes, by the names of the contract; shares no code with it."""

from __future__ import annotations

import json
from typing import Any

from tests.support.depth_keys import DepthKeys


class MarketKeys(DepthKeys):
    def trades(self, symbol: str) -> list[dict[str, Any]]:
        """Oldest first."""
        rows: Any = self.redis.lrange(f"market:{symbol}:trades", 0, -1)
        return [json.loads(row) for row in reversed(rows)]

    def newest_trade(self, symbol: str) -> dict[str, Any]:
        rows: Any = self.redis.lrange(f"market:{symbol}:trades", 0, 0)
        return dict(json.loads(rows[0])) if rows else {}

    def traded(self, symbol: str) -> int:
        """Number of the newest trade, 0 for none."""
        return int(self.newest_trade(symbol).get("seq", 0))

    def last(self, symbol: str) -> dict[str, Any]:
        return self.json(f"market:{symbol}:last") or {}

    def ticker(self, symbol: str) -> dict[str, str]:
        return self.hash(f"market:{symbol}:ticker")

    def bars(self, symbol: str, timeframe: str = "5s") -> list[dict[str, Any]]:
        rows: Any = self.redis.zrange(f"market:{symbol}:bars:{timeframe}", 0, -1, withscores=True)
        found = [json.loads(member) for member, _ in rows]
        assert [row["t"] for row in found] == [int(score) for _, score in rows]
        return found

    def candles(self, symbol: str) -> list[dict[str, Any]]:
        return self.bars(symbol, "1min")

    def trades_heartbeat(self) -> dict[str, Any]:
        return self.json("heartbeat:ibkr_trades") or {}

    def trades_metrics(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.hash("monitoring:ibkr:metrics").get("ibkr_trades", "{}")
        )
        return found

    def feed_gaps(self, feed: str, symbol: str | None = None) -> list[dict[str, str]]:
        found = [fields for _, fields in self.stream("monitoring:gaps")]
        return [f for f in found if f["feed"] == feed and symbol in (None, f["symbol"])]
