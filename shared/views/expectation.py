"""What ought to run, by the settings. Pure."""

from __future__ import annotations

from shared.settings import READERS, VENDOR_WORKERS, WORKERS, Settings
from shared.views.status import Expected


def expected(settings: Settings) -> Expected:
    chosen = settings.supervision.workers()
    left_out = [name for name in WORKERS if name not in chosen]
    if settings.source == "live" and not settings.alpha_vantage.api_key:
        left_out += [name for name in VENDOR_WORKERS if name in chosen]
    late_s = settings.supervision.heartbeat_late_s
    return Expected(
        tuple(name for name in chosen if name not in left_out),
        (*left_out, *(name for name in READERS if name not in settings.readers())),
        late_s,
        check_late_s=settings.watchdog.interval_s + late_s,
        after_hours=settings.market.check_staleness_after_hours,
    )
