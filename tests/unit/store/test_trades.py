"""What the trades writer sends: decoded commands, literally as the contract names them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.market.trade import Trade, TradeFeed
from shared.store.trades import TradeItem, consecutive
from tests.unit.store.tapes import PRINT, PRINT_JSON, Tape


def appended(lines: Sequence[list[str]]) -> list[tuple[str, str, list[str]]]:
    """Key, first number, and the numbers in the prints of each append."""
    return [
        (line[2], line[5], [text.rpartition(":")[2].rstrip("}") for text in line[8:]])
        for line in lines
        if line[0] == "trades_append"
    ]


# Prints


def test_a_print_is_appended_with_the_fields_of_the_contract() -> None:
    tape = Tape()
    tape.put(585.94)
    assert tape.sent()[0] == [
        *("trades_append", "2", "market:SPY:trades", "coord:seq:ibkr_trades"),
        *("trades:SPY", "1", "1000", "86400", PRINT_JSON),
    ]


def test_what_rtvolume_cannot_carry_is_null() -> None:
    tape = Tape()
    tape.writer.put(Trade("SPY", 585.0, 0.5, None, 1000, 1000, TradeFeed.RT_VOLUME), 7.5)
    assert tape.sent()[0][-1] == (
        '{"ts":1000,"received_ts":1000,"price":585.0,"size":0.5,"venue":null,"feed":"rtvolume",'
        '"conditions":null,"past_limit":null,"unreported":null,"seq":1}'
    )


def test_a_queued_print_has_its_number_its_receive_times_and_its_size() -> None:
    tape = Tape()
    tape.put(585.94)
    tape.put(585.94, venue=None)
    one, two = tape.queue.items
    assert (one.symbol, one.venue, one.ts_ms, one.received_s) == ("SPY", "ARCA", 1005, 7.5)
    assert (one.seq, two.seq, two.venue) == (1, 2, "")
    assert one.size_bytes == len(PRINT_JSON) + 400


def test_each_symbol_has_one_append_with_its_first_number() -> None:
    tape = Tape()
    tape.put(1.0)
    tape.sent()
    tape.put(2.0)
    tape.put(10.0, symbol="QQQ")
    tape.put(3.0)
    flush, lines = tape.encode()
    spy, qqq = appended(lines)
    assert spy == ("market:SPY:trades", "2", ["2", "3"])
    assert qqq == ("market:QQQ:trades", "1", ["1"])
    in_order = [(item.symbol, item.seq) for item in flush.appended]
    assert in_order == [("SPY", 2), ("SPY", 3), ("QQQ", 1)]
    assert flush.shares == [2, 1]


def test_prints_behind_a_missing_number_are_an_append_of_their_own() -> None:
    tape = Tape()
    tape.put(*(float(n) for n in range(1, 7)))
    del tape.queue.items[2]
    flush, lines = tape.encode()
    assert [row[1:] for row in appended(lines)] == [("1", ["1", "2"]), ("4", ["4", "5", "6"])]
    assert flush.shares == [2, 3]


def test_every_reply_has_the_name_of_its_command() -> None:
    tape = Tape()
    tape.put(1.0)
    tape.put(2.0, symbol="QQQ")
    tape.writer.quotes.set("SPY", {"bid": 1.0}, 1010)
    flush, lines = tape.encode()
    names = [flush.name(index) for index in range(flush.replies)]
    assert names[:4] == ["append SPY", "append QQQ", "SET last SPY", "ticker_last SPY"]
    assert names[4:] == ["SET last QQQ", "ticker_last QQQ", "ticker_quote SPY"]
    verbs = " ".join(line[0] for line in lines)
    assert verbs == "trades_append trades_append SET ticker_last SET ticker_last ticker_quote"


@pytest.mark.parametrize(
    ("numbers", "runs"), [([], []), ([1, 2, 3], [[1, 2, 3]]), ([1, 3, 4, 7], [[1], [3, 4], [7]])]
)
def test_runs_end_where_a_number_is_missing(numbers: list[int], runs: list[list[int]]) -> None:
    items = [TradeItem("SPY", "ARCA", 1000, 7.5, b"{}", PRINT, number) for number in numbers]
    assert [[item.seq for item in run] for run in consecutive(items)] == runs


# Last price and volume


def test_last_price_and_ticker_are_written_once_with_the_newest_print() -> None:
    tape = Tape()
    tape.put(585.92, 585.93, 585.94)
    _, last, ticker = tape.sent()
    text = '{"price":585.94,"size":100.0,"venue":"ARCA","ts":1000,"received_ts":1005}'
    assert last == ["SET", "market:SPY:last", text, "EX", "60"]
    assert ticker[:7] == ["ticker_last", "1", "market:SPY:ticker", "1005", "5000", "60", "2000"]
    assert ticker[7:11] == ["last", "585.94", "last_size", "100.0"]
    assert ticker[11:] == ["last_venue", "ARCA", "last_ts", "1000"]


def test_an_unreported_print_is_appended_and_moves_no_last_price() -> None:
    tape = Tape()
    tape.put(999.0, unreported=True)
    assert [line[0] for line in tape.sent()] == ["trades_append"]
    assert not tape.writer.pending()


def test_behind_an_unreported_print_the_newest_reported_one_is_the_last_price() -> None:
    tape = Tape()
    tape.put(585.92, 585.93)
    tape.put(999.0, unreported=True)
    _, last, ticker = tape.sent()
    assert last[2].startswith('{"price":585.93,')
    assert ticker[7:9] == ["last", "585.93"]


def test_a_print_fetched_back_after_an_outage_is_appended_and_moves_no_last_price() -> None:
    tape = Tape()
    tape.put(999.0, feed=TradeFeed.HISTORY)
    [append] = tape.sent()
    assert (append[0], '"feed":"history"' in append[-1]) == ("trades_append", True)
    assert not tape.writer.pending()


def test_behind_a_print_fetched_back_the_newest_live_one_is_the_last_price() -> None:
    tape = Tape()
    tape.put(585.92, 585.93)
    tape.put(999.0, feed=TradeFeed.HISTORY)
    _, last, ticker = tape.sent()
    assert last[2].startswith('{"price":585.93,')
    assert ticker[7:9] == ["last", "585.93"]


def test_a_print_of_which_nobody_said_unreported_moves_the_last_price() -> None:
    tape = Tape()
    tape.put(585.94, unreported=None, venue=None)
    _, last, ticker = tape.sent()
    assert last[2] == '{"price":585.94,"size":100.0,"venue":null,"ts":1000,"received_ts":1005}'
    assert ticker[11:13] == ["last_venue", ""]


def test_a_volume_alone_writes_the_ticker_and_no_last_price() -> None:
    tape = Tape()
    tape.writer.volume("SPY", 1234500.0, 2000)
    assert tape.queue.pokes == 1
    [ticker] = tape.sent()
    assert ticker[:4] == ["ticker_last", "1", "market:SPY:ticker", "2000"]
    assert ticker[4:] == ["5000", "60", "2000", "volume", "1234500.0"]


@pytest.mark.parametrize(("volume_ms", "received"), [(2000, "2000"), (900, "1005")])
def test_volume_and_last_price_are_received_at_the_later_of_their_times(
    volume_ms: int, received: str
) -> None:
    tape = Tape()
    tape.writer.volume("SPY", 5.0, volume_ms)
    tape.put(585.94)
    ticker = tape.sent()[-1]
    assert ticker[3] == received
    assert ticker[7:11] == ["volume", "5.0", "last", "585.94"]
