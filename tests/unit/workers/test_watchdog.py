from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from shared.control.freshness import Stale
from shared.process import Health, Worker
from shared.session.always_open import AlwaysOpen
from shared.settings import Settings, load_settings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.monitoring import Ledger, Metrics
from shared.watchdog import Watchdog
from tests.support.worker_process import REPOSITORY, write_settings, write_universe
from workers.watchdog import alone, watched_workers

FEEDS = ["ibkr_depth", "ibkr_trades", "av_options", "av_sentiment"]


def settings(home: Path, source: str, key: str = "", **supervision: Any) -> Settings:
    write_universe(home, {"SPY": ("ARCA",)})
    write_settings(home, {"supervision": supervision})
    env = {
        "TICKVISOR_HOME": str(home),
        "TICKVISOR_CONFIG": str(home / "ingestion.yaml"),
        "SYMBOL_CONFIG_PATH": str(home / "ibkr_symbols.yaml"),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "TICKVISOR_SOURCE": source,
        "ALPHA_VANTAGE_API_KEY": key,
    }
    return load_settings(env, REPOSITORY)


@pytest.mark.parametrize(
    ("source", "key", "expected"),
    [("sim", "", FEEDS), ("live", "K1", FEEDS), ("live", "", FEEDS[:2])],
)
def test_those_are_watched_that_ought_to_run(
    tmp_path: Path, source: str, key: str, expected: list[str]
) -> None:
    assert watched_workers(settings(tmp_path, source, key)) == expected


def test_only_enabled_workers_are_watched_and_never_the_watchdog_itself(tmp_path: Path) -> None:
    enabled = ["ibkr_trades", "av_options", "watchdog"]
    assert watched_workers(settings(tmp_path, "sim", enabled_workers=enabled)) == enabled[:2]


def test_it_belongs_to_no_family(tmp_path: Path) -> None:
    family = alone(settings(tmp_path, "sim"))
    assert (family.name, family.workers, family.has_flag) == ("", (), False)


def test_causes_that_an_alert_has_no_room_for_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.alerts.digest.MAX_CAUSES", 2)
    chosen, keys = settings(tmp_path, "sim"), Keys()
    store = Store(chosen.redis.url, 1.0)
    ledger, metrics = Ledger(store, keys, "watchdog"), Metrics(store, keys, "watchdog", 120)
    stop = asyncio.Event()
    worker = Worker("watchdog", chosen, keys, store, ledger, metrics, Health(), stop, 0)
    watchdog = Watchdog(worker, FEEDS, AlwaysOpen())
    assert watchdog.metrics()["alerts_left_out"] == 0
    stale = [Stale("trades", symbol, 130.0, 120.0, 1, "mute", True) for symbol in "ABC"]
    watchdog._tell({one.field: one for one in stale})
    assert watchdog.metrics()["alerts_left_out"] == 1
