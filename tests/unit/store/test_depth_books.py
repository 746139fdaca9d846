"""Merged book and quote of a symbol over two venues."""

from __future__ import annotations

import json
from typing import Any

from shared.market.depth import BookState, DepthUpdate, Pair
from shared.store.depth import DepthTtls, DepthWriter
from shared.store.keys import Keys
from tests.unit.store.resp_commands import commands
from tests.unit.store.updates import MISSING, side

Level = tuple[float, int, str]
ARCA_BIDS = ((100.0, 300, "ARCA"), (99.98, 100, "ARCA"))
ARCA_ASKS = ((100.02, 100, "ARCA"), (100.03, 700, "ARCA"))
BATS_BIDS = ((100.0, 500, "BATS"), (99.99, 400, "BATS"))
BATS_ASKS = ((100.01, 200, "BATS"),)


def book(seq: int, venue: str, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> DepthUpdate:
    ts = 2000 + seq
    return DepthUpdate(
        "SPY", venue, ts, ts / 1000, side(*bids), side(*asks), BookState.LIVE, seq, ts
    )


ARCA = book(1, "ARCA", ARCA_BIDS, ARCA_ASKS)
BATS = book(2, "BATS", BATS_BIDS, BATS_ASKS)


def writer() -> DepthWriter:
    return DepthWriter(Keys(), ["SPY"], 10_000, DepthTtls())


def sent(found: DepthWriter, *batch: DepthUpdate) -> list[list[str]]:
    flush = found.encode(batch, drained=True)
    found.confirmed(flush, [1] * flush.replies)
    return commands(flush.payload)


def merged(lines: list[list[str]]) -> dict[str, Any]:
    [text] = [line[2] for line in lines if line[1] == "market:SPY:book"]
    found: dict[str, Any] = json.loads(text)
    return found


def quote(lines: list[list[str]]) -> dict[str, str]:
    [line] = [line for line in lines if line[0] == "EVALSHA"]
    return dict(zip(line[13::2], line[14::2], strict=True))


def test_rows_of_all_venues_are_sorted_by_price_then_size() -> None:
    found = merged(sent(writer(), ARCA, BATS))
    bids = [[100.0, 500, "BATS"], [100.0, 300, "ARCA"], [99.99, 400, "BATS"], [99.98, 100, "ARCA"]]
    asks = [[100.01, 200, "BATS"], [100.02, 100, "ARCA"], [100.03, 700, "ARCA"]]
    assert found == {
        "symbol": "SPY",
        "venues": ["ARCA", "BATS"],
        "ts": 2002,
        "received_ts": 2002,
        "bids": bids + [MISSING] * 6,
        "asks": asks + [MISSING] * 7,
        "crossed": False,
    }


def test_the_quote_takes_each_side_from_the_best_venue() -> None:
    found = quote(sent(writer(), ARCA, BATS))
    assert (found["bid"], found["bid_size"], found["bid_venue"]) == ("100.0", "500", "BATS")
    assert (found["ask"], found["ask_size"], found["ask_venue"]) == ("100.01", "200", "BATS")
    assert (found["mid"], found["spread"]) == ("100.005", "0.01")


def test_a_venue_of_an_earlier_flush_still_counts() -> None:
    found = writer()
    sent(found, ARCA)
    assert merged(sent(found, BATS))["venues"] == ["ARCA", "BATS"]


def test_ten_rows_are_kept_of_all_venues_together() -> None:
    bids = tuple((100.0 - level / 100, 100, "ARCA") for level in range(10))
    found = merged(sent(writer(), book(1, "ARCA", bids, ARCA_ASKS), BATS))
    assert [row[0] for row in found["bids"]] == [
        *(100.0, 100.0, 99.99, 99.99, 99.98, 99.97, 99.96, 99.95, 99.94, 99.93)
    ]


def test_the_rows_of_a_single_venue_are_its_own() -> None:
    found = merged(sent(writer(), ARCA))
    assert (found["venues"], found["bids"][:2]) == (["ARCA"], [list(row) for row in ARCA_BIDS])


def test_venues_that_cross_each_other_are_told() -> None:
    higher = book(2, "BATS", ((100.05, 100, "BATS"),), ((100.06, 100, "BATS"),))
    assert merged(sent(writer(), ARCA, higher))["crossed"] is True


def test_a_parked_venue_leaves_the_merged_book_and_the_quote() -> None:
    found = writer()
    sent(found, ARCA, BATS)
    found.park(Pair("SPY", "BATS"))
    lines = sent(found)
    assert merged(lines)["venues"] == ["ARCA"]
    assert quote(lines)["ask_venue"] == "ARCA"


def test_a_reset_venue_leaves_the_merged_book() -> None:
    found = writer()
    sent(found, ARCA, BATS)
    reset = book(3, "BATS", (), ())
    reset.state = BookState.RESET
    assert merged(sent(found, reset))["venues"] == ["ARCA"]


def test_two_empty_live_books_make_an_empty_one_and_no_quote() -> None:
    lines = sent(writer(), book(1, "ARCA", (), ()), book(2, "BATS", (), ()))
    assert merged(lines)["bids"] == merged(lines)["asks"] == [MISSING] * 10
    assert set(quote(lines).values()) == {""}
