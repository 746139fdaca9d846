"""Bars are numbered as they are written, also late ones: a gap runs forwards and covers them."""

from __future__ import annotations

from shared.market.depth import DepthUpdate
from shared.store.backlog import Backlog
from shared.store.confirmed import Position
from shared.store.losses import GapEntry
from tests.unit.store.updates import update

# Longer than the ring remembers.
LATER_S = 100.0


def confirmed(*starts_ms: int, numbered: bool = False) -> Backlog[DepthUpdate]:
    """Bars 1, 2, ... of these starts, confirmed so long ago that none can be sent again."""
    found: Backlog[DepthUpdate] = Backlog("bars", 1000, 1_000_000, numbered)
    for seq, start_ms in enumerate(starts_ms, 1):
        found.put(update(seq, ts_ms=start_ms))
    found.confirm(found.take(1000), 0.0)
    found.confirm([], LATER_S)
    return found


def restarted(found: Backlog[DepthUpdate], seq: int, newest_ms: int) -> list[GapEntry]:
    """Redis comes back with the writes up to `seq` and a bar of `newest_ms` as its newest."""
    found.reconcile({"SPY": Position(seq, newest_ms, seq)}, LATER_S)
    return found.losses.drain()


def gap(from_ts: int, to_ts: int, count: int) -> GapEntry:
    return GapEntry("bars", "SPY", "", None, None, from_ts, to_ts, "redis restart", count)


def test_a_gap_of_late_bars_below_the_newest_one_of_redis_runs_forwards() -> None:
    found = confirmed(50_000, 55_000)
    assert restarted(found, 1, 100_000) == [gap(50_000, 55_000, 1)]


def test_a_gap_behind_the_cut_covers_a_late_bar_that_was_lost() -> None:
    found = confirmed(100_000, 105_000, 110_000, 50_000)
    assert restarted(found, 3, 110_000) == [gap(50_000, 110_000, 1)]


def test_a_gap_behind_the_cut_covers_the_newest_bar_that_was_lost() -> None:
    found = confirmed(100_000, 105_000, 110_000, 115_000)
    assert restarted(found, 2, 105_000) == [gap(100_000, 115_000, 2)]


def test_a_cut_through_late_bars_leaves_both_sides_with_all_of_their_times() -> None:
    found = confirmed(100_000, 130_000, 50_000, 55_000)
    assert restarted(found, 3, 130_000) == [gap(50_000, 130_000, 1)]
    assert restarted(found, 0, 0) == [gap(50_000, 130_000, 3)]


def test_a_gap_before_a_late_bar_that_is_sent_again_covers_what_was_lost() -> None:
    found = confirmed(100_000, 105_000, 130_000)
    found.put(update(4, ts_ms=50_000))
    found.confirm(found.take(1), LATER_S)
    assert restarted(found, 0, 0) == [gap(50_000, 130_000, 3)]
    assert [item.seq for item in found.take(9)] == [4]


def test_a_gap_before_a_bar_in_turn_that_is_sent_again_covers_what_was_lost() -> None:
    found = confirmed(100_000, 105_000, 50_000)
    found.put(update(4, ts_ms=110_000))
    found.confirm(found.take(1), LATER_S)
    assert restarted(found, 0, 0) == [gap(50_000, 110_000, 3)]


def test_a_gap_of_numbered_items_is_cut_at_the_newest_entry_and_at_the_first_sent_again() -> None:
    found = confirmed(100_000, 105_000, 110_000, numbered=True)
    for seq, ts_ms in ((4, 115_000), (5, 120_000)):
        found.put(update(seq, ts_ms=ts_ms))
    found.confirm(found.take(2), LATER_S)
    assert restarted(found, 1, 100_500) == [
        GapEntry("bars", "SPY", "", 2, 3, 100_500, 115_000, "redis restart", 2)
    ]
