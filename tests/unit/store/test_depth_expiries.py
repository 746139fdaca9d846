"""Expiries that follow the rotation window, and what the quote script's answers count."""

from __future__ import annotations

from typing import Any

import pytest

from shared.store.depth import DepthTtls, DepthWriter
from shared.store.keys import Keys
from tests.unit.store.resp_commands import commands
from tests.unit.store.updates import update


def writer() -> DepthWriter:
    return DepthWriter(Keys(), ["SPY", "QQQ"], 10_000, DepthTtls())


def expiries(found: DepthWriter) -> list[list[str]]:
    flush = found.encode([], True)
    found.confirmed(flush)
    return [line for line in commands(flush.payload) if line[0] == "EXPIRE"]


def test_a_longer_window_stretches_the_keys_of_symbols_that_are_parked() -> None:
    found = writer()
    found.confirmed(found.encode([update(1)], True))
    found.window(64.0)
    assert found.pending()
    assert expiries(found) == [
        ["EXPIRE", "raw:ibkr:depth:hb:SPY", "64"],
        ["EXPIRE", "market:SPY:ARCA:book", "96"],
        ["EXPIRE", "raw:ibkr:depth:hb:QQQ", "64"],
    ]
    assert not found.pending()


def test_a_shorter_window_leaves_what_was_promised() -> None:
    found = writer()
    found.window(160.0)
    assert expiries(found)
    found.window(64.0)
    assert expiries(found) == []


def test_a_stretch_is_said_again_after_a_flush_that_failed() -> None:
    found = writer()
    found.window(160.0)
    found.encode([], True)
    assert found.pending()
    assert expiries(found)


def test_a_window_that_grows_while_a_stretch_is_in_flight_is_not_forgotten() -> None:
    found = writer()
    found.window(64.0)
    flush = found.encode([], True)
    found.window(160.0)
    found.confirmed(flush)
    assert expiries(found)[0] == ["EXPIRE", "raw:ibkr:depth:hb:SPY", "160"]


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (1, {"late_quotes": 0, "future_quotes": 0}),
        (0, {"late_quotes": 1, "future_quotes": 0}),
        (2, {"late_quotes": 0, "future_quotes": 1}),
    ],
)
def test_quotes_that_came_late_or_met_a_time_from_the_future_are_counted(
    answer: int, counted: dict[str, int]
) -> None:
    found = writer()
    flush = found.encode([update(1)], True)
    replies: list[Any] = [b"1001-1", *([b"OK"] * len(flush.names))]
    replies[1 + flush.names.index("ticker_quote SPY")] = answer
    found.confirmed(flush, replies)
    assert found.metrics() == counted
