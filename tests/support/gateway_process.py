from __future__ import annotations

from typing import Any, Final

from simulators.tws.process import SimulatorProcess

# Counters that stay at zero for a client that follows the gateway's rules.
MISTAKES: Final = (
    "cancel_unknown",
    "cancel_refused",
    "cancel_dropped",
    "cancel_with_other_flag",
    "double_cancel",
    "reused_live_id",
    "reused_retired_id",
    "smart_requests",
)
# The simulator's starting prices, in dollars; its books stay within a few percent of them.
BASE_PRICES: Final = {"SPY": 585.0, "QQQ": 505.0, "MSFT": 430.0, "TSLA": 340.0, "AAPL": 230.0,
                      "GOOGL": 175.0, "NVDA": 140.0}  # fmt: skip


class GatewayProcess(SimulatorProcess):
    """The TWS simulator as the tests see it: what it sent, and what its clients did."""

    def stats(self) -> dict[str, Any]:
        return self.call("stats")

    def records(self, symbol: str | None = None) -> list[dict[str, Any]]:
        """Every depth request that was granted, oldest first."""
        found: list[dict[str, Any]] = self.stats()["subscriptions"]
        return [record for record in found if symbol in (None, record["symbol"])]

    def live_ids(self) -> dict[str, int]:
        """Symbol and reqId of each open subscription."""
        return {r["symbol"]: r["req_id"] for r in self.records() if r["state"] == "live"}

    def mistakes(self) -> dict[str, int]:
        stats = self.stats()
        return {name: stats[name] for name in MISTAKES if stats[name]}

    def requests(self, kind: str) -> int:
        return int(self.stats()["requests"].get(kind, 0))

    def rows_sent(self, symbol: str) -> int:
        return sum(int(record["rows"]) for record in self.records(symbol))
