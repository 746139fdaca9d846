"""The depth checker on evidence by hand: what is right passes, and each invariant can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest

from tests.oracle.check_depth import DepthEvidence, check_depth, states_of
from tests.oracle.evidence import Change, Entry, Gap, Turn, Window

INSERT, UPDATE, DELETE = 0, 1, 2
ASK, BID = 0, 1
BEGIN: Final = 1_000_000


def row(after_ms: int, operation: int, side: int, position: int, price: float) -> Change:
    size = 100.0 + after_ms
    return Change(BEGIN + after_ms, (operation, side, position, round(price * 10_000), size, ""))


CHANGES: Final = [
    row(10, INSERT, BID, 0, 99.98),
    row(20, INSERT, ASK, 0, 100.01),
    row(30, INSERT, BID, 1, 99.97),
    row(40, UPDATE, BID, 0, 99.98),
    row(50, INSERT, ASK, 0, 100.0),
    row(60, DELETE, ASK, 1, 0.0),
]


def turn(changes: Sequence[Change] = CHANGES, ended: int | None = None, end: str = "") -> Turn:
    ended_ms = None if ended is None else BEGIN + ended
    return Turn("SPY", "ARCA", 1, 5, 15, BEGIN, list(changes), ended_ms, end)


def entries(of: Turn, first_seq: int = 1, lag_ms: int = 2) -> list[Entry]:
    pairs = zip(of.changes, states_of(of), strict=True)
    return [
        Entry(change.ms + lag_ms, seq, "ARCA", state)
        for seq, (change, state) in enumerate(pairs, first_seq)
    ]


def gap(from_ms: int, to_ms: int, numbers: tuple[int, int] | None = None, **other: str) -> Gap:
    first, last = numbers or (None, None)
    named = {"feed": "depth", "symbol": "SPY", "venue": "ARCA"} | other
    times = (BEGIN + from_ms, BEGIN + to_ms)
    return Gap(named["feed"], named["symbol"], named["venue"], first, last, *times, "for a test")


def evidence(
    turns: Sequence[Turn], found: Sequence[Entry], gaps: Sequence[Gap] = ()
) -> DepthEvidence:
    return DepthEvidence("SPY", turns, found, gaps)


def broken(given: DepthEvidence) -> set[str]:
    return set(check_depth(given).by_invariant)


def test_all_rows_in_the_stream_are_delivered() -> None:
    one = turn()
    findings = check_depth(evidence([one], entries(one)))
    assert findings.violations == []
    assert findings.counts == {"depth sent": 6, "depth delivered": 6}


def test_a_delete_moves_the_rows_behind_it_up() -> None:
    bids, asks = states_of(turn())[-1]
    assert [level[0] for level in bids[:3]] == [999_800, 999_700, None]
    assert [level[0] for level in asks[:2]] == [1_000_000, None]


def test_a_row_that_left_no_entry_is_lost() -> None:
    one = turn()
    found = entries(one)
    del found[3]
    renumbered = [entry._replace(seq=n) for n, entry in enumerate(found, 1)]
    assert broken(evidence([one], renumbered)) == {"no row lost"}


def test_a_number_that_is_missing_is_a_hole() -> None:
    one = turn()
    found = [entry for entry in entries(one) if entry.seq != 3]
    assert broken(evidence([one], found)) == {"no row lost", "seq without holes"}


def test_a_gap_of_numbers_explains_as_many_rows() -> None:
    one = turn()
    found = [entry for entry in entries(one) if entry.seq not in (3, 4)]
    findings = check_depth(evidence([one], found, [gap(0, 0, (3, 4))]))
    assert (findings.violations, findings.counts["depth in gaps"]) == ([], 2)
    assert broken(evidence([one], found, [gap(0, 0, (3, 3))])) == {
        "no row lost",
        "seq without holes",
    }


def test_a_gap_that_names_a_number_that_is_there_is_false() -> None:
    one = turn()
    assert broken(evidence([one], entries(one), [gap(0, 0, (2, 2))])) == {"gaps are true"}


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (gap(12, 102), set()),
        # Too early, too late, another symbol, venue or feed.
        (gap(0, 11), {"no row lost", "outages told"}),
        (gap(80, 100), {"no row lost", "outages told"}),
        (gap(12, 100, symbol="QQQ"), {"no row lost", "outages told"}),
        (gap(12, 100, venue="BATS"), {"no row lost", "outages told"}),
        (gap(12, 100, feed="trades"), {"no row lost", "outages told"}),
        (gap(12, 102, symbol="", venue=""), set()),
    ],
)
def test_a_gap_of_time_explains_the_rows_within(window: Gap, expected: set[str]) -> None:
    """The first row was stored; the turn was cut off, the next one begins later."""
    cut = turn(ended=70, end="disconnected")
    again = replace(turn(), opened_ms=BEGIN + 90, req_id=6)
    again.changes = [change._replace(ms=change.ms + 90) for change in CHANGES]
    found = [*entries(cut)[:1], *entries(again, first_seq=2)]
    assert broken(evidence([cut, again], found, [window])) == expected


@pytest.mark.parametrize(
    ("end", "window", "expected"),
    [
        ("cancelled", None, set()),
        ("disconnected", None, {"outages told"}),
        ("dropped", None, {"outages told"}),
        ("disconnected", gap(62, 102), set()),
        # Ends before the next turn's first row, begins after the last one's last.
        ("disconnected", gap(62, 90), {"outages told"}),
        ("disconnected", gap(80, 102), {"outages told"}),
    ],
)
def test_an_outage_without_a_lost_row_is_told_too(
    end: str, window: Gap | None, expected: set[str]
) -> None:
    cut = turn(ended=70, end=end)
    again = replace(turn(), opened_ms=BEGIN + 90, req_id=6)
    again.changes = [change._replace(ms=change.ms + 90) for change in CHANGES]
    found = [*entries(cut), *entries(again, first_seq=7)]
    assert broken(evidence([cut, again], found, [window] if window else [])) == expected


def test_rows_after_a_cancel_are_stragglers() -> None:
    one = turn(ended=60, end="cancelled")
    findings = check_depth(evidence([one], entries(one)[:4]))
    assert (findings.violations, findings.counts["depth left out"]) == ([], 2)


def test_rows_long_before_a_cancel_are_lost() -> None:
    one = turn(ended=5_000, end="cancelled")
    assert broken(evidence([one], entries(one)[:4])) == {"no row lost"}
    held = DepthEvidence("SPY", [one], entries(one)[:4], (), [Window(BEGIN, BEGIN + 6_000)])
    assert broken(held) == set()


def test_a_live_turn_owes_all_its_rows() -> None:
    one = turn()
    assert broken(evidence([one], entries(one)[:5])) == {"no row lost"}


def test_a_book_that_never_was_so_is_found() -> None:
    one = turn()
    found = entries(one)
    bids, asks = found[2].state
    found[2] = found[2]._replace(state=(asks, bids))
    assert "books as sent" in broken(evidence([one], found))


def test_an_entry_nobody_asked_for_is_foreign() -> None:
    one = turn()
    stranger = entries(one)[0]._replace(venue="BATS", seq=7)
    assert broken(evidence([one], [*entries(one), stranger])) == {"no foreign row"}


def test_an_unsorted_side_is_found() -> None:
    one = turn()
    found = entries(one)
    bids, asks = found[-1].state
    found[-1] = found[-1]._replace(state=((bids[1], bids[0], *bids[2:]), asks))
    assert {"sides sorted", "books as sent"} <= broken(evidence([one], found))


def test_a_number_given_twice_is_found() -> None:
    one = turn()
    found = entries(one)
    found[4] = found[4]._replace(seq=4)
    assert "seq in order" in broken(evidence([one], found))


def test_a_reset_empties_the_book() -> None:
    one = turn([*CHANGES, Change(BEGIN + 70, None), row(80, INSERT, BID, 0, 99.9)])
    assert broken(evidence([one], entries(one))) == set()
    bids, asks = states_of(one)[-1]
    assert (bids[0][0], bids[1][0], asks[0][0]) == (999_000, None, None)


def test_a_worker_that_was_stopped_had_read_nothing_of_its_turn() -> None:
    one = turn(ended=9_000, end="disconnected")
    next_one = Turn("SPY", "ARCA", 2, 6, 15, BEGIN + 20_000, [row(20_010, INSERT, BID, 0, 99.9)])
    turns, found = [one, next_one], entries(next_one)
    assert broken(evidence(turns, found)) == {"no row lost"}
    stopped = (Window(BEGIN - 100, BEGIN + 9_500),)
    assert broken(DepthEvidence("SPY", turns, found, (), stopped)) == set()


def test_of_a_trimmed_stream_the_turn_that_is_there_in_part_is_left_out() -> None:
    """The same two books by turns; nobody can tell how many entries of the first turn are gone."""
    sizes = (1.0, 2.0, 1.0, 2.0)
    rows = [(INSERT if n == 0 else UPDATE, BID, 0, 990_000, s, "") for n, s in enumerate(sizes)]
    one = turn([Change(BEGIN + 10 * n, row) for n, row in enumerate(rows, 1)], 90, "cancelled")
    later = [Change(BEGIN + 100 + 10 * n, row) for n, row in enumerate(rows, 1)]
    two = Turn("SPY", "ARCA", 1, 6, 15, BEGIN + 100, later)
    found = [*entries(one)[3:], *entries(two, first_seq=5)]
    kept = replace(evidence([one, two], found), trimmed=True)
    assert check_depth(kept).counts == {"depth sent": 4, "depth delivered": 4}
    assert broken(kept) == set()
    assert broken(replace(kept, entries=found[:-1])) == {"no row lost"}
