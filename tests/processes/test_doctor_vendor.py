"""`tickvisor doctor` against the vendor's refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.store.keys import Keys
from tests.support.doctor_patient import Patient, Simulators, failures, simulated
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def simulators() -> Iterator[Simulators]:
    with simulated() as found:
        yield found


@pytest.fixture
def patient(simulators: Simulators, redis_server: RedisServer, tmp_path: Path) -> Iterator[Patient]:
    yield Patient(tmp_path, simulators, redis_server.url)
    simulators.restore()


def test_a_bad_key(patient: Patient) -> None:
    patient.vendor.call("keys", keys="ANOTHER")
    found = patient.examine()
    assert failures(found) == ["vendor"]
    assert found["vendor"]["finding"].startswith("bad key")


def test_a_free_plan_key(patient: Patient) -> None:
    patient.vendor.call("plan", plan="free")
    # A machine that takes a second for the first call would not meet the second one's limit.
    patient.vendor.fault("info_free_1ps_2026", function="REALTIME_OPTIONS")
    found = patient.examine()
    assert failures(found) == ["vendor-options", "vendor-plan"]
    assert "free plan" in found["vendor-plan"]["finding"]
    assert found["vendor"]["state"] == "ok"


def test_a_key_without_options(patient: Patient) -> None:
    patient.vendor.fault("artificial", function="REALTIME_OPTIONS")
    found = patient.examine()
    assert failures(found) == ["vendor-options"]
    assert found["vendor-options"]["finding"].startswith("key without options")
    assert found["vendor-plan"]["state"] == "warn"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("info_demo_key", "demo key"), ("err_apikey", "bad key"), ("hang", "gives no answer"),
     ("html_503", "http 503"), ("info_daily25_nokey", "free-plan key")],
)  # fmt: skip
def test_what_else_the_vendor_may_say(patient: Patient, kind: str, words: str) -> None:
    patient.vendor.fault(kind)
    found = patient.examine()
    assert found["vendor"]["state"] == "fail"
    assert words in found["vendor"]["finding"]


def test_a_shared_budget_that_is_held_back_is_not_used(
    patient: Patient, redis_server: RedisServer
) -> None:
    patient.examine()
    before = len(patient.vendor.requests())
    with redis_server.client() as client:
        [name] = client.keys(f"{Keys('').rate_limit('')}*")
        later_us = int(client.time()[0] + 600) * 1_000_000
        client.hset(name, mapping={"cooldown_us": later_us, "cooldown_len_us": 600_000_000})
    found = patient.examine()
    assert (found["vendor"]["state"], len(patient.vendor.requests())) == ("warn", before)
    assert "no call for" in found["vendor"]["finding"]
