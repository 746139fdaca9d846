"""Every program with arguments made to break it: a line that says why, and never a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy import launch
from scripts import ibkr_depth_probe, tickvisor
from simulators.alphavantage.__main__ import read_run
from simulators.alphavantage.command_set import COMMANDS as VENDOR_COMMANDS
from simulators.errors import SimulatorError
from simulators.tws.__main__ import read_setup
from simulators.tws.command_set import COMMANDS as GATEWAY_COMMANDS
from tests.hostile.fuzzing import fuzz

WORDS: Final = [
    "", "-", "--", "-1", "9" * 5_000, "nan", "1e999", "\x1b[31m", "ä", "a\nb", "*", "../../etc",
    "--help=1", "/dev/zero", "SPY:book", "%s", "0x10", "--seed", "--port", "--rate", "SPY=1e9",
]  # fmt: skip
JUNK: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**400), 10**400), st.floats(), st.text(max_size=9),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.none()),
    st.just("[" * 2_000),
)  # fmt: skip
FLAGS: Final = ("--seed", "--port", "--control-port", "--host", "--rate", "--scenario", "--bogus")


@fuzz(200)
@given(st.sampled_from([read_setup, read_run]), st.sampled_from(FLAGS), st.sampled_from(WORDS))
def test_a_simulator_takes_its_flags_or_says_what_is_wrong(read: Any, flag: str, word: str) -> None:
    try:
        assert read([f"{flag}={word}"])
    except SimulatorError as error:
        assert str(error)


@fuzz(400)
@given(st.sampled_from([GATEWAY_COMMANDS, VENDOR_COMMANDS]), st.data())
def test_a_command_of_a_simulator_is_checked_before_it_is_carried_out(
    commands: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(commands)))
    fields = data.draw(st.dictionaries(st.sampled_from([*commands[name].fields, "x"]), JUNK))
    try:
        _, values = commands.validate({"command": name, **fields})
    except SimulatorError as error:
        assert len(str(error)) < 6_000
        return
    assert set(values) == set(commands[name].fields)


@pytest.mark.parametrize(
    "content",
    [
        b"- {at_s: !!int x}", b"? [a]\n: 1", b"[" * 5_000, b"\xff", b"a: &a [*a]", b"- {at_s: 0x}",
        b"- !!bool maybe",
    ],
)  # fmt: skip
def test_a_scenario_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(content)
    for read in (read_setup, read_run):
        with pytest.raises(SimulatorError, match="scenario"):
            read([f"--scenario={path}"])


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "/absent"])
def test_a_scenario_without_an_end_is_refused(path: str) -> None:
    for read in (read_setup, read_run):
        with pytest.raises(SimulatorError, match=f"scenario {path} "):
            read([f"--scenario={path}"])


@pytest.mark.parametrize("arguments", [[], ["UP"], ["up", "down"], ["\x1b[31m"], ["9" * 5_000]])
def test_deploy_takes_its_three_words(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m deploy.launch up|down|status\n"


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("command", ["book", "resubscribe", "keys"])
def test_tickvisor_ends_by_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, word: str
) -> None:
    """Without a Redis: what is asked for must be readable before anybody is asked."""
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    done = CliRunner().invoke(tickvisor.app, [command, "--", word])
    # What keys there are is known without a Redis.
    assert done.exit_code in ((0, 1, 2) if command == "keys" else (1, 2))
    assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("word", WORDS)
def test_the_probe_names_a_symbol_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("TICKVISOR_HOME", str(tmp_path))
    monkeypatch.setenv("IBKR_HOST", "127.0.0.1")
    monkeypatch.setenv("IBKR_PORT", "1")
    monkeypatch.setattr(ibkr_depth_probe, "_watched", lambda *_: "not asked")
    done = CliRunner().invoke(ibkr_depth_probe.app, [f"--symbol={word}", "--seconds=1"])
    assert done.exit_code in (1, 2)
    assert isinstance(done.exception, SystemExit)
