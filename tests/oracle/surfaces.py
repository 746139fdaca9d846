"""When each surface was last fed, by what stands in Redis; and how long it took to come back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from tests.oracle.plan import SYMBOLS
from tests.oracle.rig import Rig

__all__ = ["SURFACES", "newest_ms", "oldest_ms", "slots_live"]

_BAR_MS: Final = 5_000


def newest_ms(rig: Rig, surface: str) -> int:
    """Receive time of the newest item of any symbol, Unix ms, 0 for none."""
    return max(rig.true_ms(_READS[surface](rig, symbol)) for symbol in SYMBOLS)


def oldest_ms(rig: Rig, surface: str) -> int:
    """The same of the symbol that is behind all others; depth has only some at a time."""
    if surface == "depth":
        return newest_ms(rig, surface)
    return min(rig.true_ms(_READS[surface](rig, symbol)) for symbol in SYMBOLS)


def slots_live(rig: Rig) -> bool:
    """Whether rows flow in every slot the worker has: after a 309 it takes fewer for a while."""
    row: Any = rig.client.hget("monitoring:ibkr:metrics", "ibkr_depth")
    records = rig.gateway_stats()["subscriptions"]
    live = {(r["symbol"], r["venue"]) for r in records if r["state"] == "live" and r["rows"] > 0}
    return bool(row) and len(live) >= json.loads(row)["slots"]


def _depth(rig: Rig, symbol: str) -> int:
    return _whole(rig.client.hget(f"raw:ibkr:depth:last:{symbol}", "ts"))


def _trades(rig: Rig, symbol: str) -> int:
    newest: Any = rig.client.lindex(f"market:{symbol}:trades", 0)
    return int(json.loads(newest)["received_ts"]) if newest else 0


def _quotes(rig: Rig, symbol: str) -> int:
    return _whole(rig.client.hget(f"market:{symbol}:ticker", "quote_received_ts"))


def _bars(rig: Rig, symbol: str) -> int:
    found: Any = rig.client.zrange(f"market:{symbol}:bars:5s", -1, -1, withscores=True)
    return int(found[0][1]) * 1_000 + _BAR_MS if found else 0


def _fetched(key: str) -> Callable[[Rig, str], int]:
    def read(rig: Rig, symbol: str) -> int:
        value: Any = rig.client.get(key.format(symbol))
        return int(json.loads(value)["fetched_ts"]) if value else 0

    return read


def _checked(rig: Rig, symbol: str) -> int:
    return _whole(rig.client.hget("monitoring:data:stale", "_checked_ts"))


def _whole(text: Any) -> int:
    return int(text) if text else 0


_READS: Final[dict[str, Callable[[Rig, str], int]]] = {
    "depth": _depth,
    "trades": _trades,
    "quotes": _quotes,
    "bars": _bars,
    "options": _fetched("options:{}:chain"),
    "sentiment": _fetched("sentiment:{}"),
    "technicals": _fetched("technicals:{}:RSI"),
    "watchdog": _checked,
}
SURFACES: Final = tuple(_READS)
