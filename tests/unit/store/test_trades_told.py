"""What the trades writer still has to tell, tells once more, and goes on behind."""

from __future__ import annotations

from typing import Any

import hiredis
import pytest

from shared.store.confirmed import Position
from tests.unit.store.resp_commands import commands
from tests.unit.store.tapes import PRINT_JSON, Tape

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
    assert not tape.writer.pending()
    tape.writer.quotes.offer_again(["SPY"], 4000)
    assert [(line[0], *line[7:10]) for line in tape.sent()] == [
        ("ticker_quote", "4000", "1010", "5000")
    ]


def test_a_repeat_says_the_volume_of_a_symbol_without_a_last_price() -> None:
    tape = Tape()
    tape.writer.volume("SPY", 5.0, 2000)
    first = tape.sent()
    tape.writer.repeat(["SPY"])
    assert tape.writer.pending()
    assert tape.sent() == first
    assert [(line[0], line[3], *line[-2:]) for line in first] == [
        ("ticker_last", "2000", "volume", "5.0")
    ]


def test_a_repeat_says_the_volume_of_a_symbol_whose_prints_were_all_unreported() -> None:
    tape = Tape()
    tape.put(585.94, unreported=True)
    tape.writer.volume("SPY", 5.0, 2000)
    tape.sent()
    tape.writer.repeat(["SPY"])
    assert [line[0] for line in tape.sent()] == ["ticker_last"]


def test_a_repeat_says_the_quote_of_a_symbol_that_has_nothing_else() -> None:
    tape = Tape()
    tape.writer.quotes.set("SPY", {"bid": 1.0}, 1010)
    first = tape.sent()
    tape.writer.repeat(["SPY"])
    assert tape.sent() == first
    assert [line[0] for line in first] == ["ticker_quote"]


def test_a_repeat_of_a_symbol_without_values_says_nothing() -> None:
    tape = Tape()
    tape.writer.repeat(["SPY", "QQQ"])
    assert not tape.writer.pending()
    assert tape.sent() == []


def test_a_repeat_takes_the_symbols_from_anything_that_names_them_once() -> None:
    tape = Tape()
    tape.writer.volume("SPY", 5.0, 2000)
    tape.writer.quotes.set("SPY", {"bid": 1.0}, 1010)
    tape.sent()
    tape.writer.repeat(iter(["SPY"]))
    assert [line[0] for line in tape.sent()] == ["ticker_last", "ticker_quote"]


# Where Redis stands


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


# Numbers that were given and lost


def test_numbers_go_on_behind_those_that_an_earlier_run_lost() -> None:
    tape = Tape()
    tape.writer.reseed("SPY", Position(12, 1005, 12))
    tape.writer.skip({"SPY": 20})
    tape.put(1.0)
    tape.put(1.0, symbol="QQQ")
    assert [item.seq for item in tape.queue.items] == [21, 1]


@pytest.mark.parametrize("lost", [11, 12])
def test_numbers_that_redis_is_past_already_are_not_gone_back_to(lost: int) -> None:
    tape = Tape()
    tape.writer.reseed("SPY", Position(12, 1005, 12))
    tape.writer.skip({"SPY": lost})
    tape.put(1.0)
    assert [item.seq for item in tape.queue.items] == [13]


def test_a_position_behind_the_lost_numbers_does_not_take_them_back() -> None:
    tape = Tape()
    tape.writer.skip({"SPY": 20})
    tape.writer.reseed("SPY", Position(12, 1005, 12))
    tape.put(1.0)
    assert [item.seq for item in tape.queue.items] == [21]


def test_lost_numbers_of_a_symbol_that_is_no_longer_written_are_ignored() -> None:
    tape = Tape()
    tape.writer.skip({"TSLA": 20, "QQQ": 3})
    tape.put(1.0, symbol="QQQ")
    assert [item.seq for item in tape.queue.items] == [4]
