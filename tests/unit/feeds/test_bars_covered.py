from __future__ import annotations

import pytest

from tests.unit.feeds.bar_keeping import M, Rig, history


def interrupted() -> Rig:
    rig = Rig()
    rig.interrupt(104.0, 104.0)
    rig.request(120.0)
    return rig


def trading(bar_heard_s: float, print_s: int) -> Rig:
    """Its newest bar is the one of 20 s, its newest reported print of `print_s`."""
    rig = Rig()
    rig.request(10.0)
    feed = rig.state.symbols["SPY"]
    feed.mute.bar(M + 20, 100, 1.0)
    feed.mute.print(M + print_s, True, 1.0)
    feed.bar_heard_ms = int((M + bar_heard_s) * 1000)
    return rig


def test_symbols_without_a_window_are_covered_up_to_what_was_heard() -> None:
    rig = Rig()
    rig.request(10.0)
    assert rig.keeper.covered((M + 30) * 1000) == {"SPY": (M + 30) * 1000}


def test_a_window_that_is_to_be_filled_holds_back_what_is_covered() -> None:
    rig = interrupted()
    assert rig.keeper.covered((M + 300) * 1000) == {"SPY": (M + 100) * 1000}
    rig.fill(history(95))
    assert rig.keeper.covered((M + 300) * 1000) == {"SPY": (M + 300) * 1000}


def test_the_oldest_window_counts_for_what_is_covered() -> None:
    rig = interrupted()
    rig.interrupt(400.0, 400.0)
    rig.request(420.0)
    assert rig.keeper.covered((M + 500) * 1000) == {"SPY": (M + 100) * 1000}


def test_a_symbol_whose_window_lasts_says_nothing_of_what_is_covered() -> None:
    rig = Rig()
    rig.request(10.0)
    rig.request(10.0, "QQQ")
    rig.interrupt(100.0, 100.0)
    assert rig.keeper.covered((M + 100) * 1000) == {"QQQ": (M + 100) * 1000}


@pytest.mark.parametrize(("print_s", "covered_s"), [(24, 30), (25, 25.5), (29, 25.5)])
def test_a_symbol_is_covered_up_to_its_newest_bar_while_a_print_lies_in_no_bar_yet(
    print_s: int, covered_s: float
) -> None:
    rig = trading(25.5, print_s)
    assert rig.keeper.covered((M + 30) * 1000) == {"SPY": int((M + covered_s) * 1000)}


def test_a_symbol_whose_bars_were_never_heard_is_covered_up_to_what_was_heard() -> None:
    rig = trading(25.5, 29)
    rig.state.symbols["SPY"].bar_heard_ms = 0
    assert rig.keeper.covered((M + 30) * 1000) == {"SPY": (M + 30) * 1000}


def test_one_symbol_that_waits_for_its_bar_does_not_hold_back_the_other() -> None:
    rig = trading(25.5, 29)
    rig.request(10.0, "QQQ")
    assert rig.keeper.covered((M + 30) * 1000) == {
        "SPY": (M + 25) * 1000 + 500, "QQQ": (M + 30) * 1000,
    }  # fmt: skip


def test_a_window_that_is_to_be_filled_holds_back_more_than_a_bar_that_is_on_its_way() -> None:
    rig = trading(125.5, 29)
    rig.interrupt(104.0, 104.0)
    rig.request(120.0)
    assert rig.keeper.covered((M + 130) * 1000) == {"SPY": (M + 100) * 1000}
