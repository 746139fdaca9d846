"""A real recording, replayed row by row, against the exchange's own books."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.processes.conftest import StartDepth
from tests.support.depth_keys import Entry
from tests.support.depth_rig import DepthPlan
from tests.support.recordings import (
    Level,
    RecordedBook,
    depth_books,
    depth_operations,
    needs_depth_recording,
    shared_data,
)

EVENTS_WITH_OPERATIONS: Final = 938


def levels(side: list[list[Any]]) -> tuple[Level, ...]:
    return tuple((round(price * 10_000), size) for price, size, _ in side)


def book_of(entry: Entry) -> RecordedBook:
    return RecordedBook(levels(entry.bids), levels(entry.asks))


@needs_depth_recording
@pytest.mark.parametrize("style", ["shift", "replace"])
def test_after_each_event_of_a_recording_the_book_is_the_exchanges(
    start_depth: StartDepth, style: str
) -> None:
    path = shared_data() / "depth" / f"AAPL_20120621_{style}.jsonl"
    flags = ("--replay", f"AAPL={path}", "--speed", "0")
    # One symbol on three slots is never rotated, and a quiet recording is no fault here.
    rig = start_depth(
        DepthPlan(venues={"AAPL": ("ISLAND",)}, ibkr={"depth_stale_s": 60.0}, gateway=flags)
    )
    operations, books = depth_operations(style), depth_books()
    rig.wait_until(
        lambda: rig.keys.last_seq("AAPL") >= len(operations), 30, "the whole recording stored"
    )
    assert rig.gateway.rows_sent("AAPL") == len(operations)
    entries = rig.keys.entries("AAPL")
    assert [entry.seq for entry in entries] == list(range(1, len(operations) + 1))
    # The later operation of an event wins: its last one.
    last_of = {op.ev: entry for op, entry in zip(operations, entries, strict=True)}
    assert len(last_of) == EVENTS_WITH_OPERATIONS
    assert [ev for ev, entry in last_of.items() if book_of(entry) != books[ev]] == []
    assert rig.keys.gaps() == [] and rig.keys.incidents("integrity") == []
