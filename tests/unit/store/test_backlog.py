from __future__ import annotations

import pytest

from shared.market.depth import DepthUpdate
from shared.store.backlog import Backlog
from shared.store.confirmed import Position
from tests.unit.store.updates import UPDATE_BYTES, update, updates

Range = tuple[str, int | None, int | None, str, int | None]


def backlog(max_entries: int = 100, max_bytes: int = 1_000_000) -> Backlog[DepthUpdate]:
    return Backlog("depth", max_entries, max_bytes)


def filled(*seqs: int, max_entries: int = 100) -> Backlog[DepthUpdate]:
    found = backlog(max_entries)
    for item in updates(*seqs):
        found.put(item)
    return found


def confirmed(*seqs: int, now_s: float = 0.0) -> Backlog[DepthUpdate]:
    found = filled(*seqs)
    found.confirm(found.take(100), now_s)
    return found


def queued(found: Backlog[DepthUpdate]) -> list[int]:
    items = found.take(10_000)
    found.put_back(items)
    return [item.seq for item in items]


def ranges(found: Backlog[DepthUpdate]) -> list[Range]:
    return [
        (gap.symbol, gap.from_seq, gap.to_seq, gap.reason, gap.count)
        for gap in found.losses.drain()
    ]


def stored(seq: int, symbol: str = "SPY") -> dict[str, Position]:
    return {symbol: Position(seq, 1000 + seq if seq else 0, seq)}


def test_items_leave_in_the_order_they_came() -> None:
    found = filled(1, 2, 3)
    assert [item.seq for item in found.take(2)] == [1, 2]
    assert [item.seq for item in found.take(2)] == [3]
    assert found.take(2) == []


def test_beyond_the_bound_of_entries_the_oldest_are_lost_as_one_range() -> None:
    found = filled(*range(1, 8), max_entries=4)
    assert queued(found) == [4, 5, 6, 7]
    assert ranges(found) == [("SPY", 1, 3, "queue full", 3)]


def test_beyond_the_bound_of_bytes_the_oldest_are_lost() -> None:
    found = backlog(max_bytes=2 * UPDATE_BYTES)
    for item in updates(1, 2, 3):
        found.put(item)
    assert queued(found) == [2, 3]
    assert found.bytes == 2 * UPDATE_BYTES


def test_at_the_bounds_exactly_nothing_is_lost() -> None:
    found = backlog(max_entries=2, max_bytes=2 * UPDATE_BYTES)
    for item in updates(1, 2):
        found.put(item)
    assert len(found) == 2
    assert not found.losses


def test_items_in_flight_count_for_the_bound_of_bytes() -> None:
    found = backlog(max_bytes=2 * UPDATE_BYTES)
    found.put(update(1))
    found.put(update(2))
    found.take(1)
    found.put(update(3))
    assert queued(found) == [3]


def test_bytes_are_freed_by_the_confirmation_not_by_taking() -> None:
    found = filled(1, 2)
    batch = found.take(2)
    assert found.bytes == 2 * UPDATE_BYTES
    found.confirm(batch, 0.0)
    assert (found.bytes, found.written) == (0, 2)


def test_items_put_back_are_the_oldest_again() -> None:
    found = filled(1, 2, 3, 4)
    batch = found.take(2)
    found.put(update(5))
    found.put_back(batch)
    assert queued(found) == [1, 2, 3, 4, 5]


def test_a_flush_prepared_behind_another_is_put_back_first() -> None:
    found = filled(1, 2, 3, 4, 5)
    flight, prepared = found.take(2), found.take(2)
    found.put_back(prepared)
    found.put_back(flight)
    assert queued(found) == [1, 2, 3, 4, 5]


def test_a_refused_item_is_lost_with_its_reason_and_not_written() -> None:
    found = filled(1, 2, 3)
    one, two, three = found.take(3)
    found.confirm([one, three], 0.0)
    found.refuse(two, "redis refused: WRONGTYPE")
    assert (found.written, found.bytes) == (2, 0)
    assert ranges(found) == [("SPY", 2, 2, "redis refused: WRONGTYPE", 1)]


def test_abandoning_enters_everything_queued_as_lost() -> None:
    found = filled(1, 2, 3)
    assert found.abandon() == 3
    assert (len(found), found.bytes) == (0, 0)
    assert ranges(found) == [("SPY", 1, 3, "shutdown", 3)]


def test_what_redis_has_of_a_flush_without_reply_is_not_sent_again() -> None:
    found = filled(1, 2, 3, 4)
    found.put_back(found.take(3))
    assert found.reconcile(stored(2), 0.0) == {}
    assert queued(found) == [3, 4]
    assert (found.written, found.bytes) == (2, 2 * UPDATE_BYTES)


