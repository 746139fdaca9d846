from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from deploy.plan import EmbeddedRedis, Plan, TwsSimulator, make_plan
from shared.settings import Settings, TwsSimulatorSettings, load_settings, repository_root

SERVER = Path("/opt/redis-server")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    env = {"TICKVISOR_HOME": str(tmp_path), "TICKVISOR_SOURCE": "sim"}
    return load_settings(env, repository_root())


def plan(settings: Settings, taken: tuple[int, ...] = ()) -> Plan:
    return make_plan(settings, lambda: SERVER, lambda port: port not in taken)


def test_sim_runs_redis_and_the_gateway_simulator(settings: Settings) -> None:
    assert plan(settings) == Plan(
        EmbeddedRedis(SERVER, 6379, 1024),
        TwsSimulator(TwsSimulatorSettings(), 7497, 7498),
        left_out=(),
        notes=(),
    )


def test_a_taken_port_is_passed_over_and_said(settings: Settings) -> None:
    found = plan(settings, taken=(6379, 7497))
    assert found.redis == EmbeddedRedis(SERVER, 6380, 1024)
    assert found.tws == TwsSimulator(TwsSimulatorSettings(), 7498, 7499)
    assert found.notes == (
        "redis: port 6379 is taken, using 6380",
        "tws simulator: port 7497 is taken, using 7498",
        "tws control: port 7498 is taken, using 7499",
    )


def test_a_redis_of_the_users_own_starts_none(settings: Settings) -> None:
    redis = msgspec.structs.replace(settings.redis, url="redis://db:6379/0")
    assert plan(msgspec.structs.replace(settings, redis=redis)).redis is None


def test_live_simulates_nothing_and_names_the_missing_key(settings: Settings) -> None:
    found = plan(msgspec.structs.replace(settings, source="live"))
    assert found.tws is None
    assert found.notes == ("ALPHA_VANTAGE_API_KEY is missing: no options, sentiment or technicals",)
