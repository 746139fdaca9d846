from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from deploy.plan import EmbeddedRedis, Plan, TwsSimulator, VendorSimulator, make_plan
from shared.settings import (
    AlphaVantageSettings,
    Secret,
    Settings,
    TwsSimulatorSettings,
    VendorSimulatorSettings,
    load_settings,
    repository_root,
)

SERVER = Path("/opt/redis-server")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = {"TICKVISOR_HOME": str(tmp_path), "TICKVISOR_SOURCE": "sim"}
    return load_settings(env, repository_root())


def plan(settings: Settings, taken: tuple[int, ...] = ()) -> Plan:
    return make_plan(settings, lambda: SERVER, lambda port: port not in taken)


def test_sim_runs_redis_and_both_simulators(settings: Settings) -> None:
    assert plan(settings) == Plan(
        EmbeddedRedis(SERVER, 6379, 1024),
        TwsSimulator(TwsSimulatorSettings(), 7497, 7498),
        VendorSimulator(VendorSimulatorSettings(), 7480, 7481),
        left_out=(),
        notes=(),
        readers={"exporter": 9472, "dashboard": 9473},
    )


def test_a_taken_port_is_passed_over_and_said(settings: Settings) -> None:
    found = plan(settings, taken=(6379, 7497, 7481))
    assert found.redis == EmbeddedRedis(SERVER, 6380, 1024)
    assert found.tws == TwsSimulator(TwsSimulatorSettings(), 7498, 7499)
    assert found.notes == (
        "redis: port 6379 is taken, using 6380",
        "tws simulator: port 7497 is taken, using 7498",
        "tws control: port 7498 is taken, using 7499",
        "alphavantage control: port 7481 is taken, using 7482",
    )


def test_a_redis_of_the_users_own_starts_none(settings: Settings) -> None:
    redis = msgspec.structs.replace(settings.redis, url="redis://db:6379/0")
    assert plan(msgspec.structs.replace(settings, redis=redis)).redis is None


def test_live_simulates_nothing_and_leaves_out_who_has_no_key(settings: Settings) -> None:
    found = plan(
        msgspec.structs.replace(settings, source="live", alpha_vantage=keyed(settings, ""))
    )
    assert (found.tws, found.vendor) == (None, None)
    assert found.left_out == ("av_options", "av_sentiment")
    assert found.notes == (
        "ALPHA_VANTAGE_API_KEY is missing: av_options and av_sentiment left out",
    )


def test_live_with_a_key_leaves_nobody_out(settings: Settings) -> None:
    vendor = keyed(settings, "K3Y")
    found = plan(msgspec.structs.replace(settings, source="live", alpha_vantage=vendor))
    assert (found.left_out, found.notes) == ((), ())


def test_a_worker_that_is_off_anyway_needs_no_key(settings: Settings) -> None:
    chosen = ("ibkr_depth", "av_options")
    supervision = msgspec.structs.replace(settings.supervision, enabled_workers=chosen)
    live = msgspec.structs.replace(
        settings, source="live", supervision=supervision, alpha_vantage=keyed(settings, "")
    )
    found = plan(live)
    assert sorted(found.left_out) == ["av_options", "av_sentiment", "ibkr_trades", "watchdog"]
    assert found.notes[-1] == "ALPHA_VANTAGE_API_KEY is missing: av_options left out"


def keyed(settings: Settings, key: str) -> AlphaVantageSettings:
    return msgspec.structs.replace(settings.alpha_vantage, api_key=Secret(key))


def test_a_reader_that_is_off_is_left_out_and_takes_no_port(settings: Settings) -> None:
    off = msgspec.structs.replace(settings.exporter, enabled=False)
    found = plan(msgspec.structs.replace(settings, exporter=off), taken=(9473,))
    assert (found.left_out, found.readers) == (("exporter",), {"dashboard": 9474})
    assert found.notes == (
        "dashboard: port 9473 is taken, using 9474",
        "exporter is left out (exporter.enabled)",
    )
