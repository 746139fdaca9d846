from __future__ import annotations

import json
from typing import Any

import pytest

from shared.control.circuit import Attempt, Breakers, Change, CircuitPolicy, Outcome, Suspension

POLICY = CircuitPolicy(threshold=3, backoff_s=30.0, backoff_max_s=100.0, entitlement_retry_s=3600.0)
T = 1_790_000_000_000


def ended(
    breakers: Breakers, outcome: Outcome, now_ms: int, symbol: str = "SPY", reason: str = "HTTP 503"
) -> list[Change]:
    """A request that went out and ended in the same millisecond."""
    breakers.begin(symbol, "options", now_ms)
    return breakers.record(Attempt(symbol, "options", outcome, reason), now_ms)


def opened() -> Breakers:
    """SPY's options failed at T, T + 1 and T + 2: open until T + 30,002."""
    breakers = Breakers(POLICY)
    for now_ms in (T, T + 1, T + 2):
        ended(breakers, "failed", now_ms)
    return breakers


def value(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(change.value)
    return found


def told(changes: list[Change]) -> list[str]:
    return [change.text for change in changes]


def test_what_never_failed_is_allowed_and_leaves_nothing_to_keep() -> None:
    breakers = Breakers(POLICY)
    assert breakers.allows("SPY", "options", T)
    assert breakers.begin("SPY", "options", T) == []
    assert ended(breakers, "ok", T) == ended(breakers, "empty", T) == []
    assert breakers.suspension("SPY", "options", T) is None
    assert (breakers.suspended(T), breakers.next_ms(T)) == ([], None)


def test_a_failure_below_the_threshold_is_kept_and_not_told() -> None:
    breakers = Breakers(POLICY)
    [change] = ended(breakers, "failed", T)
    assert (change.field, change.text) == ("SPY:options", "")
    assert value(change) == {
        **{"state": "closed", "failures": 1, "trips": 0, "until_ts": 0, "opened_ts": 0},
        "reason": "HTTP 503",
    }
    assert breakers.allows("SPY", "options", T)


def test_the_third_failure_in_a_row_suspends() -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "failed", T)
    ended(breakers, "failed", T + 1)
    [change] = ended(breakers, "failed", T + 2)
    assert change.text == "SPY options: suspended for 30 s after 3 failures: HTTP 503"
    assert value(change) == {
        **{"state": "open", "failures": 3, "trips": 1},
        **{"until_ts": T + 30_002, "opened_ts": T + 2, "reason": "HTTP 503"},
    }
    assert breakers.suspension("SPY", "options", T + 3) == Suspension(
        "HTTP 503", T + 30_002, entitlement=False, probing=False
    )


@pytest.mark.parametrize("outcome", ["ok", "empty"])
def test_an_answer_in_between_forgets_the_failures(outcome: Outcome) -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "failed", T)
    ended(breakers, "failed", T)
    assert ended(breakers, outcome, T) == [Change("SPY:options", "", "")]
    ended(breakers, "failed", T)
    ended(breakers, "failed", T)
    assert breakers.allows("SPY", "options", T)


def test_a_rate_limit_neither_counts_as_a_failure_nor_forgets_one() -> None:
    breakers = Breakers(POLICY)
    ended(breakers, "failed", T)
    ended(breakers, "failed", T)
    assert ended(breakers, "limited", T) == []
    assert value(ended(breakers, "failed", T)[0])["failures"] == 3


def test_a_threshold_of_one_suspends_at_once() -> None:
    breakers = Breakers(CircuitPolicy(1, 30.0, 600.0, 3600.0))
    assert told(ended(breakers, "failed", T)) == [
        "SPY options: suspended for 30 s after 1 failure: HTTP 503"
    ]


def test_nothing_is_allowed_until_the_time_has_come() -> None:
    breakers = opened()
    assert not breakers.allows("SPY", "options", T + 30_001)
    assert breakers.allows("SPY", "options", T + 30_002)


def test_a_request_before_the_time_is_no_probe() -> None:
    breakers = opened()
    assert breakers.begin("SPY", "options", T + 30_001) == []
    assert not breakers.allows("SPY", "options", T + 30_001)


def test_other_symbols_and_data_types_go_on() -> None:
    breakers = opened()
    assert breakers.allows("QQQ", "options", T + 3)
    assert breakers.allows("SPY", "RSI", T + 3)
    assert breakers.suspension("SPY", "RSI", T + 3) is None


def test_one_probe_goes_out_at_a_time() -> None:
    breakers = opened()
    [change] = breakers.begin("SPY", "options", T + 30_002)
    assert (value(change)["state"], change.text) == ("half_open", "")
    assert not breakers.allows("SPY", "options", T + 30_003)
    assert breakers.begin("SPY", "options", T + 30_003) == []
    suspension = breakers.suspension("SPY", "options", T + 30_003)
    assert suspension is not None and suspension.probing


