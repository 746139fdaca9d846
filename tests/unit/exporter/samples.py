"""What stands in Redis at one moment, and what an exporter makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from prometheus_client.exposition import generate_latest

from shared.exporter.sheet import Sheet
from shared.store.export_reader import Exported
from shared.store.ops_reader import StaleSeen
from shared.views.status import Expected

NOW_MS: Final = 1_795_709_176_500
BEGAN_MS: Final = NOW_MS - 100_000
WORKERS: Final = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment", "watchdog")
EXPECTED: Final = Expected(WORKERS, late_s=6.0, check_late_s=7.0)


def beat(worker: str, age_ms: int = 400, **changes: Any) -> dict[str, Any]:
    return {
        "worker": worker,
        "ts": NOW_MS - age_ms,
        "started_ts": BEGAN_MS,
        "state": "running",
        "connected": True,
        **changes,
    }


def exported(**changes: Any) -> Exported:
    """All is well but for the changes."""
    well: dict[str, Any] = {
        "now_ms": NOW_MS,
        "source": "sim",
        "session": {"state": "regular"},
        "stale": StaleSeen({}, NOW_MS - 500),
        "beats": {name: beat(name) for name in WORKERS},
    }
    return Exported(**{**well, **changes})


def told(tell: Callable[[Sheet], None]) -> dict[str, float]:
    """Every sample by its name and labels, as they stand in the answer to Prometheus."""
    sheet = Sheet()
    tell(sheet)
    lines = generate_latest(sheet).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.removeprefix("tickvisor_"): float(value) for name, _, value in pairs}


def of(samples: dict[str, float], name: str) -> dict[str, float]:
    """Those of one metric, by what stands between the braces."""
    found = {}
    for sample, value in samples.items():
        stem, _, labels = sample.partition("{")
        if stem == name:
            found[labels.removesuffix("}")] = value
    return found