def test_a_symbol_that_redis_was_not_asked_about_stays_queued() -> None:
    found = filled(1, 2)
    assert found.reconcile(stored(2, "QQQ"), 0.0) == {}
    assert queued(found) == [1, 2]


def test_confirmed_entries_that_redis_lost_are_sent_again_before_the_queue() -> None:
    found = confirmed(1, 2, 3, 4)
    found.put(update(5))
    assert found.reconcile(stored(2), 1.0) == {"SPY": 2}
    assert queued(found) == [3, 4, 5]
    assert (found.written, found.resent, found.bytes) == (2, 2, 3 * UPDATE_BYTES)
    assert not found.losses


def test_an_empty_stream_gets_all_of_the_ring_again() -> None:
    found = confirmed(1, 2, 3)
    assert found.reconcile(stored(0), 1.0) == {"SPY": 3}
    assert queued(found) == [1, 2, 3]


def test_what_the_ring_no_longer_has_is_a_gap_with_its_times() -> None:
    found = confirmed(1, 2, 3, 4, now_s=0.0)
    for item in updates(5, 6):
        found.put(item)
    found.confirm(found.take(2), 5.1)
    assert found.reconcile(stored(1), 5.2) == {"SPY": 2}
    assert queued(found) == [5, 6]
    assert found.written == 1
    [gap] = found.losses.drain()
    assert (gap.from_seq, gap.to_seq, gap.count, gap.reason) == (2, 4, 3, "redis restart")
    assert (gap.from_ts, gap.to_ts) == (1001, 1005)


def test_when_the_ring_has_nothing_everything_confirmed_is_a_gap() -> None:
    found = confirmed(1, 2, 3, now_s=0.0)
    found.confirm([], 100.0)
    assert found.reconcile(stored(0), 100.0) == {"SPY": 0}
    [gap] = found.losses.drain()
    assert (gap.from_seq, gap.to_seq, gap.count) == (1, 3, 3)
    assert (gap.from_ts, gap.to_ts) == (1001, 1003)


def test_the_ring_keeps_items_for_five_seconds_from_their_confirmation() -> None:
    found = filled(1)
    found.confirm(found.take(1), 1000.0)
    found.confirm([], 1005.0)
    assert found.reconcile(stored(0), 1005.0) == {"SPY": 1}


def test_a_number_lost_before_is_not_lost_again_with_its_neighbours() -> None:
    found = filled(1, 2, 3, 4, 5, 6, max_entries=4)
    found.confirm(found.take(4), 0.0)
    for item in updates(9, 10):
        found.put(item)
    found.confirm(found.take(2), 0.0)
    found.confirm([], 100.0)
    found.losses.drain()
    found.reconcile(stored(4), 100.0)
    assert ranges(found) == [
        ("SPY", 5, 6, "redis restart", 2),
        ("SPY", 9, 10, "redis restart", 2),
    ]
    assert (found.written, found.losses.total) == (2, 6)


def test_a_refused_item_is_never_sent_again() -> None:
    found = filled(1, 2)
    one, two = found.take(2)
    found.confirm([one], 0.0)
    found.refuse(two, "redis refused: ERR")
    assert found.reconcile(stored(0), 0.1) == {"SPY": 1}
    assert queued(found) == [1]


def test_only_the_symbols_that_lost_entries_are_sent_again() -> None:
    found = backlog()
    for item in [*updates(1, 2), *updates(1, 2, symbol="QQQ")]:
        found.put(item)
    found.confirm(found.take(4), 0.0)
    assert found.reconcile({**stored(2), **stored(1, "QQQ")}, 0.1) == {"QQQ": 1}
    assert [(item.symbol, item.seq) for item in found.take(9)] == [("QQQ", 2)]


def test_entries_may_be_lost_and_sent_again_twice() -> None:
    found = confirmed(1, 2, 3)
    found.reconcile(stored(1), 0.1)
    found.confirm(found.take(9), 0.2)
    assert found.reconcile(stored(0), 0.3) == {"SPY": 3}
    assert (queued(found), found.written, found.resent) == ([1, 2, 3], 0, 5)


@pytest.mark.parametrize("seq", [3, 7])
def test_nothing_is_sent_again_when_redis_has_all_of_it(seq: int) -> None:
    found = confirmed(1, 2, 3)
    assert found.reconcile(stored(seq), 0.1) == {}
    assert (len(found), found.written) == (0, 3)


def test_the_ring_is_bounded_in_entries() -> None:
    found = backlog(max_entries=30_000, max_bytes=100_000_000)
    batches: list[list[DepthUpdate]] = []
    for start in range(1, 20_401, 200):
        for item in updates(*range(start, start + 200)):
            found.put(item)
        batches.append(found.take(200))
        found.confirm(batches[-1], 0.0)
    assert found.reconcile(stored(0), 0.1) == {"SPY": 20_000}
    assert ranges(found) == [("SPY", 1, 400, "redis restart", 400)]
