from __future__ import annotations

from typing import Any

import pytest

from simulators.errors import SimulatorError
from simulators.tws.command_set import COMMANDS


def test_defaults_are_filled_in() -> None:
    _, values = COMMANDS.validate({"command": "burst", "symbol": "SPY", "rows": 10})
    assert values == {"symbol": "SPY", "rows": 10, "single_write": True}


def test_a_whole_number_will_do_for_seconds() -> None:
    _, values = COMMANDS.validate({"command": "refuse_for_s", "for_s": 2})
    assert values == {"for_s": 2.0}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ([], r"request must be an object, was \[\]"),
        ({"command": "x"}, "unknown command, was 'x', one of accept_silent, bars"),
        ({"command": ["x"]}, "unknown command, was"),
        ({"command": "freeze", "symbol": 5}, "symbol must be a string, was 5"),
        ({"command": "thaw", "symbol": "A", "x": 1}, "field of thaw, was 'x', one of symbol"),
        ({"command": "entitle", "code": 99}, "code must be one of 354, 10089, .*, was 99"),
        ({"command": "accept_silent", "on": 1}, "on must be true or false, was 1"),
        ({"command": "hold_slots", "slots": -1}, "slots must be at least 0, was -1"),
    ],
)
def test_a_bad_command_is_named_with_value_and_bound(body: Any, error: str) -> None:
    with pytest.raises(SimulatorError, match=error):
        COMMANDS.validate(body)
