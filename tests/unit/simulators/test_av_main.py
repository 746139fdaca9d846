from __future__ import annotations

import datetime
import socket
from pathlib import Path

import pytest

import simulators.alphavantage.__main__
from simulators.alphavantage.__main__ import main, read_run
from simulators.alphavantage.command_set import COMMANDS
from simulators.alphavantage.faults import KINDS
from simulators.alphavantage.plans import Allowance
from simulators.alphavantage.setup import Setup
from simulators.command_line import EXIT_START_FAILED, EXIT_UNUSABLE
from simulators.errors import OptionError


def test_flags_have_defaults() -> None:
    run = read_run([])
    assert (run.ports.host, run.ports.port, run.ports.control_port) == ("127.0.0.1", 8180, 8181)
    setup = run.setup
    assert (setup.seed, setup.plan, setup.contracts, setup.moving) == (7, "600", 600, 0.05)
    assert (setup.keys, setup.limits, setup.date) == (frozenset(), True, None)
    assert setup.allowance() == Allowance(600, 20)


def test_the_flags_are_read() -> None:
    setup = read_run(
        ["--plan", "75", "--keys", "a,b", "--no-limits", "--date", "2026-05-04", "--moving", "0",
         "--contracts", "100", "--contracts", "spy=12000", "--per-second", "3", "--rows", "2"]
    ).setup  # fmt: skip
    assert setup.keys == {"a", "b"}
    assert (setup.limits, setup.moving, setup.rows) == (False, 0.0, 2)
    assert setup.date == datetime.date(2026, 5, 4)
    assert (setup.contracts, setup.contracts_of) == (100, {"SPY": 12_000})
    assert setup.allowance() == Allowance(75, 3)


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--plan", "80"], "--plan must be one of free, 75, 150, 300, 600, 1200, was 80"),
        (["--port", "70000"], "--port must be at most 65535, was 70000"),
        (["--port", "x"], "--port must be an integer, was 'x'"),
        (["--contracts", "20001"], "--contracts must be at most 20000, was 20001"),
        (["--contracts", "SPY=many"], "--contracts SPY must be an integer, was 'many'"),
        (["--moving", "nan"], "--moving must be at least 0, was nan"),
        (["--rows", "1"], "--rows must be at least 2, was 1"),
        (["--news-every-s", "0"], "--news-every-s must be at least 1, was 0"),
        (["--date", "4 May"], "--date must read YYYY-MM-DD, was '4 May'"),
        (["--samples", "nowhere"], "--samples must be a directory, was 'nowhere'"),
        (["--scenario", "nowhere.yaml"], "scenario nowhere.yaml cannot be read"),
        (["--host", "0.0.0.0"], "argument --host"),
        (["--nope"], "unrecognized arguments: --nope"),
    ],
)
def test_a_bad_flag_is_named_with_value_and_bound(flags: list[str], error: str) -> None:
    with pytest.raises(OptionError, match=error):
        read_run(flags)


def test_unusable_flags_exit_78(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "-1"]) == EXIT_UNUSABLE == 78
    assert capsys.readouterr().err == "simulators.alphavantage: --seed must be at least 0, was -1\n"


def test_a_port_that_is_taken_exits_3(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port, "--control-port", "0"]) == EXIT_START_FAILED == 3
    assert capsys.readouterr().err.startswith("simulators.alphavantage: cannot listen: ")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{}", "must be a list of steps, was {}"),
        ("- 1", "scenario step 1 must be a mapping, was 1"),
        ("- {command: stats}", "scenario step 1 at_s must be a number from 0 to 1000000, was None"),
        ("- {at_s: 1, from: x, command: stats}", "from must be one of start, first_request, was"),
        ("- {at_s: 1, command: nope}", "scenario step 1: unknown command, was 'nope'"),
        ("- {at_s: 1, command: fault, kind: x}", "scenario step 1: kind must be one of artificial"),
        ("- {at_s: 1, command: freeze, for: 1}", "scenario step 1: unknown field of freeze, was"),
    ],
)
def test_a_bad_scenario_is_named_with_its_step(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    with pytest.raises(OptionError, match=error):
        read_run(["--scenario", str(path)])


def test_steps_are_due_from_the_start_or_the_first_request(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "- {at_s: 2, command: freeze}\n- {at_s: 1, from: first_request, command: thaw}\n"
    )
    scenario = read_run(["--scenario", str(path)]).scenario
    assert scenario.due(1.0, False) == []
    assert scenario.due(2.0, True) == [{"command": "freeze"}]
    assert scenario.due(2.9, True) == []
    assert scenario.due(3.0, True) == [{"command": "thaw"}]
    assert not scenario


def test_the_readmes_scenario_is_a_good_one(tmp_path: Path) -> None:
    readme = Path(simulators.alphavantage.__main__.__file__).with_name("README.md").read_text()
    path = tmp_path / "scenario.yaml"
    path.write_text(readme.partition("```yaml\n")[2].partition("```")[0])
    assert len(read_run(["--scenario", str(path)]).scenario.due(10_000.0, True)) > 3


def test_the_readme_names_every_fault_command_and_flag() -> None:
    readme = Path(simulators.alphavantage.__main__.__file__).with_name("README.md").read_text()
    flags = ["--" + name.replace("_", "-") for name in Setup.__dataclass_fields__]
    missing = {"--limits": "--no-limits", "--contracts-of": "--contracts"}
    names = [*KINDS, *COMMANDS, *(missing.get(flag, flag) for flag in flags)]
    assert [name for name in names if f"`{name}" not in readme] == []
