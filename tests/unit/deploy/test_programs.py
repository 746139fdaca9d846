from __future__ import annotations

import configparser
import json
from pathlib import Path

from deploy.layout import Layout
from deploy.plan import EmbeddedRedis, Plan, TwsSimulator, VendorSimulator
from deploy.programs import rendered, tws_arguments, vendor_arguments, write_programs
from shared.settings import (
    READERS,
    WORKERS,
    Secret,
    TwsSimulatorSettings,
    VendorSimulatorSettings,
    load_settings,
    repository_root,
)
from shared.settings_redis import password_of

SECRET = Secret("correct horse battery staple")
REDIS = EmbeddedRedis(Path("/opt/redis-server"), 6380, 512, SECRET)
TWS = TwsSimulator(TwsSimulatorSettings(scenario="faults/my day.yaml"), 7501, 7502)
VENDOR = VendorSimulator(VendorSimulatorSettings(scenario="faults/av.yaml"), 7601, 7602)
EMPTY = Plan(None, None, None, (), ())


def section(text: str, name: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser[name]


def test_the_redis_program_has_its_port_and_memory() -> None:
    texts = rendered(Plan(REDIS, None, None, (), ()), Path("/srv/tickvisor"))
    program = section(texts["redis.conf"], "program:redis")
    assert program["command"] == (
        '"/opt/redis-server" "/srv/tickvisor/deploy/redis.conf" --port 6380 --maxmemory 512mb'
        " --aclfile users.acl"
    )
    assert program["priority"] == "10"


def test_the_simulator_program_gets_every_setting_of_its_section() -> None:
    assert tws_arguments(TWS) == [
        "--host", "127.0.0.1", "--port", "7501", "--control-port", "7502", "--seed", "7",
        "--rate", "20.0", "--depth-cap", "3", "--style", "shift",
        "--scenario", "faults/my day.yaml",
    ]  # fmt: skip


def test_the_vendor_simulator_gets_every_setting_of_its_section() -> None:
    assert vendor_arguments(VENDOR) == [
        "--host", "127.0.0.1", "--port", "7601", "--control-port", "7602", "--seed", "7",
        "--plan", "600", "--contracts", "600", "--moving", "0.05", "--scenario", "faults/av.yaml",
    ]  # fmt: skip
    text = rendered(Plan(None, None, VENDOR, (), ()), Path("/srv"))["alphavantage_simulator.conf"]
    program = section(text, "program:alphavantage_simulator")
    assert program["command"].startswith('"/srv/.venv/bin/python" -m simulators.alphavantage ')
    assert program["stdout_logfile"] == "/srv/var/log/alphavantage_simulator.log"


def test_an_argument_with_a_space_stays_one_word() -> None:
    texts = rendered(Plan(None, TWS, None, (), ()), Path("/srv/tickvisor"))
    command = section(texts["tws_simulator.conf"], "program:tws_simulator")["command"]
    assert command.startswith('"/srv/tickvisor/.venv/bin/python" -m simulators.tws --host')
    assert command.endswith("--scenario 'faults/my day.yaml'")


def test_a_percent_sign_in_a_path_is_not_expanded() -> None:
    texts = rendered(Plan(REDIS, None, None, (), ()), Path("/srv/100%"))
    assert section(texts["redis.conf"], "program:redis")["directory"] == "/srv/100%%"


def test_a_worker_that_is_left_out_only_loses_its_autostart() -> None:
    texts = rendered(Plan(None, None, None, ("ibkr_depth",), ()), Path("/srv"))
    assert texts == {"left_out_ibkr_depth.conf": "[program:ibkr_depth]\nautostart=false\n"}


def test_programs_of_an_earlier_plan_are_removed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.create()
    write_programs(Plan(REDIS, TWS, VENDOR, (), ()), layout)
    write_programs(EMPTY, layout)
    assert list(layout.programs.iterdir()) == []


def test_addresses_are_left_for_workers_and_scripts(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.create()
    write_programs(Plan(REDIS, TWS, VENDOR, (), ()), layout)
    password = password_of(SECRET, "operator").reveal()
    assert layout.redis_url.read_text() == f"redis://operator:{password}@127.0.0.1:6380/0\n"
    assert json.loads(layout.tws_address.read_text()) == {
        "host": "127.0.0.1",
        "port": 7501,
        "control_port": 7502,
    }
    assert json.loads(layout.vendor_address.read_text()) == {
        "host": "127.0.0.1",
        "port": 7601,
        "control_port": 7602,
    }


def test_no_secret_stands_where_it_can_be_read_off(tmp_path: Path) -> None:
    """Passwords are in the owner's files alone, and no word of them in the process list."""
    layout = Layout(tmp_path)
    layout.create()
    write_programs(Plan(REDIS, TWS, VENDOR, (), ()), layout)
    texts = {path: path.read_text() for path in layout.var.rglob("*") if path.is_file()}
    password = password_of(SECRET, "operator").reveal()
    assert [path.name for path, text in texts.items() if password in text] == ["redis.url"]
    assert [path.name for path, text in texts.items() if SECRET.reveal() in text] == []
    assert {path.stat().st_mode & 0o777 for path in texts} == {0o600}
    assert "user default reset off\n" in texts[layout.redis_acl]


def test_the_ports_of_the_readers_are_left_for_themselves_and_for_people(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.create()
    write_programs(Plan(None, None, None, (), (), {"exporter": 9475}), layout)
    address = {"host": "127.0.0.1", "port": 9475}
    assert json.loads(layout.reader_address("exporter").read_text()) == address
    assert not layout.reader_address("dashboard").exists()
    env = {"TICKVISOR_HOME": str(tmp_path)}
    settings = load_settings(env, repository_root())
    assert (settings.exporter.port, settings.dashboard.port) == (9475, 9473)


def test_supervisord_conf_runs_both_readers_after_the_workers() -> None:
    parser = configparser.RawConfigParser()
    parser.read(repository_root() / "supervisord.conf")
    for reader in READERS:
        program = parser[f"program:{reader}"]
        assert program["command"] == f'"%(here)s/.venv/bin/python" -m workers.{reader}'
        assert 30 < int(program["priority"]) < 40
        assert (program["exitcodes"], program["autorestart"]) == ("0", "unexpected")


def test_supervisord_conf_runs_every_worker_and_stops_redis_last() -> None:
    parser = configparser.RawConfigParser()
    parser.read(repository_root() / "supervisord.conf")
    for worker in WORKERS:
        program = parser[f"program:{worker}"]
        assert program["command"] == f'"%(here)s/.venv/bin/python" -m workers.{worker}'
        assert program["priority"] == "30"
        assert (program["exitcodes"], program["autorestart"]) == ("0", "unexpected")
        assert (program["startsecs"], program["startretries"]) == ("5", "3")


def test_the_guardian_is_started_last_and_stopped_first_and_is_never_given_up() -> None:
    parser = configparser.RawConfigParser()
    parser.read(repository_root() / "supervisord.conf")
    guardian = parser["eventlistener:guardian"]
    others = [parser[name] for name in parser.sections() if name.startswith("program:")]
    assert all(int(guardian["priority"]) > int(one["priority"]) for one in others)
    assert (guardian["autorestart"], int(guardian["startretries"]) >= 1000) == ("true", True)
    # Whatever else came to stdout would be taken for an answer.
    assert (guardian["stdout_logfile"], "redirect_stderr" in guardian) == ("NONE", False)
