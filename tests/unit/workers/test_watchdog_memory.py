"""What the watch remembers of what it saw, and what it does not learn from outages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.control.freshness import Freshness, FreshnessPolicy, Stale
from shared.market.observation import Beat, DepthSeen, Observation, PollSeen
from shared.market.session import Session

POLICY = FreshnessPolicy(
    depth_s=15, quotes_s=30, trades_s=20, bars_s=20, options_s=60, sentiment_s=900,
    technicals_s=300, heartbeat_s=6,
)  # fmt: skip
WORKERS = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
BEGIN_MS = 1_000_000_000
REGULAR = Session("XNYS", "2026-11-25", "regular", 1, 9_000_000_000, None, False, True)
PAIR = ("SPY", "ARCA")


class Watch:
    """A watch on a clock of the test's own, which begins at 0 s."""

    def __init__(self, **policy: Any) -> None:
        self.judge = Freshness(replace(POLICY, **policy), WORKERS, BEGIN_MS)

    def look(self, at_s: float, away: Sequence[str] = (), **seen: Any) -> dict[str, Stale]:
        """`away`: workers that say they are not connected."""
        now_ms = at(at_s)
        beats = {
            name: Beat(now_ms - 500, "running", name not in away, "", BEGIN_MS) for name in WORKERS
        }
        return self.judge.judge(Observation(now_ms, REGULAR, beats, **seen))


def at(seconds: float) -> int:
    return BEGIN_MS + round(seconds * 1000)


@pytest.mark.parametrize(
    ("surface", "budget_s"), [("options", 60), ("sentiment", 900), ("technicals", 300)]
)
def test_a_poll_of_which_the_monitor_is_gone_is_remembered(surface: str, budget_s: int) -> None:
    watch = Watch()
    fetched, gone = {surface: {"SPY": PollSeen(at(5_000))}}, {surface: {"SPY": PollSeen(0)}}
    assert watch.look(5_001, polls=fetched) == {}
    assert watch.look(5_002, polls=gone) == {}
    assert watch.look(5_000 + budget_s - 1, polls=gone) == {}
    late = watch.look(5_000 + budget_s + 1, polls=gone)
    assert (late[f"{surface}:SPY"].age_s, late[f"{surface}:SPY"].mute) == (budget_s + 1, True)


def test_a_clock_that_was_set_back_hides_no_silence() -> None:
    watch = Watch()
    assert watch.look(5_000, quotes={"SPY": at(4_999)}) == {}
    watch.judge.resumed(at(1_400))
    assert watch.look(1_401, quotes={"SPY": 0}) == {}
    assert set(watch.look(1_431, quotes={"SPY": 0})) == {"quotes:SPY"}


def traded(watch: Watch, from_s: int, to_s: int) -> None:
    """A trade, a row of depth and a bar a second, seen by the second."""
    for now_s in range(from_s, to_s):
        watch.look(now_s, trades={"SPY": at(now_s)}, bars={"SPY": at(now_s)}, depth=book(now_s))


def book(row_s: float) -> dict[tuple[str, str], DepthSeen]:
    return {PAIR: DepthSeen(at(row_s), at(0))}


def test_silence_is_not_excused_by_a_bar_that_comes_into_it() -> None:
    watch = Watch()
    traded(watch, 1, 100)
    trades = {"SPY": at(99)}
    early = watch.look(121, trades=trades, bars={"SPY": at(99)})["trades:SPY"]
    late = watch.look(130, trades=trades, bars={"SPY": at(129)})["trades:SPY"]
    assert early.since_ms == late.since_ms == at(99 + 20)


def test_a_bar_proves_sooner_than_a_long_budget_ends() -> None:
    watch = Watch(trades_s=120)
    traded(watch, 1, 100)
    assert watch.look(139, trades={"SPY": at(99)}, bars={"SPY": at(110)}) == {}
    found = watch.look(145, trades={"SPY": at(99)}, bars={"SPY": at(144)})
    # Thirty seconds from the first proof on.
    assert found["trades:SPY"].since_ms == at(110 + 30)


def test_an_outage_of_a_worker_is_no_pause_of_its_symbols() -> None:
    watch = Watch()
    traded(watch, 1, 100)
    away = ("ibkr_trades", "ibkr_depth")
    for now_s in range(100, 400, 5):
        watch.look(now_s, away, trades={"SPY": at(99)}, bars={"SPY": at(99)}, depth=book(99))
    traded(watch, 400, 410)
    found = watch.look(431, trades={"SPY": at(409)}, bars={"SPY": at(409)}, depth=book(409))
    assert (found["trades:SPY"].budget_s, found["depth:SPY"].budget_s) == (20, 15)
    assert found["trades:SPY"].mute and found["depth:SPY"].mute


def test_pauses_that_grow_are_learned_by_and_by() -> None:
    watch = Watch()
    traded(watch, 1, 100)
    now_s = 99.0
    for pause_s in (2, 4, 8):
        now_s += pause_s
        watch.look(now_s, trades={"SPY": at(now_s)})
    found = watch.look(now_s + 100, trades={"SPY": at(now_s)})
    assert found["trades:SPY"].budget_s == 4 * 8


def test_a_symbol_that_stood_still_is_found_again_as_soon() -> None:
    watch = Watch()
    traded(watch, 1, 100)
    assert set(watch.look(130, trades={"SPY": at(99)}, depth=book(99))) == {
        "trades:SPY",
        "depth:SPY",
    }
    traded(watch, 700, 710)
    found = watch.look(731, trades={"SPY": at(709)}, depth=book(709))
    assert {name: one.budget_s for name, one in found.items()} == {
        "trades:SPY": 20,
        "depth:SPY": 15,
    }


def test_a_silent_book_that_is_asked_for_anew_stays_stale_until_a_row_comes() -> None:
    watch = Watch()
    traded(watch, 1, 100)

    def look(at_s: float, row_s: float, slot_s: float | None) -> set[str]:
        slot_ms = None if slot_s is None else at(slot_s)
        depth = {PAIR: DepthSeen(at(row_s), slot_ms)}
        return set(watch.look(at_s, depth=depth, rotation_window_s=64.0))

    assert look(113, 99, 0) == set()
    assert look(115, 99, 0) == {"depth:SPY"}
    # Cancelled, asked for again, and parked by the rotation: nothing has come.
    assert look(116, 99, None) == look(117, 99, 117) == look(150, 99, None) == {"depth:SPY"}
    assert look(151, 151, 151) == set()
    # A turn of its own is judged from its beginning.
    assert look(215, 160, None) == look(216, 160, 216) == look(230, 160, 216) == set()
    assert look(232, 160, 216) == {"depth:SPY"}


def test_data_has_its_time_to_come_when_a_trouble_is_over() -> None:
    watch = Watch()
    quotes = {"SPY": at(1_000)}
    away = watch.look(1_040, ["ibkr_trades"], quotes=quotes)["quotes:SPY"]
    assert (away.reason, away.mute) == ("ibkr_trades is not connected: running", False)
    soon = watch.look(1_041, quotes=quotes)["quotes:SPY"]
    assert (soon.reason, soon.mute) == ("after: ibkr_trades is not connected: running", False)
    assert not watch.look(1_070, quotes=quotes)["quotes:SPY"].mute
    assert watch.look(1_071, quotes=quotes)["quotes:SPY"].mute
    assert watch.look(1_072, quotes={"SPY": at(1_072)}) == {}