@pytest.mark.parametrize("outcome", ["ok", "empty"])
def test_an_answered_probe_closes_and_forgets(outcome: Outcome) -> None:
    breakers = opened()
    assert ended(breakers, outcome, T + 30_002) == [
        Change("SPY:options", "", "SPY options: back after 3 failures and 1 suspension")
    ]
    assert breakers.suspended(T + 30_002) == []
    assert value(ended(breakers, "failed", T + 30_003)[0])["failures"] == 1


def test_every_failed_probe_suspends_twice_as_long_up_to_the_longest() -> None:
    breakers = opened()
    now_ms, lengths = T + 30_002, []
    for _ in range(4):
        [change] = ended(breakers, "failed", now_ms)
        lengths.append(value(change)["until_ts"] - now_ms)
        now_ms = value(change)["until_ts"]
    assert lengths == [60_000, 100_000, 100_000, 100_000]
    assert told(ended(breakers, "ok", now_ms)) == [
        "SPY options: back after 7 failures and 5 suspensions"
    ]


def test_a_failed_probe_tells_how_long_and_keeps_when_it_began() -> None:
    [change] = ended(opened(), "failed", T + 30_002, reason="timeout")
    assert change.text == "SPY options: suspended for 60 s after 4 failures: timeout"
    assert (value(change)["opened_ts"], value(change)["reason"]) == (T + 2, "timeout")


def test_after_a_thousand_failed_probes_the_length_is_still_the_longest() -> None:
    breakers = opened()
    now_ms = T
    for _ in range(1_000):
        now_ms += 100_000
        [change] = ended(breakers, "failed", now_ms)
    assert value(change)["until_ts"] == now_ms + 100_000


def test_a_probe_met_by_a_rate_limit_may_go_out_again_at_once() -> None:
    breakers = opened()
    [change] = ended(breakers, "limited", T + 40_000)
    assert change.text == ""
    assert value(change) == {
        **{"state": "open", "failures": 3, "trips": 1},
        **{"until_ts": T + 30_002, "opened_ts": T + 2, "reason": "HTTP 503"},
    }
    assert breakers.allows("SPY", "options", T + 40_000)


def test_a_probe_that_never_reports_does_not_block_for_ever() -> None:
    breakers = opened()
    breakers.begin("SPY", "options", T + 30_002)
    assert not breakers.allows("SPY", "options", T + 330_001)
    assert breakers.next_ms(T + 30_003) == T + 330_002
    assert breakers.allows("SPY", "options", T + 330_002)
    # Kept as half-open already.
    assert breakers.begin("SPY", "options", T + 330_002) == []
    assert not breakers.allows("SPY", "options", T + 330_003)


def test_a_reason_is_cut_and_put_on_one_line() -> None:
    breakers = Breakers(POLICY)
    [change] = ended(breakers, "failed", T, reason="a\r\n  b " + "x" * 300)
    assert value(change)["reason"] == "a b " + "x" * 196


def test_a_reason_that_is_no_text_can_be_kept() -> None:
    [change] = ended(Breakers(POLICY), "failed", T, reason="bad \ud800 byte")
    assert value(change)["reason"] == "bad ? byte"


def test_without_a_reason_the_line_ends_with_what_happened() -> None:
    breakers = Breakers(CircuitPolicy(1, 0.5, 600.0, 3600.0))
    assert told(ended(breakers, "failed", T, reason="")) == [
        "SPY options: suspended for 0.5 s after 1 failure"
    ]


def test_the_suspended_are_listed_in_order() -> None:
    breakers = Breakers(CircuitPolicy(1, 30.0, 600.0, 3600.0))
    for symbol, kind in (("SPY", "options"), ("QQQ", "options"), ("QQQ", "RSI")):
        breakers.record(Attempt(symbol, kind, "failed", f"{symbol} {kind}"), T)
    assert breakers.suspended(T) == [
        {
            **{"symbol": symbol, "type": kind, "reason": f"{symbol} {kind}"},
            **{"until_ts": T + 30_000, "entitlement": False},
        }
        for symbol, kind in (("QQQ", "RSI"), ("QQQ", "options"), ("SPY", "options"))
    ]


def test_the_next_moment_is_the_earliest_of_all() -> None:
    breakers = opened()
    for now_ms in (T + 10, T + 11, T + 12):
        ended(breakers, "failed", now_ms, symbol="QQQ")
    assert breakers.next_ms(T + 13) == T + 30_002
    assert breakers.next_ms(T + 50_000) == T + 50_000
    breakers.begin("SPY", "options", T + 30_002)
    assert breakers.next_ms(T + 30_003) == T + 30_012
