from __future__ import annotations

from pathlib import Path

import pytest

from simulators.errors import CommandError, OptionError
from simulators.scenario import Scenario, load_scenario
from simulators.tws.command_set import COMMANDS

FREEZE = {"command": "freeze", "symbol": "SPY"}
THAW = {"command": "thaw", "symbol": "SPY"}


def load(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return load_scenario(path, COMMANDS.validate, "first_subscription")


def test_a_step_is_due_once_when_its_time_has_come() -> None:
    scenario = Scenario([(2.0, "start", FREEZE)])
    assert scenario.due(1.9, asked=False) == []
    assert scenario.due(2.0, asked=False) == [FREEZE]
    assert scenario.due(2.1, asked=False) == []


def test_steps_after_the_first_subscription_wait_for_it() -> None:
    scenario = Scenario([(1.0, "first_subscription", FREEZE)])
    assert scenario.due(50.0, asked=False) == []
    assert scenario.due(60.0, asked=True) == []
    assert scenario.due(61.0, asked=True) == [FREEZE]


def test_equal_steps_at_equal_times_are_both_due() -> None:
    scenario = Scenario([(1.0, "start", FREEZE), (1.0, "start", THAW), (1.0, "start", FREEZE)])
    assert scenario.due(1.0, asked=False) == [FREEZE, THAW, FREEZE]


def test_a_file_is_read(tmp_path: Path) -> None:
    scenario = load(tmp_path, "- {at_s: 1, command: freeze, symbol: SPY}")
    assert scenario.due(1.0, asked=False) == [FREEZE]


def test_what_is_due_is_played_and_a_failure_stops_nothing() -> None:
    played: list[dict[str, str]] = []

    def dispatch(body: dict[str, str]) -> None:
        if body == FREEZE:
            raise CommandError("symbol has no book")
        played.append(body)

    scenario = Scenario([(1.0, "start", FREEZE), (1.0, "start", THAW), (9.0, "start", FREEZE)])
    assert scenario.play(1.0, False, dispatch) == ["freeze: symbol has no book"]
    assert played == [THAW]
    assert scenario.play(2.0, False, dispatch) == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: 1", "must be a list of steps"),
        ("- 5", "scenario step 1 must be a mapping, was 5"),
        ("- {at_s: -1, command: pause}", "step 1 at_s must be a number from 0 to 1000000, was -1"),
        ("- {at_s: .nan, command: pause}", "at_s must be a number"),
        ("- {at_s: 1, command: nope}", "step 1: unknown command, was 'nope', one of"),
        ("- {at_s: 1, from: end, command: pause}", "from must be one of start, first_subscr"),
        ("- {at_s: 1, command: freeze}", "step 1: symbol must be a string, was None"),
        ("- {at_s: 1, command: pause, x: 1}", "unknown field of pause, was 'x', one of none"),
        ("- [", "cannot be read"),
    ],
)
def test_a_bad_step_is_named_with_field_and_bound(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(OptionError, match=error):
        load(tmp_path, text)
