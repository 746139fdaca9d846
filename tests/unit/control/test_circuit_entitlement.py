"""A data type that the plan does not include waits as a whole, with one probe for all symbols."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.control.circuit import Attempt, Breakers, Change, CircuitPolicy, Outcome, Suspension

POLICY = CircuitPolicy(threshold=2, backoff_s=30.0, backoff_max_s=600.0, entitlement_retry_s=3600.0)
T = 1_790_000_000_000
DUE = T + 3_600_000


def ended(breakers: Breakers, symbol: str, outcome: Outcome, now_ms: int) -> list[Change]:
    return breakers.record(Attempt(symbol, "options", outcome, "premium endpoint"), now_ms)


def refused() -> Breakers:
    """The plan has no options: suspended from T until DUE."""
    breakers = Breakers(POLICY)
    ended(breakers, "SPY", "not_entitled", T)
    return breakers


def values(changes: list[Change]) -> dict[str, dict[str, Any]]:
    return {change.field: json.loads(change.value) for change in changes}


def test_a_refusal_suspends_the_data_type_and_is_no_failure_of_the_symbol() -> None:
    breakers = Breakers(POLICY)
    [change] = ended(breakers, "SPY", "not_entitled", T)
    assert change.text == "options: not entitled, suspended for 3600 s: premium endpoint"
    assert values([change]) == {
        "*:options": {
            **{"state": "open", "failures": 0, "trips": 1, "until_ts": DUE, "opened_ts": T},
            "reason": "premium endpoint",
        }
    }


def test_every_symbol_waits_and_other_data_types_go_on() -> None:
    breakers = refused()
    assert not breakers.allows("SPY", "options", DUE - 1)
    assert not breakers.allows("QQQ", "options", DUE - 1)
    assert breakers.allows("SPY", "RSI", T)
    assert breakers.suspension("IWM", "options", T) == Suspension(
        "premium endpoint", DUE, entitlement=True, probing=False
    )
    assert breakers.suspended(T) == [
        {
            **{"symbol": "*", "type": "options", "reason": "premium endpoint"},
            **{"until_ts": DUE, "entitlement": True},
        }
    ]


def test_requests_that_were_under_way_with_the_refused_one_change_nothing() -> None:
    breakers = refused()
    assert ended(breakers, "QQQ", "not_entitled", T + 500) == []
    assert breakers.next_ms(T + 501) == DUE


def test_the_failure_of_a_request_that_was_under_way_is_its_symbols_own() -> None:
    breakers = refused()
    assert list(values(ended(breakers, "QQQ", "failed", T + 500))) == ["QQQ:options"]
    assert breakers.next_ms(T + 501) == DUE


def test_one_probe_of_one_symbol_goes_out() -> None:
    breakers = refused()
    assert breakers.allows("QQQ", "options", DUE)
    [change] = breakers.begin("QQQ", "options", DUE)
    assert values([change])["*:options"]["state"] == "half_open"
    assert not breakers.allows("QQQ", "options", DUE + 1)
    assert not breakers.allows("SPY", "options", DUE + 1)
    assert breakers.begin("SPY", "options", DUE + 1) == []


@pytest.mark.parametrize("outcome", ["ok", "empty"])
def test_an_answered_probe_lets_all_symbols_go_on(outcome: Outcome) -> None:
    breakers = refused()
    breakers.begin("QQQ", "options", DUE)
    assert ended(breakers, "QQQ", outcome, DUE + 400) == [
        Change("*:options", "", "options: back after 1 suspension")
    ]
    assert breakers.allows("SPY", "options", DUE + 400)


def test_a_probe_that_is_refused_again_suspends_for_as_long_again() -> None:
    breakers = refused()
    breakers.begin("QQQ", "options", DUE)
    [change] = ended(breakers, "QQQ", "not_entitled", DUE + 400)
    kept = values([change])["*:options"]
    assert (kept["until_ts"], kept["trips"], kept["opened_ts"]) == (DUE + 3_600_400, 2, T)
    assert change.text == "options: not entitled, suspended for 3600 s: premium endpoint"
    assert not breakers.allows("SPY", "options", DUE + 3_600_399)
    assert breakers.allows("SPY", "options", DUE + 3_600_400)


def test_a_failed_probe_is_its_symbols_failure_and_the_next_symbol_may_probe() -> None:
    breakers = refused()
    breakers.begin("QQQ", "options", DUE)
    kept = values(ended(breakers, "QQQ", "failed", DUE + 400))
    assert (kept["*:options"]["state"], kept["*:options"]["until_ts"]) == ("open", DUE)
    assert (kept["QQQ:options"]["state"], kept["QQQ:options"]["failures"]) == ("closed", 1)
    assert breakers.allows("SPY", "options", DUE + 400)
    assert breakers.suspension("SPY", "options", DUE + 400) is not None


def test_a_symbol_whose_probes_fail_is_suspended_itself_and_others_probe_on() -> None:
    breakers = refused()
    for now_ms in (DUE, DUE + 1):
        breakers.begin("QQQ", "options", now_ms)
        ended(breakers, "QQQ", "failed", now_ms)
    assert not breakers.allows("QQQ", "options", DUE + 2)
    assert breakers.allows("SPY", "options", DUE + 2)


def test_a_probe_met_by_a_rate_limit_may_go_out_again_at_once() -> None:
    breakers = refused()
    breakers.begin("QQQ", "options", DUE)
    [change] = ended(breakers, "QQQ", "limited", DUE + 400)
    assert (change.field, change.text) == ("*:options", "")
    assert breakers.allows("SPY", "options", DUE + 400)


@pytest.mark.parametrize("outcome", ["limited", "failed"])
def test_what_another_symbol_reports_does_not_end_the_probe(outcome: Outcome) -> None:
    breakers = refused()
    breakers.begin("QQQ", "options", DUE)
    ended(breakers, "SPY", outcome, DUE + 1)
    assert not breakers.allows("IWM", "options", DUE + 2)


def test_a_symbol_that_was_failing_needs_its_own_time_too() -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "SPY", "failed", DUE - 10)
    ended(breakers, "SPY", "failed", DUE - 10)
    ended(breakers, "QQQ", "not_entitled", T)
    assert not breakers.allows("SPY", "options", DUE)
    assert breakers.allows("QQQ", "options", DUE)
    assert breakers.allows("SPY", "options", DUE + 29_990)


def test_one_request_probes_the_data_type_and_the_symbol() -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "SPY", "failed", T)
    ended(breakers, "SPY", "failed", T)
    ended(breakers, "QQQ", "not_entitled", T)
    assert list(values(breakers.begin("SPY", "options", DUE))) == ["*:options", "SPY:options"]
    assert [change.text for change in ended(breakers, "SPY", "ok", DUE)] == [
        "options: back after 1 suspension",
        "SPY options: back after 2 failures and 1 suspension",
    ]


def test_a_probe_of_a_symbol_that_is_not_entitled_is_no_further_failure() -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "SPY", "failed", T)
    ended(breakers, "SPY", "failed", T)
    breakers.begin("SPY", "options", T + 30_000)
    kept = values(ended(breakers, "SPY", "not_entitled", T + 30_400))
    assert (kept["SPY:options"]["state"], kept["SPY:options"]["failures"]) == ("open", 2)
    assert kept["SPY:options"]["until_ts"] == T + 30_000
    assert kept["*:options"]["until_ts"] == T + 3_630_400


def test_the_next_moment_of_a_symbol_is_not_before_that_of_its_data_type() -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "SPY", "failed", T)
    ended(breakers, "SPY", "failed", T)
    ended(breakers, "QQQ", "not_entitled", T)
    assert breakers.next_ms(T) == DUE
