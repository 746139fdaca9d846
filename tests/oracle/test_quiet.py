from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.quiet import is_sound, true_state

BIDS = [[585.10, 2700, "BATS"], [585.01, 400, "BATS"]]
ASKS = [[585.11, 1400, "BATS"], [585.12, 3600, "BATS"]]


@pytest.mark.parametrize(
    ("bids", "asks", "sound"),
    [
        (BIDS, ASKS, True),
        (BIDS, [], True),
        # What `unsort` and `cross` leave in the simulator's book until somebody asks for it anew.
        ([BIDS[0], [584.52, 200, "BATS"], BIDS[1]], ASKS, False),
        (BIDS, [ASKS[1], ASKS[0]], False),
        ([[585.12, 100, "BATS"], *BIDS], ASKS, False),
        ([[585.11, 100, "BATS"], *BIDS], ASKS, False),
    ],
)
def test_a_book_that_a_fault_has_broken_is_no_truth(
    bids: list[Any], asks: list[Any], sound: bool
) -> None:
    assert is_sound(true_state({"bids": bids, "asks": asks}, "BATS")) is sound
