"""What the bars writer sends: decoded commands, literally as the contract names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis
import orjson
import pytest

from shared.market.bar import Bar, Candle
from shared.store.bars import BarItem, BarsWriter
from shared.store.confirmed import Position
from shared.store.flush import Flush
from shared.store.keys import Keys
from shared.store.scripts import script
from shared.store.sink import Sink
from tests.unit.store.resp_commands import commands

T = 1_790_000_040
BAR = Bar(T, 585.9, 586.02, 585.88, 585.94, 1200.0, 585.951, 17)
CANDLE = Candle(T, 585.9, 586.1, 585.5, 585.94, 14400.0, None, 204, 12, True, False)
BAR_JSON = (
    '{"t":1790000040,"open":585.9,"high":586.02,"low":585.88,"close":585.94,"volume":1200.0,'
    '"wap":585.951,"count":17,"backfilled":false}'
)
CANDLE_JSON = (
    '{"t":1790000040,"open":585.9,"high":586.1,"low":585.5,"close":585.94,"volume":14400.0,'
    '"wap":null,"count":204,"bars":12,"complete":true,"backfilled":false}'
)


class Queue(Sink[BarItem]):
    """Keeps what the writer puts; nothing is sent."""

    def __init__(self) -> None:
        self.items: list[BarItem] = []
        self.pokes = 0

    def put(self, item: BarItem) -> None:
        self.items.append(item)

    def poke(self) -> None:
        self.pokes += 1


class Tape:
    """A writer of two symbols with its queue."""

    def __init__(self) -> None:
        self.writer = BarsWriter("ibkr_trades", Keys(), ["SPY", "QQQ"], (86400, 432000))
        self.queue = self.writer.sink = Queue()

    def bar(self, symbol: str = "SPY", t: int = T) -> None:
        self.writer.bar(symbol, Bar(t, 1.0, 1.0, 1.0, 1.0, 1.0, None, 1), 7.5)

    def encode(self, drained: bool = True) -> tuple[Flush[BarItem], list[list[str]]]:
        flush = self.writer.encode(list(self.queue.items), drained)
        self.queue.items.clear()
        lines = commands(flush.payload)
        assert len(lines) == flush.replies
        return flush, lines

    def sent(self, drained: bool = True) -> list[list[str]]:
        """Encode and confirm."""
        flush, lines = self.encode(drained)
        self.writer.confirmed(flush, [1] * flush.replies)
        return lines


def rows(line: Sequence[str]) -> list[list[str]]:
    """Which set, number, start and JSON of each row of a `bars_put`."""
    assert line[:3] == ["EVALSHA", script("bars_put").sha, "3"]
    return [list(line[at : at + 4]) for at in range(9, len(line), 4)]


def test_bars_and_candles_are_put_with_the_fields_of_the_contract() -> None:
    tape = Tape()
    tape.writer.bar("SPY", BAR, 7.5)
    tape.writer.candle("SPY", CANDLE, 7.5)
    [line] = tape.sent()
    assert line[3:9] == [
        *("market:SPY:bars:5s", "market:SPY:bars:1min", "coord:seq:ibkr_trades"),
        *("bars:SPY", "86400", "432000"),
    ]
    assert rows(line) == [
        ["1", "1", "1790000040", BAR_JSON],
        ["2", "2", "1790000040", CANDLE_JSON],
    ]


@pytest.mark.parametrize("number", [0.0, 1.0, 0.0001, 585.94, 1e6, 123456789.5])
def test_numbers_are_written_as_orjson_writes_them(number: float) -> None:
    tape = Tape()
    tape.writer.bar("SPY", Bar(T, number, number, number, number, number, number, 1), 7.5)
    written = tape.queue.items[0].json
    assert written == orjson.dumps(orjson.loads(written))


def test_a_queued_bar_has_its_start_its_number_and_its_size() -> None:
    tape = Tape()
    tape.writer.bar("SPY", BAR, 7.5)
    tape.writer.candle("SPY", CANDLE, 8.5)
    one, two = tape.queue.items
    assert (one.symbol, one.venue, one.ts_ms, one.received_s) == ("SPY", "", 1_790_000_040_000, 7.5)
    assert (one.seq, two.seq, two.received_s) == (1, 2, 8.5)
    assert one.size_bytes == len(BAR_JSON) + 200


def test_each_symbol_has_one_call_with_its_own_numbers() -> None:
    tape = Tape()
    tape.bar()
    tape.sent()
    tape.bar()
    tape.bar("QQQ")
    tape.bar()
    flush, (spy, qqq) = tape.encode()
    assert (spy[6], [row[1] for row in rows(spy)]) == ("bars:SPY", ["2", "3"])
    assert (qqq[6], [row[1] for row in rows(qqq)]) == ("bars:QQQ", ["1"])
    in_order = [(item.symbol, item.seq) for item in flush.appended]
    assert (in_order, flush.shares) == ([("SPY", 2), ("SPY", 3), ("QQQ", 1)], [2, 1])
    assert [flush.name(index) for index in range(flush.replies)] == ["append SPY", "append QQQ"]


def test_two_writes_of_one_start_are_both_sent_in_their_order() -> None:
    tape = Tape()
    tape.bar(t=T)
    tape.bar(t=T - 5)
    tape.bar(t=T)
    [line] = tape.sent()
    assert [row[1:3] for row in rows(line)] == [
        ["1", "1790000040"],
        ["2", "1790000035"],
        ["3", "1790000040"],
    ]


def test_bars_and_candles_are_counted_as_they_come() -> None:
    tape = Tape()
    tape.bar()
    tape.bar("QQQ")
    tape.writer.candle("SPY", CANDLE, 7.5)
    assert (tape.writer.bars, tape.writer.candles) == (2, 1)


def test_bars_leave_nothing_pending_and_nothing_to_repeat() -> None:
    tape = Tape()
    tape.bar()
    flush, _ = tape.encode()
    assert not tape.writer.pending()
    tape.writer.confirmed(flush, [1])
    tape.writer.repeat(["SPY"])
    assert not tape.writer.pending()
    assert tape.sent() == []


# Up to when everything is written


def test_what_is_covered_is_said_behind_the_bars() -> None:
    tape = Tape()
    tape.bar()
    tape.writer.cover({"SPY": 1_790_000_045_000})
    assert (tape.queue.pokes, tape.writer.pending()) == (1, True)
    put, covered = tape.sent()
    assert rows(put)[0][1] == "1"
    assert covered == ["HSET", "coord:covered:ibkr_trades", "SPY", "1790000045000"]
    assert not tape.writer.pending()


def test_what_is_covered_is_not_said_while_bars_wait() -> None:
    tape = Tape()
    tape.bar()
    tape.writer.cover({"SPY": 5000})
    assert [line[0] for line in tape.sent(drained=False)] == ["EVALSHA"]
    assert tape.writer.pending()
    assert [line[0] for line in tape.sent()] == ["HSET"]


def test_what_is_covered_is_said_again_only_where_it_changed() -> None:
    tape = Tape()
    tape.writer.cover({"SPY": 5000})
    tape.sent()
    tape.writer.cover({"SPY": 5000})
    assert not tape.writer.pending()
    assert tape.sent() == []
    tape.writer.cover({"QQQ": 6000})
    assert tape.sent() == [["HSET", "coord:covered:ibkr_trades", "SPY", "5000", "QQQ", "6000"]]


def test_what_is_covered_is_said_again_where_its_flush_failed() -> None:
    tape = Tape()
    tape.writer.cover({"SPY": 5000})
    flush, _ = tape.encode()
    assert flush.name(0) == "HSET covered"
    assert tape.writer.pending()
    assert tape.sent() == [["HSET", "coord:covered:ibkr_trades", "SPY", "5000"]]


def test_what_was_covered_while_in_flight_stays_pending() -> None:
    tape = Tape()
    tape.writer.cover({"SPY": 5000})
    flush, _ = tape.encode()
    tape.writer.cover({"SPY": 6000})
    tape.writer.confirmed(flush, [1])
    assert tape.writer.pending()
    assert tape.sent()[0][-1] == "6000"


# Where Redis stands


def test_a_position_is_asked_for_by_the_number_and_the_newest_bar() -> None:
    tape = Tape()
    assert tape.writer.positions() == ["SPY", "QQQ"]
    assert commands(tape.writer.position_commands("QQQ")) == [
        ["HGET", "coord:seq:ibkr_trades", "bars:QQQ"],
        ["ZRANGE", "market:QQQ:bars:5s", "-1", "-1", "WITHSCORES"],
    ]


@pytest.mark.parametrize(
    ("replies", "position"),
    [
        ([None, []], Position(0, 0, 0)),
        ([b"12", [BAR_JSON.encode(), b"1790000040"]], Position(12, 1_790_000_040_000, 12)),
        ([b"12", []], Position(12, 0, 12)),
        ([b"twelve", []], Position(0, 0, 0)),
        ([hiredis.ReplyError("WRONGTYPE"), hiredis.ReplyError("WRONGTYPE")], Position(0, 0, 0)),
    ],
)
def test_the_number_is_the_position_whatever_the_bars_say(
    replies: list[Any], position: Position
) -> None:
    assert Tape().writer.position(replies) == position


def test_numbers_go_on_behind_what_redis_has_and_never_back() -> None:
    tape = Tape()
    tape.writer.reseed("SPY", Position(12, 0, 12))
    tape.writer.reseed("SPY", Position(3, 0, 3))
    tape.bar()
    tape.bar("QQQ")
    assert [item.seq for item in tape.queue.items] == [13, 1]


def test_readers_do_not_know_the_numbers() -> None:
    assert (BarsWriter.feed, BarsWriter.numbered) == ("bars", False)
