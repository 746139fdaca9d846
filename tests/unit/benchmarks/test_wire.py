from __future__ import annotations

import pytest

from benchmarks.wire import frame, rounds


def test_a_frame_is_its_length_and_its_fields() -> None:
    assert frame(2, 6, "x") == b"\0\0\0\x06" + b"2\x006\0x\0"


@pytest.mark.parametrize("rate", [400.0, 2_000.0, 10_000.0])
def test_a_rate_is_kept_in_steps_without_losing_a_frame(rate: float) -> None:
    steps = list(rounds(rate, 2.0, 0.001))
    assert sum(frames for _, frames in steps) == 2 * rate
    assert steps[-1][0] == pytest.approx(2.0)
    sent = 0
    for due_s, frames in steps:
        sent += frames
        assert sent == pytest.approx(rate * due_s, abs=1.0)
