"""The watchdog: Redis → what is stale and why → monitoring, orders to workers, alerts."""

from __future__ import annotations

import sys
from typing import Final

from shared.lifecycle import run_feed
from shared.process import Worker, run
from shared.reporting import Reporter, Sources
from shared.session.always_open import AlwaysOpen
from shared.session.calendar import MarketCalendar
from shared.settings import VENDOR_WORKERS, Settings
from shared.store.heartbeat import Family
from shared.watchdog import Watchdog

NAME: Final = "watchdog"


def alone(settings: Settings) -> Family:
    return Family("", (), False)


def watched_workers(settings: Settings) -> list[str]:
    """Those that ought to run: without a key `make up` leaves the vendor's workers out."""
    keyless = settings.source == "live" and not settings.alpha_vantage.api_key
    left_out = {NAME, *(VENDOR_WORKERS if keyless else ())}
    return [name for name in settings.supervision.workers() if name not in left_out]


async def main(worker: Worker) -> None:
    settings = worker.settings
    simulated = settings.source == "sim"
    calendar = AlwaysOpen() if simulated else MarketCalendar(settings.market.calendar)
    watchdog = Watchdog(worker, watched_workers(settings), calendar)
    sources = Sources(NAME, "checks", watchdog.health, watchdog.metrics)
    await run_feed(worker, watchdog, watchdog.run(worker.stop), [], Reporter(worker, [], sources))


if __name__ == "__main__":
    sys.exit(run(NAME, alone, main))
