"""`tickvisor doctor` against real simulators and a real Redis: all well, settings, Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from shared.store.keys import Keys
from tests.support.doctor_patient import (
    DOCTOR,
    Patient,
    Simulators,
    failures,
    simulated,
    supervised,
)
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def simulators() -> Iterator[Simulators]:
    with simulated() as found:
        yield found


@pytest.fixture
def patient(simulators: Simulators, redis_server: RedisServer, tmp_path: Path) -> Iterator[Patient]:
    yield Patient(tmp_path, simulators, redis_server.url)
    simulators.restore()


def test_all_well(patient: Patient) -> None:
    with supervised(patient.home):
        found = patient.examine()
    assert {name: row for name, row in found.items() if row["state"] != "ok"} == {}
    assert patient.exit_code == 0
    assert {"depth-ARCA", "depth-NASDAQ", "quotes", "vendor-options", "disk"} <= set(found)
    assert "of 1 programs RUNNING" in found["supervisord"]["finding"]
    stats = patient.gateway.stats()
    assert stats["opened"] == stats["cancelled"] == 2
    assert (patient.gateway.mistakes(), stats["over_cap_309"]) == ({}, 0)
    assert [row["outcome"] for row in patient.vendor.requests()] == ["ok", "ok"]


def test_redis_keeps_its_data_and_gives_calls_of_the_shared_budget(
    patient: Patient, redis_server: RedisServer
) -> None:
    with redis_server.client() as client:
        client.set("mine", "kept")
        patient.examine()
        kept, *others = sorted(client.keys(), key=lambda name: name != "mine")
        assert (kept, len(others)) == ("mine", 1)
        assert others[0].startswith(Keys("").rate_limit(""))
        assert client.hget(others[0], "granted") == "2"


def test_no_redis(patient: Patient) -> None:
    patient.env["REDIS_URL"] = f"redis://user:hunter2@127.0.0.1:{free_port()}/0"
    found = patient.examine()
    assert failures(found) == ["redis"]
    assert patient.exit_code == 1
    assert found["redis"]["finding"].startswith("nothing listens at redis://user:***@")
    assert "hunter2" not in json.dumps(found)


def test_a_redis_that_does_not_answer(patient: Patient, redis_server: RedisServer) -> None:
    redis_server.pause()
    found = patient.examine()
    redis_server.resume()
    assert failures(found) == ["redis"]
    assert "silent for 3.5 s" in found["redis"]["finding"]


def test_a_redis_that_evicts(patient: Patient, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
    found = patient.examine()
    assert failures(found) == ["redis-eviction"]
    assert "allkeys-lru" in found["redis-eviction"]["finding"]


def test_a_replica_takes_no_writes(patient: Patient, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.replicaof("127.0.0.1", free_port())
    found = patient.examine()
    assert failures(found) == ["redis-role"]


def test_a_redis_of_another_source(patient: Patient, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.set(Keys("").source(), "live")
    found = patient.examine()
    assert failures(found) == ["source"]


def test_without_probing_nothing_is_asked_of_gateway_data_or_vendor(patient: Patient) -> None:
    opened = patient.gateway.stats()["opened"]
    found = patient.examine("--no-probe")
    assert failures(found) == []
    assert "logs in" in found["gateway"]["finding"]
    assert (patient.vendor.requests(), patient.gateway.stats()["opened"]) == ([], opened)
    assert "quotes" not in found


def test_unusable_settings_are_all_listed(patient: Patient) -> None:
    patient.env["IBKR_PORT"] = "none"
    patient.env["IBKR_CLIENT_ID"] = "0"
    done = patient.run("-c", DOCTOR)
    assert (done.returncode, done.stderr) == (78, "")
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["fail", "settings", "IBKR_PORT:"],
        ["fail", "settings", "IBKR_CLIENT_ID:"],
    ]


def test_a_wrong_password_is_not_shown(patient: Patient, redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set("requirepass", "sesame7open")
    patient.env["REDIS_URL"] = redis_server.url.replace("//", "//:hunter2@")
    found = patient.examine()
    with redis.Redis.from_url(redis_server.url, password="sesame7open") as client:
        client.config_set("requirepass", "")
    assert failures(found) == ["redis"]
    assert "check user and password" in found["redis"]["remedy"]
    assert "hunter2" not in json.dumps(found)
