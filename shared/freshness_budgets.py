"""How old each surface may be, by the settings."""

from __future__ import annotations

from shared.control.freshness import FreshnessPolicy
from shared.settings import Settings


def freshness_policy(settings: Settings) -> FreshnessPolicy:
    budgets = settings.modules.data_ingestion.freshness
    return FreshnessPolicy(
        depth_s=budgets.depth_s,
        quotes_s=budgets.quotes_s,
        trades_s=budgets.trades_s,
        bars_s=budgets.bars_s,
        options_s=budgets.options_s,
        sentiment_s=budgets.sentiment_s,
        technicals_s=budgets.technicals_s,
        heartbeat_s=settings.supervision.heartbeat_late_s,
        after_hours=settings.market.check_staleness_after_hours,
        slowdown=settings.alpha_vantage.closed_slowdown,
        rhythm_factor=settings.watchdog.rhythm_factor,
    )
