from __future__ import annotations

import msgspec
import pytest

from shared.settings import Settings, SupervisionSettings, load_settings, repository_root
from shared.settings_sections import WorkerName
from shared.store.heartbeat import Family, ibkr_family


def settings_with(*enabled: WorkerName) -> Settings:
    shipped = load_settings({"TICKVISOR_HOME": "/nonexistent"}, repository_root())
    return msgspec.structs.replace(shipped, supervision=SupervisionSettings(enabled))


def test_both_workers_of_the_gateway_are_one_family_with_a_flag() -> None:
    assert ibkr_family(settings_with()) == Family(
        "ibkr_ingestion", ("ibkr_depth", "ibkr_trades"), True
    )


@pytest.mark.parametrize(
    ("enabled", "workers"),
    [
        (("ibkr_depth",), ("ibkr_depth",)),
        (("ibkr_trades",), ("ibkr_trades",)),
        (("ibkr_trades", "ibkr_depth"), ("ibkr_depth", "ibkr_trades")),
    ],
)
def test_the_flag_speaks_for_the_workers_that_are_enabled(
    enabled: tuple[WorkerName, ...], workers: tuple[str, ...]
) -> None:
    assert ibkr_family(settings_with(*enabled)).workers == workers
