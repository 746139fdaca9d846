"""A restart goes on with the circuits that were kept."""

from __future__ import annotations

import json

import pytest

from shared.control.circuit import Attempt, Breakers, CircuitPolicy, Outcome

POLICY = CircuitPolicy(threshold=3, backoff_s=30.0, backoff_max_s=600.0, entitlement_retry_s=3600.0)
T = 1_790_000_000_000


def kept(state: str, until_ts: int = 0, failures: int = 3, trips: int = 1) -> str:
    return json.dumps(
        {
            **{"state": state, "failures": failures, "trips": trips, "until_ts": until_ts},
            **{"opened_ts": T - 5_000, "reason": "HTTP 503"},
        }
    )


def restored(fields: dict[str, str], now_ms: int = T) -> Breakers:
    breakers = Breakers(POLICY)
    assert breakers.restore(fields, now_ms) == []
    return breakers


def ended(breakers: Breakers, outcome: Outcome, now_ms: int) -> list[str]:
    breakers.begin("SPY", "options", now_ms)
    changes = breakers.record(Attempt("SPY", "options", outcome, "HTTP 503"), now_ms)
    return [change.text for change in changes]


def test_a_suspension_goes_on_for_the_rest_of_its_time() -> None:
    breakers = restored({"SPY:options": kept("open", T + 20_000)})
    assert not breakers.allows("SPY", "options", T + 19_999)
    assert breakers.allows("SPY", "options", T + 20_000)
    assert ended(breakers, "ok", T + 20_000) == [
        "SPY options: back after 3 failures and 1 suspension"
    ]


def test_the_next_suspension_is_longer_than_the_one_before_the_restart() -> None:
    breakers = restored({"SPY:options": kept("open", T, failures=4, trips=2)})
    assert ended(breakers, "failed", T) == [
        "SPY options: suspended for 120 s after 5 failures: HTTP 503"
    ]


def test_two_of_three_failures_are_not_forgotten() -> None:
    breakers = restored({"SPY:options": kept("closed", failures=2, trips=0)})
    assert breakers.allows("SPY", "options", T)
    assert breakers.suspended(T) == []
    assert ended(breakers, "failed", T) == [
        "SPY options: suspended for 30 s after 3 failures: HTTP 503"
    ]


def test_a_probe_that_died_with_its_process_is_due_again() -> None:
    breakers = restored({"SPY:options": kept("half_open", T - 1_000)})
    suspension = breakers.suspension("SPY", "options", T)
    assert suspension is not None and not suspension.probing
    assert breakers.allows("SPY", "options", T)
    breakers.begin("SPY", "options", T)
    assert not breakers.allows("SPY", "options", T)


def test_a_data_type_without_entitlement_stays_suspended() -> None:
    breakers = restored({"*:options": kept("open", T + 3_000_000, failures=0)})
    assert not breakers.allows("QQQ", "options", T + 2_999_999)
    assert breakers.suspended(T)[0]["entitlement"] is True


def test_a_probe_under_way_is_forgotten_when_all_is_restored_again() -> None:
    breakers = restored({"SPY:options": kept("open", T)})
    breakers.begin("SPY", "options", T)
    breakers.restore({"SPY:options": kept("open", T)}, T + 1)
    assert breakers.allows("SPY", "options", T + 1)


def test_what_is_no_longer_kept_is_no_longer_suspended() -> None:
    breakers = restored({"SPY:options": kept("open", T + 20_000)})
    breakers.restore({}, T)
    assert breakers.suspended(T) == []


@pytest.mark.parametrize(
    ("field", "ahead_ms", "allowed"),
    [
        ("SPY:options", 600_000, False),
        ("SPY:options", 600_001, True),
        ("*:options", 3_600_000, False),
        ("*:options", 3_600_001, True),
    ],
)
def test_a_clock_that_stepped_back_makes_it_due_now(
    field: str, ahead_ms: int, allowed: bool
) -> None:
    breakers = restored({field: kept("open", T + ahead_ms)})
    assert breakers.allows("SPY", "options", T) is allowed
    assert breakers.next_ms(T) == (T if allowed else T + ahead_ms)
    assert breakers.suspended(T)[0]["until_ts"] == (T if allowed else T + ahead_ms)


def test_a_probe_sent_before_the_clock_stepped_back_is_not_waited_for() -> None:
    breakers = restored({"SPY:options": kept("open", T)})
    breakers.begin("SPY", "options", T)
    assert not breakers.allows("SPY", "options", T - 1_000)
    assert breakers.allows("SPY", "options", T - 86_400_000)


def test_a_failed_probe_suspends_though_the_threshold_was_raised() -> None:
    breakers = Breakers(CircuitPolicy(10, 30.0, 600.0, 3600.0))
    breakers.restore({"SPY:options": kept("open", T)}, T)
    ended(breakers, "failed", T)
    assert not breakers.allows("SPY", "options", T + 59_999)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("SPY:options", ""),
        ("SPY:options", "{"),
        ("SPY:options", "[]"),
        ("SPY:options", "\ufffd"),
        ("SPY:options", '{"state":"ajar"}'),
        ("SPY:options", '{"state":"open","until_ts":"soon"}'),
        ("SPY:options", '{"state":"open","until_ts":-1}'),
        ("SPY:options", '{"state":"open","until_ts":1e300}'),
        ("SPY:options", '{"state":"open","until_ts":99999999999999999999}'),
        ("SPY:options", '{"state":"open","failures":null}'),
        ("SPY:options", '{"state":"open","trips":true}'),
        ("SPY:options", '{"state":"open","reason":5}'),
        ("SPY", '{"state":"open"}'),
        (":options", '{"state":"open"}'),
        ("SPY:", '{"state":"open"}'),
        ("", '{"state":"open"}'),
    ],
)
def test_an_unreadable_field_is_named_and_the_others_count(field: str, value: str) -> None:
    breakers = Breakers(POLICY)
    fields = {field: value, "QQQ:options": kept("open", T + 20_000)}
    assert breakers.restore(fields, T) == [field]
    assert breakers.allows("SPY", "options", T)
    assert [row["symbol"] for row in breakers.suspended(T)] == ["QQQ"]


def test_fields_that_a_later_version_adds_are_no_obstacle() -> None:
    breakers = restored({"SPY:options": '{"state":"open","until_ts":1,"later":[1]}'})
    assert breakers.allows("SPY", "options", T)


def test_every_change_that_was_kept_can_be_restored() -> None:
    breakers, fields = Breakers(POLICY), dict[str, str]()
    outcomes: list[Outcome] = ["failed", "failed", "failed", "limited", "not_entitled", "failed"]
    for number, outcome in enumerate(outcomes):
        now_ms = T + number * 40_000
        changes = breakers.begin("SPY", "options", now_ms)
        changes += breakers.record(Attempt("SPY", "options", outcome, 'a "quoted" é'), now_ms)
        fields |= {change.field: change.value for change in changes}
    again = restored(fields, T + 200_000)
    assert again.suspended(T + 200_000) == breakers.suspended(T + 200_000)
