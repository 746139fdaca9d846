"""Items dropped while nobody knew whether Redis had them, and what it turned out to have."""

from __future__ import annotations

import pytest

from shared.market.depth import DepthUpdate
from shared.store.backlog import Backlog
from shared.store.confirmed import Position
from shared.store.losses import Losses, Lost
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
