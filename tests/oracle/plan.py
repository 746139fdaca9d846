"""The world of a campaign: few symbols, short turns and intervals, so that minutes hold much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.ports import free_port

__all__ = [
    "INDICATORS",
    "PAIRS",
    "SYMBOLS",
    "VENDOR_PLAN",
    "VENUES",
    "WORKERS",
    "World",
    "settings_of",
]

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
INDICATORS: Final = ("RSI", "MACD")
VENDOR_PLAN: Final = 300
PAIRS: Final = sum(len(venues) for venues in VENUES.values())


@dataclass(frozen=True, slots=True)
class World:
    seed: int
    # Seconds that a pair keeps its depth slot.
    turn_s: float = 4.0
    tws_ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    vendor_ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    # Of each pair that has a slot, and of each symbol.
    updates_per_s: float = 20.0
    trades_per_s: float = 5.0
    # Of each side of a chain.
    contracts: int = 40
    # So long that a campaign of minutes trims nothing.
    stream_maxlen: int = 400_000
    # A proxy between the workers and Redis, by which it can be far away.
    far_redis: bool = False
    # The wall clock of the product's processes can be stepped.
    fake_clock: bool = False


def settings_of(world: World) -> dict[str, Any]:
    """What differs from the shipped settings."""
    return {
        "redis": {"maxmemory_mb": 512},
        "ibkr": {
            "rotation_s": world.turn_s,
            "stream_maxlen": world.stream_maxlen,
            "tick_symbol_wait_s": 1.0,
        },
        "modules": {"data_ingestion": {"metrics_interval_s": 2.0}},
        # Some 260 calls a minute of 290, so that a budget that is not kept shows.
        "alpha_vantage": {
            "calls_per_min": VENDOR_PLAN,
            "options_interval_s": 3.0,
            "sentiment_interval_s": 7.0,
            "technicals_interval_s": 8.0,
            "failure_backoff_s": 2.0,
            "failure_backoff_max_s": 4.0,
            "entitlement_retry_s": 4.0,
            "daily_cooldown_s": 4.0,
            "read_timeout_s": 3.0,
            "request_timeout_s": 5.0,
            "sentiment_skip": [],
            "indicators": list(INDICATORS),
        },
        # The rig has simulators of its own; these only must not be in its way.
        "simulators": {
            "tws": {"port": world.tws_ports[0], "control_port": world.tws_ports[1]},
            "alphavantage": {
                "port": world.vendor_ports[0],
                "control_port": world.vendor_ports[1],
            },
        },
    }
