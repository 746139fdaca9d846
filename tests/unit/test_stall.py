from __future__ import annotations

import pytest

from shared.stall import Stall


def looked(*looks: tuple[float, bool]) -> list[float]:
    stall = Stall(0.0)
    return [stall.look(answered, now_s) for now_s, answered in looks]


def test_silence_adds_up_and_an_answer_ends_it() -> None:
    looks = [(1.0, True), (2.0, False), (3.1, False), (4.1, True), (5.1, False)]
    assert looked(*looks) == pytest.approx([0.0, 1.0, 2.1, 0.0, 1.0])


def test_a_time_in_which_nothing_ran_counts_against_nobody() -> None:
    assert looked((1.0, False), (61.0, False), (62.0, True)) == pytest.approx([1.0, 1.0, 0.0])
