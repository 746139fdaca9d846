"""Items dropped while nobody knew whether Redis had them, and what it turned out to have."""

from __future__ import annotations

import pytest

from shared.market.depth import DepthUpdate
from shared.store.backlog import Backlog
from shared.store.confirmed import Position
from shared.store.losses import GapEntry, Losses, Lost
from tests.unit.store.updates import updates

Range = tuple[int | None, int | None, int | None]


def lost(*seqs: int, symbol: str = "SPY") -> Losses:
    found = Losses("depth")
    for seq in seqs:
        found.add(Lost(symbol, "ARCA", seq, 1000 + seq), "queue full")
    return found


def ranges(found: Losses) -> list[Range]:
    return [(gap.from_seq, gap.to_seq, gap.count) for gap in found.drain()]


@pytest.mark.parametrize(
    ("seq", "found", "left"),
    [
        (0, 0, [(4, 6, 3)]),
        (3, 0, [(4, 6, 3)]),
        (4, 1, [(5, 6, 2)]),
        (5, 2, [(6, 6, 1)]),
        (6, 3, []),
        (99, 3, []),
    ],
)
def test_what_redis_has_after_all_is_taken_out_of_the_range(
    seq: int, found: int, left: list[Range]
) -> None:
    losses = lost(4, 5, 6)
    assert (losses.stored("SPY", seq), losses.total) == (found, 3 - found)
    assert ranges(losses) == left


def test_ranges_that_are_closed_are_shortened_too() -> None:
    losses = lost(1, 2, 5, 6)
    assert losses.stored("SPY", 5) == 3
    assert ranges(losses) == [(6, 6, 1)]


def test_losses_of_another_symbol_stay() -> None:
    losses = lost(4, 5, symbol="QQQ")
    assert losses.stored("SPY", 9) == 0
    assert ranges(losses) == [(4, 5, 2)]


def cut_off(unsure: bool) -> Backlog[DepthUpdate]:
    """1 to 3 were in flight when the connection was lost, and were then dropped with 4."""
    backlog: Backlog[DepthUpdate] = Backlog("depth", 3, 1_000_000)
    for item in updates(1, 2, 3):
        backlog.put(item)
    backlog.put_back(backlog.take(3), unsure)
    for item in updates(4, 5, 6, 7):
        backlog.put(item)
    return backlog


def position(seq: int) -> dict[str, Position]:
    return {"SPY": Position(seq, 1000 + seq, seq)}


def test_a_flush_that_redis_had_carried_out_is_no_loss() -> None:
    backlog = cut_off(unsure=True)
    backlog.reconcile(position(2), 1.0)
    assert (backlog.written, ranges(backlog.losses)) == (2, [(3, 4, 2)])


def test_only_the_first_look_behind_the_cut_says_what_became_of_it() -> None:
    backlog = cut_off(unsure=True)
    backlog.reconcile(position(0), 1.0)
    backlog.confirm(backlog.take(3), 1.0)
    backlog.reconcile(position(7), 2.0)
    assert ranges(backlog.losses) == [(1, 4, 4)]


def test_items_that_redis_refused_for_the_moment_are_lost_when_they_are_dropped() -> None:
    backlog = cut_off(unsure=False)
    backlog.reconcile(position(2), 1.0)
    assert ranges(backlog.losses) == [(1, 4, 4)]


# Never sent


@pytest.mark.parametrize(
    ("first", "seq", "found", "left"),
    [
        (1, 3, 0, [(4, 6, 3)]),
        (2, 4, 1, [(5, 6, 2)]),
        (4, 6, 3, []),
        (5, 5, 1, [(4, 4, 1), (6, 6, 1)]),
        (5, 9, 2, [(4, 4, 1)]),
        (6, 9, 1, [(4, 5, 2)]),
        (7, 9, 0, [(4, 6, 3)]),
    ],
)
def test_only_what_redis_has_from_the_first_number_on_is_taken_out_of_the_range(
    first: int, seq: int, found: int, left: list[Range]
) -> None:
    losses = lost(4, 5, 6)
    assert (losses.stored("SPY", seq, first), losses.total) == (found, 3 - found)
    assert ranges(losses) == left


