"""Ownership of the quote, what it says to hold now, and the numbers that a run goes on behind."""

from __future__ import annotations

from functools import partial

import pytest

from shared.market.depth import DepthUpdate, Pair
from shared.store.depth import DepthWriter
from shared.store.sink import Sink
from tests.unit.store.depth_flushes import SPY, changed, encode, numbered, on, sent, ticker, writer
from tests.unit.store.updates import update


def owner() -> DepthWriter:
    """SPY is owned, its row of 1001 told; it is 5000."""
    found = writer()
    found.quoting({"SPY": ["ARCA"]})
    sent(found, update(1))
    return found


def times(lines: list[list[str]]) -> list[str]:
    """As of when the quote holds, when it was received, and now."""
    return ticker(lines)[8:11]


def test_the_sign_of_ownership_is_said_before_the_quote() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA"], "QQQ": ["ARCA"]})
    flush, _ = encode(found, update(1), update(1, "QQQ"))
    for symbol in ("SPY", "QQQ"):
        assert flush.names.index(f"SET owner {symbol}") < flush.names.index(
            f"ticker_quote {symbol}"
        )


def test_a_quote_with_a_new_row_holds_from_the_time_of_that_row() -> None:
    found = owner()
    found.quoting({"SPY": ["ARCA"]})
    assert times(sent(found, update(2))) == ["1002", "1002", "5000"]


def test_a_renewed_ownership_says_the_quote_again_as_holding_now() -> None:
    found = owner()
    found.quoting({"SPY": ["ARCA"]})
    assert times(sent(found)) == ["5000", "1001", "5000"]


def test_each_renewal_says_the_quote_again_as_of_its_own_now() -> None:
    found = owner()
    for now_ms in (6000, 7000, 8000):
        found.clock_ms = partial(int, now_ms)
        found.quoting({"SPY": ["ARCA"]})
        assert times(sent(found)) == [f"{now_ms}", "1001", f"{now_ms}"]


def test_a_renewed_ownership_says_the_merged_book_again() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA"]})
    book = on(sent(found, update(1)), "market:SPY:book")
    found.quoting({"SPY": ["ARCA"]})
    assert on(sent(found), "market:SPY:book") == book
    assert [line[:2] for line in book] == [["SET", "market:SPY:book"]]


def test_a_renewed_ownership_writes_no_row_once_more() -> None:
    found = owner()
    found.quoting({"SPY": ["ARCA"]})
    assert [line[0] for line in sent(found)] == ["SET", "SET", "EVALSHA"]


def test_while_rows_wait_in_the_queue_a_quote_said_again_holds_from_its_newest_row() -> None:
    found = owner()
    found.quoting({"SPY": ["ARCA"]})
    assert times(sent(found, drained=False)) == ["1001", "1001", "5000"]


def test_rows_of_another_symbol_do_not_hold_back_that_a_quote_holds_now() -> None:
    found = owner()
    found.quoting({"SPY": ["ARCA"]})
    _, lines = encode(found, update(1, "QQQ"))
    [spy] = [line for line in lines if "market:SPY:ticker" in line]
    assert spy[8:11] == ["5000", "1001", "5000"]


def test_a_row_received_ahead_of_the_clock_holds_from_its_own_time() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA"]})
    sent(found, update(1, ts_ms=5001))
    found.quoting({"SPY": ["ARCA"]})
    assert times(sent(found)) == ["5001", "5001", "5000"]


def test_a_renewal_whose_flush_failed_is_said_again_as_of_a_later_now() -> None:
    found = owner()
    found.quoting({"SPY": ["ARCA"]})
    encode(found)
    found.clock_ms = lambda: 5300
    assert times(sent(found)) == ["5300", "1001", "5300"]


def test_without_a_renewal_nothing_is_said_again() -> None:
    found = owner()
    assert not found.pending()
    assert sent(found) == []


def test_last_values_said_again_without_a_renewal_hold_from_the_newest_row() -> None:
    found = owner()
    found.repeat(["SPY"])
    assert times(sent(found)) == ["1001", "1001", "5000"]


