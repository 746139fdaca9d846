from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from simulators.command_line import EXIT_UNUSABLE
from simulators.errors import OptionError
from simulators.tws.__main__ import main, read_setup


def test_flags_have_defaults() -> None:
    setup = read_setup([])
    assert (setup.ports.host, setup.ports.port, setup.seed) == ("127.0.0.1", 4002, 7)
    assert (setup.options.depth_cap, setup.options.cancel_lag_ms) == (3, 300)


def test_a_rate_may_be_given_for_one_symbol() -> None:
    options = read_setup(["--rate", "20", "--rate", "SPY=200"]).options
    assert (options.rate_of("SPY"), options.rate_of("IWM")) == (200.0, 20.0)


def test_a_trade_rate_may_be_given_for_one_symbol() -> None:
    options = read_setup(["--trade-rate", "20", "--trade-rate", "SPY=200"]).options
    assert (options.trade_rate_of("SPY"), options.trade_rate_of("IWM")) == (200.0, 20.0)


def test_a_tape_without_symbol_takes_it_from_the_file_name(tmp_path: Path) -> None:
    path = tmp_path / "SPY_20131007_tick_trade.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", "34200000,1674100,100,P,1,0\n")
    assert list(read_setup(["--replay-trades", str(path)]).trade_replays) == ["SPY"]
    assert list(read_setup(["--replay-trades", f"QQQ={path}"]).trade_replays) == ["QQQ"]


def test_every_option_is_a_flag() -> None:
    options = read_setup(["--style", "replace", "--depth-cap", "2", "--mute-current-time"]).options
    assert (options.style, options.depth_cap, options.mute_current_time) == ("replace", 2, True)


def test_a_replay_without_symbol_takes_it_from_the_file_name(tmp_path: Path) -> None:
    path = tmp_path / "AAPL_20120621_shift.jsonl"
    path.write_text('{"t": 1, "position": 0, "operation": 0, "side": 0, "price": 1.5, "size": 1}\n')
    assert list(read_setup(["--replay", str(path)]).replays) == ["AAPL"]
    assert list(read_setup(["--replay", f"TSLA={path}"]).replays) == ["TSLA"]


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--port", "70000"], "--port must be at most 65535, was 70000"),
        (["--port", "x"], "--port must be an integer, was 'x'"),
        (["--depth-cap", "-1"], "--depth-cap must be at least 0, was -1"),
        (["--style", "x"], "--style must be one of shift, replace, was 'x'"),
        (["--rate", "SPY=fast"], "--rate SPY must be a number, was 'fast'"),
        (["--rate", "nan"], "--rate must be at least 0, was nan"),
        (["--host", "0.0.0.0"], "argument --host"),
        (["--nope"], "unrecognized arguments: --nope"),
        (["--trade-rate", "SPY=-1"], "--trade-rate SPY must be at least 0, was -1"),
        (["--line-cap", "x"], "--line-cap must be an integer, was 'x'"),
        (["--bar-pacing", "maybe"], "--bar-pacing must be one of on, off, was 'maybe'"),
        (["--replay-window", "9-10"], "--replay-window must read HH:MM-HH:MM"),
        (["--replay-trades", "no_20131007.zip"], "--replay-trades cannot be read, was 'no_2013"),
        (["--replay", "nowhere.jsonl"], "--replay cannot be read, was 'nowhere.jsonl'"),
        (["--scenario", "nowhere.yaml"], "scenario nowhere.yaml cannot be read"),
    ],
)
def test_a_bad_flag_is_named_with_value_and_bound(flags: list[str], error: str) -> None:
    with pytest.raises(OptionError, match=error):
        read_setup(flags)


def test_unusable_flags_exit_78(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "-1"]) == EXIT_UNUSABLE == 78
    assert capsys.readouterr().err == "simulators.tws: --seed must be at least 0, was -1\n"
