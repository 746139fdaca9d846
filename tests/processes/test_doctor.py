"""`tickvisor doctor` against real simulators and a real Redis: what it must tell apart."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from shared.store.keys import Keys
from shared.store.lease import Holder, process_start
from tests.support.gateway_process import GatewayProcess
from tests.support.ports import free_port
from tests.support.product import wait_for
from tests.support.redis_server import RedisServer
from tests.support.scripts import DEADLINE_S, ROOT, Scripts
from tests.support.vendor_process import VendorProcess

KEY: Final = "TELLTALE7KEY0OF4TESTS"
DOCTOR: Final = "import typer; from scripts.doctor import doctor_command; typer.run(doctor_command)"
Found = dict[str, dict[str, str]]


class Patient(Scripts):
    """Everything that the doctor looks at, in order unless a test has broken it."""

    def __init__(self, home: Path, gateway_port: int, redis_url: str) -> None:
        super().__init__(home, gateway_port, redis_url)
        self.exit_code = -1

    def use_vendor(self, vendor: VendorProcess) -> None:
        self.env["ALPHA_VANTAGE_BASE_URL"] = f"{vendor.base_url}/query"
        self.env["ALPHA_VANTAGE_API_KEY"] = KEY

    def examine(self, *words: str) -> Found:
        done = self.run("-c", DOCTOR, "--json", *words)
        self.exit_code = done.returncode
        assert done.stderr == ""
        assert KEY not in done.stdout
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return {row["check"]: row for row in rows}


def failures(found: Found) -> list[str]:
    return [name for name, row in found.items() if row["state"] == "fail"]


@pytest.fixture(scope="module")
def simulators() -> Iterator[tuple[GatewayProcess, VendorProcess]]:
    gateway, vendor = GatewayProcess(), VendorProcess("--plan", "600")
    yield gateway, vendor
    gateway.stop()
    vendor.stop()


@pytest.fixture
def gateway(simulators: tuple[GatewayProcess, VendorProcess]) -> Iterator[GatewayProcess]:
    gateway = simulators[0]
    yield gateway
    gateway.call("entitle")
    gateway.call("data_entitle")
    gateway.call("hold_slots", slots=0)
    gateway.call("hold_client_ids", ids=[])
    gateway.call("accept_silent", on=False)


@pytest.fixture
def vendor(simulators: tuple[GatewayProcess, VendorProcess]) -> Iterator[VendorProcess]:
    vendor = simulators[1]
    vendor.call("forget")
    yield vendor
    vendor.clear()


@pytest.fixture
def patient(
    gateway: GatewayProcess, vendor: VendorProcess, redis_server: RedisServer, tmp_path: Path
) -> Patient:
    patient = Patient(tmp_path, gateway.port, redis_server.url)
    patient.use_vendor(vendor)
    return patient


@contextmanager
def supervised(home: Path) -> Iterator[None]:
    """A supervisord where the product's own would be, with one program that does nothing."""
    run = home / "var/run"
    run.mkdir(parents=True)
    conf = home / "supervisord.conf"
    conf.write_text(
        f"[unix_http_server]\nfile={run}/supervisor.sock\n"
        f"[supervisord]\nnodaemon=true\npidfile={run}/pid\nlogfile={home}/supervisord.log\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        "[program:av_options]\ncommand=/bin/sleep 600\nstartsecs=0\n"
    )
    words = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(conf)]
    with (home / "supervisord.out").open("wb") as output:
        process = subprocess.Popen(words, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_for((run / "supervisor.sock").exists, DEADLINE_S, "supervisord")
        yield
    finally:
        process.terminate()
        process.wait(10)


def test_all_well(patient: Patient, gateway: GatewayProcess, vendor: VendorProcess) -> None:
    with supervised(Path(patient.env["TICKVISOR_HOME"])):
        found = patient.examine()
    assert {name: row for name, row in found.items() if row["state"] != "ok"} == {}
    assert patient.exit_code == 0
    assert {"depth-ARCA", "depth-NASDAQ", "quotes", "vendor-options", "disk"} <= set(found)
    assert "av_options RUNNING" in found["supervisord"]["finding"]
    stats = gateway.stats()
    assert stats["opened"] == stats["cancelled"] == 2
    assert (gateway.mistakes(), stats["over_cap_309"]) == ({}, 0)
    assert [row["outcome"] for row in vendor.requests()] == ["ok", "ok"]


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


def test_lines_for_a_person_say_what_to_do(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("accept_silent", on=True)
    done = patient.run("-c", DOCTOR)
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.split()[1] == "gateway"]
    assert line.startswith("fail  gateway ")
    assert "accepts and says nothing: a dialog may be open in TWS" in line


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
    assert ", no answer within 3.5 s" in found["redis"]["finding"]


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


def test_no_gateway(patient: Patient) -> None:
    patient.env["IBKR_PORT"] = str(free_port())
    found = patient.examine()
    assert failures(found) == ["gateway"]
    assert "nothing listens there" in found["gateway"]["finding"]


def test_a_gateway_with_the_api_dialog_open(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("accept_silent", on=True)
    found = patient.examine()
    assert failures(found) == ["gateway"]
    assert "accepts and says nothing" in found["gateway"]["finding"]
    assert "dialog" in found["gateway"]["remedy"]


def test_client_ids_that_are_all_taken(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("hold_client_ids", ids=list(range(797, 803)))
    found = patient.examine()
    assert failures(found) == ["client-ids"]
    assert "797 to 802 are all in use (326)" in found["client-ids"]["finding"]


def test_client_ids_of_which_one_is_free(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("hold_client_ids", ids=[797, 798])
    found = patient.examine()
    assert failures(found) == []
    assert found["client-ids"]["finding"].startswith("797, 798 in use (326), 799 used for this")


def test_no_depth_permission_at_one_venue(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("entitle", symbol="SPY", venue="ARCA", code=354)
    found = patient.examine()
    assert failures(found) == ["depth-ARCA"]
    assert found["depth-NASDAQ"]["state"] == "ok"
    assert "subscribe to depth of ARCA" in found["depth-ARCA"]["remedy"]


def test_venues_have_their_turn_in_the_slots_there_are(
    patient: Patient, gateway: GatewayProcess, tmp_path: Path
) -> None:
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
    assert (gateway.mistakes(), gateway.stats()["over_cap_309"]) == ({}, 0)


def test_a_venue_is_found_under_its_other_spelling(
    patient: Patient, gateway: GatewayProcess
) -> None:
    gateway.call("set", nasdaq_name="NASDAQ")
    found = patient.examine()
    gateway.call("set", nasdaq_name="ISLAND")
    assert failures(found) == []
    assert found["depth-NASDAQ"]["state"] == "ok"


def test_a_gateway_that_does_not_tell_its_time(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("set", mute_current_time=True)
    found = patient.examine()
    gateway.call("set", mute_current_time=False)
    assert failures(found) == []
    assert "does not tell its time" in found["gateway"]["finding"]


def test_slots_that_another_program_holds(patient: Patient, gateway: GatewayProcess) -> None:
    gateway.call("hold_slots", slots=3)
    found = patient.examine()
    assert failures(found) == []
    assert "every slot of the account is taken (309)" in found["depth-slots"]["finding"]


def test_slots_that_a_running_worker_uses_are_left_to_it(
    patient: Patient, gateway: GatewayProcess, redis_server: RedisServer
) -> None:
    opened = gateway.stats()["opened"]
    holder = Holder("t", socket.gethostname(), os.getpid(), process_start(os.getpid()) or 0)
    fields = {name: getattr(holder, name) for name in holder.__struct_fields__}
    with redis_server.client() as client:
        client.set(Keys("").lease("ibkr_depth"), json.dumps(fields))
    found = patient.examine()
    assert failures(found) == []
    assert "slots are taken by ibkr_depth" in found["depth"]["finding"]
    assert f"which runs as pid {os.getpid()} on" in found["client-ids"]["finding"]
    assert gateway.stats()["opened"] == opened


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [(354, "warn", "15 minutes delayed"), (10167, "warn", "15 minutes delayed"),
     (10089, "warn", "15 minutes delayed"), (10168, "fail", "none: SPY is refused (10168)")],
)  # fmt: skip
def test_quotes_without_a_live_subscription(
    patient: Patient, gateway: GatewayProcess, code: int, state: str, words: str
) -> None:
    gateway.call("data_entitle", symbol="SPY", code=code)
    found = patient.examine()
    assert found["quotes"]["state"] == state
    assert words in found["quotes"]["finding"]


def test_a_bad_key(patient: Patient, vendor: VendorProcess) -> None:
    vendor.call("keys", keys="ANOTHER")
    found = patient.examine()
    vendor.call("keys", keys="")
    assert failures(found) == ["vendor"]
    assert found["vendor"]["finding"].startswith("bad key")


def test_a_free_plan_key(patient: Patient, vendor: VendorProcess) -> None:
    vendor.call("plan", plan="free")
    found = patient.examine()
    vendor.call("plan", plan="600")
    assert failures(found) == ["vendor-options", "vendor-plan"]
    assert "free plan" in found["vendor-plan"]["finding"]
    assert found["vendor"]["state"] == "ok"


def test_a_key_without_options(patient: Patient, vendor: VendorProcess) -> None:
    vendor.fault("artificial", function="REALTIME_OPTIONS")
    found = patient.examine()
    assert failures(found) == ["vendor-options"]
    assert found["vendor-options"]["finding"].startswith("key without options")
    assert found["vendor-plan"]["state"] == "warn"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("info_demo_key", "demo key"), ("err_apikey", "bad key"), ("hang", "gives no answer"),
     ("html_503", "http 503"), ("info_daily25_nokey", "free-plan key")],
)  # fmt: skip
def test_what_else_the_vendor_may_say(
    patient: Patient, vendor: VendorProcess, kind: str, words: str
) -> None:
    vendor.fault(kind)
    found = patient.examine()
    assert found["vendor"]["state"] == "fail"
    assert words in found["vendor"]["finding"]


def test_a_shared_budget_that_is_held_back_is_not_used(
    patient: Patient, vendor: VendorProcess, redis_server: RedisServer
) -> None:
    patient.examine()
    before = len(vendor.requests())
    with redis_server.client() as client:
        [name] = client.keys(f"{Keys('').rate_limit('')}*")
        later_us = int(client.time()[0] + 600) * 1_000_000
        client.hset(name, mapping={"cooldown_us": later_us, "cooldown_len_us": 600_000_000})
    found = patient.examine()
    assert (found["vendor"]["state"], len(vendor.requests())) == ("warn", before)
    assert "no call for" in found["vendor"]["finding"]


def test_without_probing_nothing_is_asked_of_gateway_data_or_vendor(
    patient: Patient, gateway: GatewayProcess, vendor: VendorProcess
) -> None:
    opened = gateway.stats()["opened"]
    found = patient.examine("--no-probe")
    assert failures(found) == []
    assert "logs in" in found["gateway"]["finding"]
    assert (vendor.requests(), gateway.stats()["opened"]) == ([], opened)
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