def test_a_symbol_that_the_feed_no_longer_names_is_not_said_to_hold() -> None:
    found = owner()
    found.quoting({"QQQ": ["ARCA"]})
    lines = sent(found)
    assert sorted(line[:2] for line in lines) == [
        ["DEL", "coord:depth:live:QQQ"],
        ["DEL", "coord:depth:live:SPY"],
    ]


def test_a_parked_symbol_that_is_still_named_is_released_and_not_said_to_hold() -> None:
    found = writer()
    numbered(found, 1)
    found.quoting({"SPY": ["ARCA"]})
    sent(found, update(1))
    found.park(SPY)
    found.quoting({"SPY": ["ARCA"]})
    assert ticker(sent(found))[2:5] == ["1", "market:SPY:ticker", "depth"]


def test_of_two_venues_the_newest_row_is_when_a_quote_said_again_was_received() -> None:
    found = owner()
    sent(found, changed(2, venue="BATS"))
    found.quoting({"SPY": ["ARCA", "BATS"]})
    assert times(sent(found)) == ["5000", "1002", "5000"]


# Venues that the feed does not vouch for


def of_two() -> DepthWriter:
    """ARCA and BATS are in the quote, in rows of 1001 and 1002."""
    found = owner()
    sent(found, changed(2, venue="BATS"))
    return found


@pytest.mark.parametrize(
    ("named", "since"),
    [
        (["ARCA", "BATS"], "5000"),
        (["BATS", "EDGX", "ARCA"], "5000"),
        (["ARCA"], "1002"),
        (["BATS"], "1002"),
        (["EDGX"], "1002"),
        (["ARCA", "EDGX"], "1002"),
    ],
)
def test_a_quote_holds_now_only_where_every_venue_in_it_is_named(
    named: list[str], since: str
) -> None:
    found = of_two()
    found.quoting({"SPY": named})
    assert times(sent(found)) == [since, "1002", "5000"]


def test_a_venue_of_another_symbol_that_is_not_named_does_not_matter() -> None:
    found = of_two()
    sent(found, update(1, "QQQ"), changed(2, symbol="QQQ", venue="BATS"))
    found.quoting({"SPY": ["ARCA", "BATS"], "QQQ": ["ARCA"]})
    lines = sent(found)
    [spy] = [line for line in lines if "market:SPY:ticker" in line]
    [qqq] = [line for line in lines if "market:QQQ:ticker" in line]
    assert (spy[8], qqq[8]) == ("5000", "1002")


def test_a_parked_venue_that_is_not_named_does_not_keep_the_quote_from_holding_now() -> None:
    found = of_two()
    numbered(found, 2)
    found.park(Pair("SPY", "BATS"))
    sent(found)
    found.clock_ms = lambda: 6000
    found.quoting({"SPY": ["ARCA"]})
    assert times(sent(found)) == ["6000", "5000", "6000"]


# Numbers that were given and lost


class Queue(Sink[DepthUpdate]):
    """Keeps what the writer puts; nothing is sent."""

    def __init__(self) -> None:
        self.items: list[DepthUpdate] = []

    def put(self, item: DepthUpdate) -> None:
        self.items.append(item)


def given(found: DepthWriter, *symbols: str) -> list[int]:
    """Numbers that the next rows of these symbols get."""
    queue = found.sink = Queue()
    for symbol in symbols:
        found.put(update(symbol=symbol, ts_ms=1000))
    return [item.seq for item in queue.items]


def test_numbers_go_on_behind_those_that_an_earlier_run_lost() -> None:
    found = writer()
    numbered(found, 12)
    found.skip({"SPY": 20})
    assert given(found, "SPY", "QQQ", "SPY") == [21, 1, 22]


@pytest.mark.parametrize("lost", [11, 12])
def test_numbers_that_redis_is_past_already_are_not_gone_back_to(lost: int) -> None:
    found = writer()
    numbered(found, 12)
    found.skip({"SPY": lost})
    assert given(found, "SPY") == [13]


def test_a_position_behind_the_lost_numbers_does_not_take_them_back() -> None:
    found = writer()
    found.skip({"SPY": 20})
    numbered(found, 12)
    assert given(found, "SPY") == [21]


def test_lost_numbers_of_a_symbol_that_is_no_longer_written_are_ignored() -> None:
    found = writer()
    found.skip({"TSLA": 20, "QQQ": 3})
    assert given(found, "QQQ") == [4]
