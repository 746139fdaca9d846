"""Gaps on evidence by hand: what they name must be true, and something must have caused it."""

from __future__ import annotations

import pytest

from tests.oracle.check_gaps import GapEvidence, check_gaps
from tests.oracle.evidence import Disturbance, Gap

BEGIN = 1_700_000_000_000


def gap(feed: str = "depth", numbers: tuple[int, int] | None = None, **other: str) -> Gap:
    first, last = numbers or (None, None)
    named = {"symbol": "SPY", "venue": "ARCA" if feed == "depth" else ""} | other
    times = (BEGIN + 1_000, BEGIN + 5_000)
    return Gap(feed, named["symbol"], named["venue"], first, last, *times, "restart")


def broken(one: Gap, *after_ms: int, hit: str = "gateway", at_ms: int = 2_000) -> set[str]:
    key = (one.feed, "SPY", "ARCA" if one.feed == "depth" else "")
    received = {key: [BEGIN + ms for ms in after_ms]}
    disturbances = [Disturbance(BEGIN + at_ms, BEGIN + at_ms + 500, (hit,))]
    return set(check_gaps(GapEvidence([one], received, disturbances)).by_invariant)


@pytest.mark.parametrize("feed", ["depth", "trades"])
def test_a_gap_lies_between_what_came_before_and_after(feed: str) -> None:
    assert broken(gap(feed), 900, 1_000, 5_000, 5_100) == set()
    assert broken(gap(feed), 1_000, 3_000, 5_000) == {"gaps are true"}


def test_what_came_from_another_venue_is_no_contradiction() -> None:
    assert broken(gap(venue="BATS"), 3_000) == set()
    assert broken(gap(venue=""), 3_000) == {"gaps are true"}


def test_a_joined_gap_is_not_looked_into() -> None:
    assert broken(gap(symbol=""), 3_000) == set()


@pytest.mark.parametrize("hit", ["vendor", "av_options", "ibkr_trades"])
def test_what_cannot_cause_a_loss_of_depth_explains_none(hit: str) -> None:
    assert broken(gap(), hit=hit) == {"gaps have a cause"}
    assert broken(gap(numbers=(5, 9)), hit=hit) == {"gaps have a cause"}


def test_a_gateway_makes_nobody_lose_what_was_numbered() -> None:
    assert broken(gap(numbers=(5, 9)), hit="gateway") == {"gaps have a cause"}
    for hit in ("redis", "ibkr_depth"):
        assert broken(gap(numbers=(5, 9)), hit=hit) == set()


def test_a_fault_long_before_or_after_is_no_cause() -> None:
    assert broken(gap(), at_ms=-20_000) == {"gaps have a cause"}
    assert broken(gap(), at_ms=8_000) == {"gaps have a cause"}
