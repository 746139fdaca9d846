"""Reset, parked, owned and repeated: how a symbol is shown over several flushes."""

from __future__ import annotations

from shared.market.depth import BookState
from shared.store.depth import DepthTtls
from tests.unit.store.depth_flushes import (
    SPY,
    changed,
    encode,
    numbered,
    on,
    sent,
    states,
    ticker,
    writer,
)
from tests.unit.store.updates import ASKS, BIDS, EMPTY, update


def test_a_reset_book_is_shown_as_such_and_takes_the_quote_away() -> None:
    found = writer()
    sent(found, update(1))
    lines = sent(found, changed(2, state=BookState.RESET, bids=EMPTY, asks=EMPTY))
    assert states(lines) == ['"reset"}']
    assert on(lines, "market:SPY:book") == []
    assert on(lines, "coord:depth:live:SPY") == [["DEL", "coord:depth:live:SPY"]]
    assert ticker(lines)[2:5] == ["1", "market:SPY:ticker", "depth"]
    assert ticker(lines)[5:] == [
        *("bid", "bid_size", "bid_venue", "ask", "ask_size", "ask_venue", "mid", "spread"),
        *("spread_bps", "quote_ts", "quote_received_ts", "quote_source"),
    ]


def test_a_refilled_book_is_live_again() -> None:
    found = writer()
    sent(found, changed(1, state=BookState.RESET))
    assert states(sent(found, update(2))) == ['"live"}']


def test_a_parked_book_is_the_last_known_one() -> None:
    found = writer()
    numbered(found, 1)
    sent(found, update(1))
    found.park(SPY)
    lines = sent(found)
    [book] = on(lines, "market:SPY:ARCA:book")
    assert book[2].endswith(
        f'"seq":1,"bids":{BIDS.decode()},"asks":{ASKS.decode()},"state":"parked"}}'
    )
    assert book[3:] == ["EX", "60"]
    assert on(lines, "coord:depth:live:SPY") == [["DEL", "coord:depth:live:SPY"]]


def test_parking_is_written_once() -> None:
    found = writer()
    found.park(SPY)
    assert found.pending()
    sent(found)
    assert not found.pending()
    assert sent(found) == []


def test_parking_is_repeated_until_it_is_confirmed() -> None:
    found = writer()
    sent(found, update(1))
    found.park(SPY)
    encode(found)
    assert states(sent(found)) == ['"parked"}']


def test_parking_waits_for_the_symbols_updates_that_are_still_queued() -> None:
    found = writer()
    numbered(found, 2)
    found.park(SPY)
    assert states(sent(found, update(1), drained=False)) == ['"live"}']
    assert states(sent(found, update(2), drained=False)) == ['"live"}', '"parked"}']
    assert not found.pending()


def test_rows_sent_again_do_not_bring_a_parked_venue_back() -> None:
    found = writer()
    numbered(found, 2)
    sent(found, update(1), update(2))
    found.park(SPY)
    sent(found)
    lines = sent(found, update(1), update(2))
    assert states(lines) == ['"parked"}']
    assert on(lines, "market:SPY:book") == []


def test_rows_after_the_parking_bring_the_venue_back() -> None:
    found = writer()
    numbered(found, 2)
    found.park(SPY)
    sent(found)
    assert states(sent(found, update(3))) == ['"live"}']


def test_ownership_is_said_with_the_venues_and_a_short_expiry() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA", "BATS"]})
    assert on(sent(found, update(1)), "coord:depth:live:SPY") == [
        ["SET", "coord:depth:live:SPY", '["ARCA","BATS"]', "EX", "5"]
    ]
    assert not found.pending()


def test_nothing_is_owned_without_a_live_book() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA"]})
    assert sent(found) == [["DEL", "coord:depth:live:SPY"]]


def test_ownership_is_withdrawn_when_the_feed_no_longer_names_the_symbol() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA"]})
    sent(found, update(1))
    found.quoting({})
    assert sent(found) == [["DEL", "coord:depth:live:SPY"]]


# Last values whose fate is unknown


def test_last_values_are_said_again_when_asked_for() -> None:
    found = writer()
    lines = sent(found, update(1), update(2))
    found.repeat(["SPY"])
    assert found.pending()
    again = sent(found)
    assert sorted(again) == sorted(line for line in lines if line[0] != "XADD")
    assert not found.pending()


def test_a_symbol_of_which_nothing_was_said_has_nothing_to_say_again() -> None:
    found = writer()
    found.repeat(["SPY"])
    assert not found.pending()


def test_of_a_symbol_in_the_batch_last_values_are_written_once() -> None:
    found = writer()
    sent(found, update(1))
    found.repeat(["SPY"])
    lines = sent(found, update(2))
    assert [line[-1] for line in on(lines, "raw:ibkr:depth:last:SPY")] == ["2"]


def test_a_parked_book_is_said_again_as_parked() -> None:
    found = writer()
    numbered(found, 1)
    sent(found, update(1))
    found.park(SPY)
    sent(found)
    found.repeat(["SPY"])
    assert states(sent(found)) == ['"parked"}']


# Quotes whose time is not taken


def test_a_zero_for_another_command_is_no_late_quote() -> None:
    found = writer()
    flush, _ = encode(found, changed(1, state=BookState.RESET))
    found.confirmed(flush, [0] * flush.replies)
    assert found.metrics() == {"late_quotes": 0, "future_quotes": 0}


# Expiries of keys that are not written again


def test_books_are_stretched_too_where_the_heartbeats_expiry_is_long_enough() -> None:
    found = writer(DepthTtls(90, 60, 60))
    sent(found, update(1))
    found.window(80.0)
    assert on(sent(found), "market:SPY:ARCA:book") == [["EXPIRE", "market:SPY:ARCA:book", "120"]]
    assert not found.pending()
