from __future__ import annotations

import pytest

from shared.store.losses import GapEntry, Losses, Lost, Settling


def lost(seq: int, symbol: str = "SPY", venue: str = "ARCA") -> Lost:
    return Lost(symbol, venue, seq, 1000 + seq)


def losses(*seqs: int, reason: str = "queue full") -> Losses:
    found = Losses("depth")
    for seq in seqs:
        found.add(lost(seq), reason)
    return found


def test_consecutive_losses_are_one_range() -> None:
    assert losses(3, 4, 5).drain() == [
        GapEntry("depth", "SPY", "ARCA", 3, 5, 1003, 1005, "queue full", 3)
    ]


def test_a_number_between_two_losses_splits_the_range() -> None:
    found = [(gap.from_seq, gap.to_seq, gap.count) for gap in losses(1, 2, 4).drain()]
    assert found == [(1, 2, 2), (4, 4, 1)]


def test_losses_of_different_reasons_are_ranges_of_their_own() -> None:
    found = losses(1)
    found.add(lost(2), "shutdown")
    assert [(gap.from_seq, gap.reason) for gap in found.drain()] == [
        (1, "queue full"),
        (2, "shutdown"),
    ]


def test_losses_of_different_symbols_interleaved_are_one_range_each() -> None:
    found = Losses("depth")
    for seq in (1, 2, 3):
        found.add(lost(seq, "SPY"), "queue full")
        found.add(lost(seq, "QQQ"), "queue full")
    assert [(gap.symbol, gap.from_seq, gap.to_seq) for gap in found.drain()] == [
        ("QQQ", 1, 3),
        ("SPY", 1, 3),
    ]


def test_a_range_over_several_venues_names_none() -> None:
    found = losses(1)
    found.add(lost(2, venue="BATS"), "queue full")
    found.add(lost(3, venue="ARCA"), "queue full")
    [gap] = found.drain()
    assert (gap.venue, gap.count) == ("", 3)


def test_older_numbers_lost_later_are_a_range_of_their_own() -> None:
    found = [(gap.from_seq, gap.to_seq) for gap in losses(5, 6, 1, 2).drain()]
    assert found == [(1, 2), (5, 6)]


def test_draining_forgets_the_ranges_but_not_the_total() -> None:
    found = losses(1, 2)
    found.drain()
    assert (found.drain(), bool(found), found.total) == ([], False, 2)


def test_a_loss_after_draining_starts_a_new_range() -> None:
    found = losses(1)
    found.drain()
    found.add(lost(2), "queue full")
    assert [(gap.from_seq, gap.to_seq) for gap in found.drain()] == [(2, 2)]


def test_a_ready_range_adds_its_count_to_the_total() -> None:
    found = losses(9)
    found.add_range(GapEntry("depth", "SPY", "", 1, 4, 1001, 1004, "redis restart", 4))
    assert (bool(found), found.total) == (True, 5)
    assert [gap.from_seq for gap in found.drain()] == [1, 9]


def test_unknown_numbers_are_empty_stream_fields() -> None:
    entry = GapEntry("depth", "SPY", "ARCA", None, None, 5, 9, "restart", None)
    assert entry.fields() == {
        "feed": "depth",
        "symbol": "SPY",
        "venue": "ARCA",
        "from_seq": "",
        "to_seq": "",
        "from_ts": "5",
        "to_ts": "9",
        "reason": "restart",
        "count": "",
    }


def unnumbered(*seqs: int) -> Losses:
    found = Losses("bars", numbered=False)
    for seq in seqs:
        found.add(lost(seq, venue=""), "queue full")
    return found


def test_numbers_that_readers_do_not_know_are_left_out() -> None:
    assert unnumbered(3, 4, 5).drain() == [
        GapEntry("bars", "SPY", "", None, None, 1003, 1005, "queue full", 3)
    ]


def test_losses_without_a_number_for_readers_still_split_at_what_was_written() -> None:
    found = [
        (gap.from_seq, gap.from_ts, gap.to_ts, gap.count) for gap in unnumbered(1, 2, 4).drain()
    ]
    assert found == [(None, 1001, 1002, 2), (None, 1004, 1004, 1)]


def test_losses_without_a_number_for_readers_are_counted_and_forgotten_as_others_are() -> None:
    found = unnumbered(1, 2, 4)
    found.drain()
    assert (found.drain(), bool(found), found.total) == ([], False, 3)


def test_a_ready_range_loses_its_numbers_as_well() -> None:
    found = unnumbered()
    found.add_range(GapEntry("bars", "SPY", "", 1, 4, 1001, 1004, "redis restart", 4))
    assert [(gap.from_seq, gap.to_seq, gap.count) for gap in found.drain()] == [(None, None, 4)]


def lost_bars(*starts_ms: int) -> list[GapEntry]:
    """Bars are numbered as they are written, whatever their starts."""
    found = Losses("bars", numbered=False)
    for seq, start_ms in enumerate(starts_ms, 1):
        found.add(Lost("SPY", "", seq, start_ms), "queue full")
    return found.drain()


@pytest.mark.parametrize(
    ("starts_ms", "first_ms", "last_ms"),
    [
        ((5000, 10_000, 15_000), 5000, 15_000),
        ((15_000, 10_000, 5000), 5000, 15_000),
        ((10_000, 5000, 15_000), 5000, 15_000),
        ((10_000, 15_000, 5000), 5000, 15_000),
        ((5000, 5000), 5000, 5000),
    ],
)
def test_a_range_reaches_from_the_oldest_to_the_newest_of_what_was_lost(
    starts_ms: tuple[int, ...], first_ms: int, last_ms: int
) -> None:
    count = len(starts_ms)
    assert lost_bars(*starts_ms) == [
        GapEntry("bars", "SPY", "", None, None, first_ms, last_ms, "queue full", count)
    ]


def test_a_range_that_goes_on_growing_is_entered_at_once_then_now_and_then_and_at_its_end() -> None:
    settling = Settling()
    assert settling.settled(0, 100.0)
    growing = [settling.settled(1 + number, 101.0 + number / 2) for number in range(42)]
    assert [number for number, settled in enumerate(growing) if settled] == [0, 20, 40]
    over = [settling.settled(42, 122.0 + number / 4) for number in range(4)]
    assert over == [False, False, True, True]
    assert settling.settled(43, 123.0)
