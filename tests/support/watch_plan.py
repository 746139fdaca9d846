"""What a test of the watchdog runs: short budgets, few symbols, a slot for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.depth_rig import QUICK as QUICK_DEPTH
from tests.support.market_rig import QUICK as QUICK_MARKET
from tests.support.vendor_rig import QUICK as QUICK_VENDOR

WATCHDOG: Final = "watchdog"
GATEWAY: Final = ("ibkr_depth", "ibkr_trades")
VENDOR: Final = ("av_options", "av_sentiment")
FIVE: Final = {"SPY": ("ARCA",), "IWM": ("ARCA",), "MSFT": ("ARCA",), "QQQ": ("ISLAND",),
               "TSLA": ("ISLAND",)}  # fmt: skip
NO_NEWS: Final = "SPY"
TICK_S: Final = 0.5
# Two ticks, and what a busy machine and the look at Redis take.
SOON_MS: Final = 1_000 + 500
# A quote that holds is said to once in ten seconds.
BUDGETS: Final[Mapping[str, float]] = {
    "depth_s": 3.0, "quotes_s": 15.0, "trades_s": 5.0, "bars_s": 8.0,
    "options_s": 5.0, "technicals_s": 8.0, "sentiment_s": 10.0,
}  # fmt: skip
# Shorter than every budget, so that a dead worker explains its data before they are late.
LATE_S: Final = 2.5
POLICY: Final[Mapping[str, Any]] = {
    "interval_s": TICK_S,
    "resubscribe_cooldown_s": 3.0,
    "reconnect_cooldown_s": 6.0,
    "actions_per_hour": 6,
}
GATEWAY_FLAGS: Final = (
    "--depth-cap", "12", "--rate", "10", "--trade-rate", "10", "--quote-rate", "10",
    "--sample-ms", "100", "--bar-pacing", "off", "--history-pacing", "off",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """`workers` are started beside the watchdog, `enabled` (those, unless named) ought to run."""

    workers: tuple[str, ...] = GATEWAY
    enabled: tuple[str, ...] = ()
    venues: Mapping[str, Iterable[str]] = field(default_factory=lambda: FIVE)
    policy: Mapping[str, Any] = field(default_factory=dict)
    late_s: float = LATE_S
    ibkr: Mapping[str, Any] = field(default_factory=dict)
    alerts: Mapping[str, Any] = field(default_factory=dict)
    # A live source asks the calendar; the simulated market never closes.
    source: str = "sim"
    calendar: Callable[[], str] = lambda: "XNYS"
    durable: bool = True


def settings_of(plan: WatchPlan) -> dict[str, Any]:
    quick = QUICK_DEPTH["modules"]["data_ingestion"]
    return {
        "modules": {"data_ingestion": {**quick, "freshness": dict(BUDGETS)}},
        "supervision": {
            "enabled_workers": [*(plan.enabled or plan.workers), WATCHDOG],
            "heartbeat_late_s": plan.late_s,
        },
        # Their own repairs come after the watchdog's.
        "ibkr": {
            **QUICK_MARKET,
            "max_concurrent_depth": 12,
            "depth_stale_s": 60.0,
            "line_stale_s": 60.0,
            **plan.ibkr,
        },
        "alpha_vantage": {
            **QUICK_VENDOR,
            "sentiment_skip": [NO_NEWS],
            "max_attempts": 1,
            "failure_threshold": 2,
        },
        "watchdog": {**POLICY, **plan.policy},
        "alerts": dict(plan.alerts),
        "market": {"calendar": plan.calendar()},
    }


def budget_of(name: str, late_s: float) -> float:
    surface = name.partition(":")[0]
    return late_s if surface == "heartbeat" else BUDGETS[f"{surface}_s"]


def names_of(surface: str, symbols: Iterable[str]) -> set[str]:
    return {f"{surface}:{symbol}" for symbol in symbols}
