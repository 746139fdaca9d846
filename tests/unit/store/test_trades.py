"""What the trades writer sends: decoded commands, literally as the contract names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis
import msgspec
import pytest

from shared.market.trade import Trade, TradeFeed
from shared.store.confirmed import Position
from shared.store.flush import Flush
from shared.store.keys import Keys
from shared.store.scripts import script
from shared.store.sink import Sink
from shared.store.trades import TradeItem, TradesWriter, consecutive
from tests.unit.store.resp_commands import commands

SHAS = {script(n).sha: n for n in ("trades_append", "ticker_last", "ticker_quote")}
TBT = TradeFeed.TICK_BY_TICK
PRINT = Trade("SPY", 585.94, 100.0, "ARCA", 1000, 1005, TBT, "@  I", False, False)
PRINT_JSON = (
    '{"ts":1000,"received_ts":1005,"price":585.94,"size":100.0,"venue":"ARCA","feed":"tbt",'
    '"conditions":"@  I","past_limit":false,"unreported":false,"seq":1}'
)


class Queue(Sink[TradeItem]):
    """Keeps what the writer puts; nothing is sent."""

    def __init__(self) -> None:
        self.items: list[TradeItem] = []
        self.pokes = 0

    def put(self, item: TradeItem) -> None:
        self.items.append(item)

    def poke(self) -> None:
        self.pokes += 1


class Tape:
    """A writer of two symbols with its queue."""

    def __init__(self) -> None:
        self.writer = TradesWriter("ibkr_trades", Keys(), ["SPY", "QQQ"], (86400, 60))
        self.queue = self.writer.sink = Queue()

    def put(self, *prices: float, symbol: str = "SPY", **changes: Any) -> None:
        for price in prices:
            fields = {"symbol": symbol, "price": price, **changes}
            self.writer.put(msgspec.structs.replace(PRINT, **fields), 7.5)

    def encode(self) -> tuple[Flush[TradeItem], list[list[str]]]:
        flush = self.writer.encode(list(self.queue.items), True)
        self.queue.items.clear()
        return flush, named(flush)

    def sent(self) -> list[list[str]]:
        """Encode and confirm."""
        flush, lines = self.encode()
        self.writer.confirmed(flush, [1] * flush.replies)
        return lines


def named(flush: Flush[TradeItem]) -> list[list[str]]:
    """The commands, those of a script beginning with its name."""
    lines = commands(flush.payload)
    return [[SHAS[line[1]], *line[2:]] if line[0] == "EVALSHA" else line for line in lines]


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
    assert ticker[:6] == ["ticker_last", "1", "market:SPY:ticker", "1005", "60", "2000"]
    assert ticker[6:10] == ["last", "585.94", "last_size", "100.0"]
    assert ticker[10:] == ["last_venue", "ARCA", "last_ts", "1000"]


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
    assert ticker[6:8] == ["last", "585.93"]


def test_a_print_of_which_nobody_said_unreported_moves_the_last_price() -> None:
    tape = Tape()
    tape.put(585.94, unreported=None, venue=None)
    _, last, ticker = tape.sent()
    assert last[2] == '{"price":585.94,"size":100.0,"venue":null,"ts":1000,"received_ts":1005}'
    assert ticker[10:12] == ["last_venue", ""]


def test_a_volume_alone_writes_the_ticker_and_no_last_price() -> None:
    tape = Tape()
    tape.writer.volume("SPY", 1234500.0, 2000)
    assert tape.queue.pokes == 1
    [ticker] = tape.sent()
    assert ticker[:4] == ["ticker_last", "1", "market:SPY:ticker", "2000"]
    assert ticker[4:] == ["60", "2000", "volume", "1234500.0"]


@pytest.mark.parametrize(("volume_ms", "received"), [(2000, "2000"), (900, "1005")])
def test_volume_and_last_price_are_received_at_the_later_of_their_times(
    volume_ms: int, received: str
) -> None:
    tape = Tape()
    tape.writer.volume("SPY", 5.0, volume_ms)
    tape.put(585.94)
    ticker = tape.sent()[-1]
    assert ticker[3] == received
    assert ticker[6:10] == ["volume", "5.0", "last", "585.94"]


# Until it is confirmed


def test_a_last_value_is_pending_until_its_flush_is_confirmed() -> None:
    tape = Tape()
    assert not tape.writer.pending()
    tape.put(585.94)
    flush, first = tape.encode()
    assert tape.encode()[1] == first[1:]
    assert tape.writer.pending()
    tape.writer.confirmed(flush, [1] * flush.replies)
    assert not tape.writer.pending()


def test_a_volume_that_changed_while_in_flight_stays_pending() -> None:
    tape = Tape()
    tape.writer.volume("SPY", 5.0, 2000)
    flush, _ = tape.encode()
    tape.writer.volume("SPY", 5.0, 2001)
    tape.writer.confirmed(flush, [1])
    assert tape.writer.pending()
    assert tape.sent()[0][3] == "2001"


def test_a_repeat_says_the_last_values_of_these_symbols_once_more() -> None:
    tape = Tape()
    tape.put(1.0)
    tape.put(2.0, symbol="QQQ")
    tape.writer.quotes.set("SPY", {"bid": 1.0}, 1010)
    first = tape.sent()
    tape.writer.repeat(["SPY"])
    again = [line for line in first[2:] if "market:QQQ" not in f"{line}"]
    assert tape.sent() == again
    assert [line[0] for line in again] == ["SET", "ticker_last", "ticker_quote"]


def test_quotes_keep_a_flush_pending_and_learn_their_own_replies() -> None:
    tape = Tape()
    tape.put(1.0)
    tape.writer.quotes.set("SPY", {"bid": 1.0}, 1010)
    flush, _ = tape.encode()
    tape.writer.confirmed(flush, [1, b"OK", 1, -1])
    assert tape.writer.metrics()["quotes_foreign"] == 1
    tape.writer.quotes.offer_again()
    assert [line[0] for line in tape.sent()] == ["ticker_quote"]


def test_a_position_is_asked_for_by_the_number_and_the_newest_print() -> None:
    tape = Tape()
    assert tape.writer.positions() == ["SPY", "QQQ"]
    number, newest = commands(tape.writer.position_commands("QQQ"))
    assert number == ["HGET", "coord:seq:ibkr_trades", "trades:QQQ"]
    assert newest == ["LINDEX", "market:QQQ:trades", "0"]


@pytest.mark.parametrize(
    ("replies", "position"),
    [
        ([None, None], Position(0, 0, 0)),
        ([b"12", PRINT_JSON.encode()], Position(12, 1005, 12)),
        ([b"12", None], Position(12, 0, 12)),
        ([b"twelve", b"no json"], Position(0, 0, 0)),
        ([b"12", b"[1005]"], Position(12, 0, 12)),
        ([hiredis.ReplyError("WRONGTYPE"), hiredis.ReplyError("WRONGTYPE")], Position(0, 0, 0)),
    ],
)
def test_the_number_is_the_position_whatever_the_list_holds(
    replies: list[Any], position: Position
) -> None:
    assert Tape().writer.position(replies) == position


def test_numbers_go_on_behind_what_redis_has_and_never_back() -> None:
    tape = Tape()
    for position in (Position(12, 1005, 12), Position(3, 900, 3)):
        tape.writer.reseed("SPY", position)
    tape.put(1.0)
    tape.put(1.0, symbol="QQQ")
    assert [item.seq for item in tape.queue.items] == [13, 1]
    assert tape.writer.last_traded() == {"SPY": 1005, "QQQ": 0}