def test_a_range_that_was_split_keeps_its_reason_its_venue_and_its_times() -> None:
    losses = lost(4, 5, 6)
    losses.stored("SPY", 5, 5)
    assert losses.drain() == [
        GapEntry("depth", "SPY", "ARCA", 4, 4, 1004, 1006, "queue full", 1),
        GapEntry("depth", "SPY", "ARCA", 6, 6, 1004, 1006, "queue full", 1),
    ]


def test_losses_of_one_symbol_under_two_reasons_are_both_looked_at() -> None:
    losses = lost(1, 2)
    losses.add(Lost("SPY", "ARCA", 3, 1003), "shutdown")
    assert losses.stored("SPY", 3, 2) == 2
    assert ranges(losses) == [(1, 1, 1)]


def test_a_range_whose_numbers_are_not_known_stays() -> None:
    losses = Losses("depth")
    losses.add_range(GapEntry("depth", "SPY", "", None, None, 1001, 1004, "redis restart", 4))
    assert (losses.stored("SPY", 9), losses.total) == (0, 4)
    assert ranges(losses) == [(None, None, 4)]


def overfull(dropped: bool) -> Backlog[DepthUpdate]:
    """1 and 2 never left; 3 to 5 were in flight at the cut, and `dropped` with 6 behind it."""
    backlog: Backlog[DepthUpdate] = Backlog("depth", 3, 1_000_000)
    for item in updates(1, 2, 3, 4, 5):
        backlog.put(item)
    backlog.put_back(backlog.take(3), unsure=True)
    for item in updates(6, 7, 8, 9) if dropped else []:
        backlog.put(item)
    return backlog


@pytest.mark.parametrize(
    ("dropped", "stored", "written", "left"),
    [
        (False, 0, 0, [(1, 2, 2)]),
        (False, 4, 2, [(1, 2, 2)]),
        (False, 5, 3, [(1, 2, 2)]),
        (True, 0, 0, [(1, 6, 6)]),
        (True, 3, 1, [(1, 2, 2), (4, 6, 3)]),
        (True, 5, 3, [(1, 2, 2), (6, 6, 1)]),
    ],
)
def test_items_that_were_never_sent_stay_lost_though_redis_has_later_ones(
    dropped: bool, stored: int, written: int, left: list[Range]
) -> None:
    backlog = overfull(dropped)
    backlog.reconcile(position(stored), 1.0)
    assert (backlog.written, ranges(backlog.losses)) == (written, left)


def test_items_behind_the_flight_stay_lost_though_redis_stands_at_a_higher_number() -> None:
    backlog = overfull(dropped=True)
    backlog.reconcile(position(9), 1.0)
    assert ranges(backlog.losses) == [(1, 2, 2), (6, 6, 1)]


def test_each_symbol_in_flight_has_numbers_of_its_own() -> None:
    backlog: Backlog[DepthUpdate] = Backlog("depth", 4, 1_000_000)
    for item in [*updates(1, 2), *updates(5, 6, symbol="QQQ")]:
        backlog.put(item)
    for item in [*updates(3, 4), *updates(7, 8, symbol="QQQ")]:
        backlog.put(item)
    backlog.put_back(backlog.take(4), unsure=True)
    for item in updates(10, 11, 12, 13, symbol="TSLA"):
        backlog.put(item)
    backlog.reconcile({"SPY": Position(3, 1003, 3), "QQQ": Position(8, 1008, 8)}, 1.0)
    found = [(gap.symbol, gap.from_seq, gap.to_seq) for gap in backlog.losses.drain()]
    assert found == [("SPY", 1, 2), ("SPY", 4, 4), ("QQQ", 5, 6)]
