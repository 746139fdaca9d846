"""`tickvisor doctor` against a gateway that does not do what it should."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.store.keys import Keys
from shared.store.lease import Holder, process_start
from tests.support.doctor_patient import DOCTOR, Patient, Simulators, failures, simulated
from tests.support.gateway_process import GatewayProcess
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


def test_lines_for_a_person_say_what_to_do(patient: Patient) -> None:
    patient.gateway.call("accept_silent", on=True)
    done = patient.run("-c", DOCTOR)
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.split()[1] == "gateway"]
    assert line.startswith("fail  gateway ")
    assert "accepts and says nothing: a dialog may be open in TWS" in line


def test_no_gateway(patient: Patient) -> None:
    patient.env["IBKR_PORT"] = str(free_port())
    found = patient.examine()
    assert failures(found) == ["gateway"]
    assert "nothing listens there" in found["gateway"]["finding"]


def test_a_gateway_with_the_api_dialog_open(patient: Patient) -> None:
    patient.gateway.call("accept_silent", on=True)
    found = patient.examine()
    assert failures(found) == ["gateway"]
    assert "accepts and says nothing" in found["gateway"]["finding"]
    assert "dialog" in found["gateway"]["remedy"]


def test_a_gateway_that_drops_the_line(patient: Patient, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("- {at_s: 0, from: first_subscription, command: kick}\n")
    gateway = GatewayProcess("--scenario", str(scenario), "--rate", "0")
    patient.env["IBKR_PORT"] = str(gateway.port)
    try:
        found = patient.examine()
    finally:
        gateway.stop()
    assert failures(found) == ["gateway"]
    assert "closed the connection" in found["gateway"]["finding"]


def test_client_ids_that_are_all_taken(patient: Patient) -> None:
    patient.gateway.call("hold_client_ids", ids=list(range(797, 803)))
    found = patient.examine()
    assert failures(found) == ["client-ids"]
    assert "797 to 802 are all in use (326)" in found["client-ids"]["finding"]


def test_client_ids_of_which_one_is_free(patient: Patient) -> None:
    patient.gateway.call("hold_client_ids", ids=[797, 798])
    found = patient.examine()
    assert failures(found) == []
    assert found["client-ids"]["finding"].startswith("797, 798 in use (326), 799 used for this")


def test_no_depth_permission_at_one_venue(patient: Patient) -> None:
    patient.gateway.call("entitle", symbol="SPY", venue="ARCA", code=354)
    found = patient.examine()
    assert failures(found) == ["depth-ARCA"]
    assert found["depth-NASDAQ"]["state"] == "ok"
    assert "subscribe to depth of ARCA" in found["depth-ARCA"]["remedy"]


def test_venues_have_their_turn_in_the_slots_there_are(patient: Patient, tmp_path: Path) -> None:
    venues = ("ARCA", "ISLAND", "BATS", "NYSE", "BEX", "IEX", "CHX")
    symbols = ("SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN")
    rows = [f"  {name}: {{venues: [{venue}]}}" for name, venue in zip(symbols, venues, strict=True)]
    universe = tmp_path / "universe.yaml"
    universe.write_text("\n".join(["symbols:", *rows, ""]))
    patient.env["SYMBOL_CONFIG_PATH"] = str(universe)
    found = patient.examine()
    assert failures(found) == []
    assert "CHX not tried" in found["depth"]["finding"]
    assert {name for name in found if name.startswith("depth-")} == {
        "depth-ARCA", "depth-NASDAQ", "depth-BATS", "depth-NYSE", "depth-BEX", "depth-IEX",
    }  # fmt: skip
    assert (patient.gateway.mistakes(), patient.gateway.stats()["over_cap_309"]) == ({}, 0)


def test_a_venue_is_found_under_its_other_spelling(patient: Patient) -> None:
    patient.gateway.call("set", nasdaq_name="NASDAQ")
    found = patient.examine()
    assert failures(found) == []
    assert found["depth-NASDAQ"]["state"] == "ok"


def test_a_gateway_that_does_not_tell_its_time(patient: Patient) -> None:
    patient.gateway.call("set", mute_current_time=True)
    found = patient.examine()
    assert failures(found) == []
    assert "does not tell its time" in found["gateway"]["finding"]


def test_slots_that_another_program_holds(patient: Patient) -> None:
    patient.gateway.call("hold_slots", slots=3)
    found = patient.examine()
    assert failures(found) == []
    assert "every slot of the account is taken (309)" in found["depth-slots"]["finding"]


def test_slots_that_a_running_worker_uses_are_left_to_it(
    patient: Patient, redis_server: RedisServer
) -> None:
    opened = patient.gateway.stats()["opened"]
    holder = Holder("t", socket.gethostname(), os.getpid(), process_start(os.getpid()) or 0)
    fields = {name: getattr(holder, name) for name in holder.__struct_fields__}
    with redis_server.client() as client:
        client.set(Keys("").lease("ibkr_depth"), json.dumps(fields))
    found = patient.examine()
    assert failures(found) == []
    assert "slots are taken by ibkr_depth" in found["depth"]["finding"]
    assert f"which runs as pid {os.getpid()} on" in found["client-ids"]["finding"]
    assert patient.gateway.stats()["opened"] == opened


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [(354, "warn", "15 minutes delayed"), (10167, "warn", "15 minutes delayed"),
     (10089, "warn", "15 minutes delayed"), (10168, "fail", "none: SPY is refused (10168)")],
)  # fmt: skip
def test_quotes_without_a_live_subscription(
    patient: Patient, code: int, state: str, words: str
) -> None:
    patient.gateway.call("data_entitle", symbol="SPY", code=code)
    found = patient.examine()
    assert found["quotes"]["state"] == state
    assert words in found["quotes"]["finding"]
