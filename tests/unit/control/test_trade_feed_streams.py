from __future__ import annotations

import pytest

from shared.control.trade_feed import CloseStream, OpenStream, StreamPlan, StreamPolicy

POLICY = StreamPolicy(streams=3)


def planned(*symbols: str) -> StreamPlan:
    plan = StreamPlan(list(symbols), POLICY)
    plan.connected()
    return plan


def opened(*symbols: str) -> list[OpenStream | CloseStream]:
    return [OpenStream(symbol) for symbol in symbols]


def test_no_stream_is_asked_for_before_the_login() -> None:
    assert StreamPlan(["SPY"]).decide(0.0) == []


def test_the_most_important_symbols_get_the_streams_once() -> None:
    plan = planned("SPY", "QQQ", "AAPL", "IBM")
    assert plan.decide(0.0) == opened("SPY", "QQQ", "AAPL")
    assert plan.decide(1.0) == []


def test_a_refusal_says_how_many_streams_there_are() -> None:
    plan = planned("SPY", "QQQ", "AAPL", "IBM")
    plan.decide(0.0)
    plan.refused("AAPL", 0.1)
    assert (plan.limit, plan.live, plan.refusals) == (2, ["SPY", "QQQ"], 1)
    assert plan.decide(20.0) == []


def test_refusals_of_a_burst_end_at_what_is_open() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.refused("QQQ", 0.1)
    plan.refused("AAPL", 0.2)
    assert (plan.limit, plan.live) == (1, ["SPY"])


def test_a_refused_symbol_takes_the_stream_of_a_less_important_one() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.refused("SPY", 0.1)
    assert plan.decide(14.9) == []
    assert plan.decide(15.0) == [CloseStream("AAPL")]
    assert plan.decide(15.9) == []
    assert plan.decide(16.0) == opened("SPY")


def test_a_refusal_counts_the_streams_that_are_still_being_cancelled() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.refused("SPY", 0.1)
    plan.decide(15.0)
    plan.refused("QQQ", 15.5)
    assert plan.limit == 1


def test_one_stream_more_is_tried_now_and_then() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.refused("AAPL", 0.0)
    assert plan.decide(299.9) == []
    assert plan.decide(300.0) == opened("AAPL")
    plan.refused("AAPL", 300.1)
    assert plan.limit == 2


def test_an_account_without_streams_gets_none_until_the_next_try() -> None:
    plan = planned("SPY")
    plan.decide(0.0)
    plan.refused("SPY", 0.0)
    assert (plan.limit, plan.decide(100.0), plan.decide(300.0)) == (0, [], opened("SPY"))


def test_a_limit_is_remembered_over_a_reconnect() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.refused("AAPL", 0.1)
    plan.disconnected()
    assert plan.decide(20.0) == []
    plan.connected()
    assert plan.decide(21.0) == opened("SPY", "QQQ")


def test_a_symbol_is_not_asked_for_twice_within_fifteen_seconds() -> None:
    plan = planned("SPY")
    plan.decide(0.0)
    plan.disconnected()
    plan.connected()
    assert plan.decide(14.0) == []
    assert plan.decide(15.0) == opened("SPY")


def test_a_symbol_without_tick_by_tick_data_leaves_its_stream_to_the_next() -> None:
    plan = planned("SPX", "SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.exclude("SPX")
    assert plan.decide(1.0) == opened("AAPL")
    plan.include("SPX")
    assert plan.decide(20.0) == [CloseStream("AAPL")]


def test_a_stream_that_ended_is_asked_for_again() -> None:
    plan = planned("SPY")
    plan.decide(0.0)
    plan.ended("SPY")
    assert plan.decide(15.0) == opened("SPY")


def test_so_many_streams_are_opened_at_a_time_and_the_others_next() -> None:
    plan = planned("SPY", "QQQ", "AAPL", "IBM")
    assert plan.decide(0.0, 2) == opened("SPY", "QQQ")
    assert plan.decide(0.1, 2) == opened("AAPL")
    assert plan.decide(0.2, 2) == []


def test_no_stream_is_opened_while_no_message_is_free() -> None:
    plan = planned("SPY", "QQQ")
    assert (plan.decide(0.0, 0), plan.live) == ([], [])
    assert plan.decide(0.1, 1) == opened("SPY")


@pytest.mark.parametrize("at_most", [3, 4, None])
def test_room_for_more_messages_opens_no_stream_beyond_the_limit(at_most: int | None) -> None:
    assert planned("SPY", "QQQ", "AAPL", "IBM").decide(0.0, at_most) == opened("SPY", "QQQ", "AAPL")


def test_a_symbol_that_no_message_was_free_for_has_no_wait_of_its_own() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0, 1)
    plan.ended("SPY")
    assert plan.decide(14.9, 5) == opened("QQQ", "AAPL")
    assert plan.decide(15.0, 5) == opened("SPY")


def test_a_stream_is_closed_though_no_message_is_free_for_a_new_one() -> None:
    plan = planned("SPX", "SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.exclude("SPX")
    plan.decide(1.0)
    plan.include("SPX")
    assert plan.decide(20.0, 0) == [CloseStream("AAPL")]
    assert plan.decide(21.0, 0) == []
    assert plan.decide(21.1, 1) == opened("SPX")


def test_a_cancelled_stream_is_counted_for_a_while_and_asked_for_again_when_it_may() -> None:
    plan = planned("SPY", "QQQ", "AAPL", "IBM")
    plan.decide(0.0)
    plan.cancelled("SPY", 14.5)
    assert (plan.live, plan.decide(15.4)) == (["QQQ", "AAPL"], [])
    assert plan.decide(15.5) == opened("SPY")


def test_a_stream_that_is_not_open_cannot_be_cancelled() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.ended("SPY")
    plan.cancelled("SPY", 14.9)
    assert plan.decide(15.0) == opened("SPY")


def test_a_refusal_counts_a_stream_that_was_cancelled_a_moment_ago() -> None:
    plan = planned("SPY", "QQQ", "AAPL")
    plan.decide(0.0)
    plan.cancelled("SPY", 10.0)
    plan.refused("AAPL", 10.5)
    assert plan.limit == 2
