"""The world of a campaign: few symbols, short turns and intervals, so that minutes hold much."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["SYMBOLS", "VENUES", "WORKERS", "World", "settings_of"]

VENUES: Final = {
    "SPY": ("ARCA", "BATS"),
    "QQQ": ("ISLAND",),
    "IWM": ("ARCA",),
    "AAPL": ("ISLAND",),
    "MSFT": ("ISLAND",),
    "NVDA": ("ISLAND",),
}
SYMBOLS: Final = tuple(VENUES)
WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment", "watchdog")
# Time of a whole rotation: 7 pairs over 3 slots, 4 s of turn and 1 s of pause, and some more.
ROTATION_S: Final = 18.0


@dataclass(frozen=True, slots=True)
class World:
    seed: int
    tws_ports: tuple[int, int]
    vendor_ports: tuple[int, int]
    updates_per_s: float = 20.0


def settings_of(world: World, scenario: Path) -> dict[str, Any]:
    """What differs from the shipped settings."""
    return {
        "redis": {"maxmemory_mb": 512},
        "ibkr": {"rotation_s": 4.0, "stream_maxlen": 400_000, "tick_symbol_wait_s": 1.0},
        "modules": {"data_ingestion": {"metrics_interval_s": 2.0}},
        "alpha_vantage": {
            "options_interval_s": 3.0,
            "sentiment_interval_s": 6.0,
            "technicals_interval_s": 6.0,
            "failure_backoff_s": 2.0,
            "failure_backoff_max_s": 4.0,
            "entitlement_retry_s": 4.0,
            "daily_cooldown_s": 4.0,
            "read_timeout_s": 3.0,
            "request_timeout_s": 5.0,
            "sentiment_skip": [],
            "indicators": ["RSI", "MACD"],
        },
        "simulators": {
            "tws": {
                "port": world.tws_ports[0],
                "control_port": world.tws_ports[1],
                "seed": world.seed,
                "updates_per_s": world.updates_per_s,
                "scenario": str(scenario),
            },
            "alphavantage": {
                "port": world.vendor_ports[0],
                "control_port": world.vendor_ports[1],
                "seed": world.seed,
                "contracts": 40,
                "moving": 0.3,
            },
        },
    }
