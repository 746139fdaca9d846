from __future__ import annotations

import pytest

from shared.control.bar_plan import BarPlan
from shared.control.pacing import Pacing

TRIO = ["SPY", "QQQ", "AAPL"]


def few(requests: int) -> BarPlan:
    """A vendor that allows so many requests in 100 s."""
    return BarPlan(Pacing(requests, 100.0))


def asked(plan: BarPlan, now_s: float, at_most: int = 20) -> list[str]:
    return plan.decide(TRIO, now_s, at_most)


def waits(plan: BarPlan, times: int) -> list[float]:
    return [plan.ended("SPY", 0.0) for _ in range(times)]


def test_every_wanted_symbol_is_asked_for_once_and_in_order() -> None:
    plan = BarPlan()
    assert [asked(plan, 0.0), asked(plan, 1.0)] == [["SPY", "QQQ", "AAPL"], []]
    assert plan.live == {"SPY", "QQQ", "AAPL"}


def test_so_many_are_asked_for_at_a_time_and_the_others_next() -> None:
    plan = BarPlan()
    assert [asked(plan, 0.0, 2), asked(plan, 0.1, 2)] == [["SPY", "QQQ"], ["AAPL"]]


@pytest.mark.parametrize("at_most", [0, -2])
def test_nothing_is_asked_for_while_no_message_is_free(at_most: int) -> None:
    plan = BarPlan()
    assert (asked(plan, 0.0, at_most), plan.live) == ([], set())


def test_sixty_requests_are_sent_in_ten_minutes() -> None:
    plan, wanted = BarPlan(), [f"S{n}" for n in range(70)]
    assert plan.decide(wanted, 0.0, 100) == wanted[:60]
    assert plan.decide(wanted, 599.9, 100) == []
    assert plan.decide(wanted, 600.0, 100) == wanted[60:]


def test_symbols_that_pacing_holds_back_are_named() -> None:
    plan = few(2)
    asked(plan, 0.0)
    assert plan.waiting(TRIO, 99.9) == ["AAPL"]


def test_nothing_waits_for_pacing_while_a_request_is_free() -> None:
    plan = few(4)
    plan.decide(["SPY"], 0.0, 20)
    assert plan.waiting(TRIO, 0.0) == []


def test_a_symbol_that_waits_for_its_own_retry_does_not_wait_for_pacing() -> None:
    plan = few(2)
    asked(plan, 0.0)
    plan.ended("SPY", 10.0, 30.0)
    assert [plan.waiting(TRIO, now_s) for now_s in (39.9, 40.0)] == [["AAPL"], ["SPY", "AAPL"]]


def test_a_request_that_ended_is_asked_for_again_after_a_second() -> None:
    plan = BarPlan()
    asked(plan, 0.0)
    plan.ended("QQQ", 50.0)
    assert plan.live == {"SPY", "AAPL"}
    assert [asked(plan, 50.9), asked(plan, 51.0)] == [[], ["QQQ"]]


def test_a_request_that_keeps_ending_is_asked_for_ever_more_slowly() -> None:
    assert waits(BarPlan(), 9) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_the_waits_of_two_symbols_are_their_own() -> None:
    plan = BarPlan()
    waits(plan, 3)
    assert plan.ended("QQQ", 0.0) == 1.0


def test_a_bar_ends_the_series_of_waits() -> None:
    plan = BarPlan()
    waits(plan, 3)
    plan.heard("SPY")
    assert plan.ended("SPY", 100.0) == 1.0


def test_a_bar_does_not_ask_again_for_a_request_that_waits() -> None:
    plan = BarPlan()
    plan.ended("SPY", 0.0, 30.0)
    plan.heard("SPY")
    assert [plan.decide(["SPY"], now_s, 20) for now_s in (29.9, 30.0)] == [[], ["SPY"]]


def test_a_wait_that_is_told_leaves_the_series_as_it_was() -> None:
    plan = BarPlan()
    waits(plan, 2)
    assert plan.ended("SPY", 100.0, 30.0) == 30.0
    assert plan.ended("SPY", 130.0) == 4.0


def test_what_is_over_is_asked_for_at_once_and_without_a_past() -> None:
    plan = BarPlan()
    asked(plan, 0.0)
    waits(plan, 5)
    plan.at_once("SPY")
    assert asked(plan, 0.1) == ["SPY"]
    assert plan.ended("SPY", 10.0) == 1.0


def test_a_live_request_that_is_renewed_is_asked_for_at_once() -> None:
    plan = BarPlan()
    asked(plan, 0.0)
    plan.at_once("QQQ")
    assert asked(plan, 0.0) == ["QQQ"]


def test_too_many_requests_hold_back_all_symbols_for_a_minute() -> None:
    plan = BarPlan()
    plan.decide(["SPY", "QQQ"], 0.0, 20)
    plan.too_many("QQQ", 5.0)
    assert plan.waiting(TRIO, 64.9) == ["QQQ", "AAPL"]
    assert [asked(plan, 64.9), asked(plan, 65.0)] == [[], ["QQQ", "AAPL"]]


def test_too_many_requests_are_no_failure_of_the_symbol() -> None:
    plan = BarPlan()
    asked(plan, 0.0)
    plan.too_many("SPY", 5.0)
    assert plan.ended("SPY", 100.0) == 1.0


def test_a_new_connection_asks_for_everything_again() -> None:
    plan = BarPlan()
    asked(plan, 0.0)
    plan.ended("SPY", 10.0, 500.0)
    plan.disconnected()
    assert plan.live == set()
    assert asked(plan, 11.0) == ["SPY", "QQQ", "AAPL"]


def test_the_vendor_counts_on_over_a_new_connection() -> None:
    plan = few(4)
    asked(plan, 0.0)
    plan.disconnected()
    assert [asked(plan, 1.0), asked(plan, 100.0)] == [["SPY"], ["QQQ", "AAPL"]]


def test_a_symbol_that_is_not_wanted_any_more_is_not_asked_for() -> None:
    plan = BarPlan()
    asked(plan, 0.0)
    plan.ended("SPY", 0.0, 0.0)
    assert plan.decide(["QQQ", "AAPL"], 10.0, 20) == []
