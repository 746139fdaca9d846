from __future__ import annotations

from typing import Any

import pytest

from shared.exporter import vendor
from shared.store.token_policy import BucketPolicy, BucketState
from tests.unit.exporter.samples import NOW_MS, exported, of, told

POLICY = BucketPolicy(600, 10, 20)
NOW_US = NOW_MS * 1000
SYMBOLS, KINDS = ("SPY", "AAPL"), ("options", "sentiment", "RSI")


def budget(bucket: BucketState | None) -> dict[str, float]:
    return told(lambda sheet: vendor.tell_budget(sheet, exported(bucket=bucket), POLICY))


def breakers(**circuits: dict[str, Any]) -> dict[str, float]:
    seen = exported(breakers=circuits)
    return told(lambda sheet: vendor.tell_breakers(sheet, seen, SYMBOLS, KINDS))


def polls(worker: str, **figures: Any) -> dict[str, float]:
    return told(lambda sheet: vendor.tell_polls(sheet, [(worker, figures)], KINDS))


def test_the_bucket_is_told_as_it_is_now() -> None:
    state = BucketState(
        NOW_US, NOW_US - 350_000, NOW_US + 5_000_000, "minute", None, 74, 55, 7_136_000, 2
    )
    assert budget(state) == {
        "budget_tokens": 3,
        "budget_burst_tokens": 5,
        "budget_calls_per_minute": 590,
        "budget_calls_granted_total": 74,
        "budget_calls_waited_total": 55,
        "budget_wait_seconds_total": 7.136,
        "budget_calls_refused_total": 2,
        "budget_cooldown_seconds": 5,
    }


def test_without_an_account_there_is_no_budget() -> None:
    assert budget(None) == {}


def test_circuits_are_told_of_known_symbols_and_types_alone() -> None:
    open_ = {"state": "open", "failures": 3, "until_ts": NOW_MS + 30_000, "reason": "503"}
    found = breakers(
        av_options={"SPY:options": open_, "EVIL:options": open_},
        av_sentiment={"*:RSI": {**open_, "state": "half_open"}, "SPY:made_up": open_},
    )
    assert of(found, "breaker_open") == {
        'symbol="SPY",type="options",worker="av_options"': 1,
        'symbol="*",type="RSI",worker="av_sentiment"': 0,
    }
    assert of(found, "breaker_left_seconds") == {
        'symbol="SPY",type="options",worker="av_options"': 30,
        'symbol="*",type="RSI",worker="av_sentiment"': 0,
    }
    # All of them are counted.
    assert of(found, "breakers_open") == {'worker="av_options"': 2, 'worker="av_sentiment"': 1}


def test_without_a_failure_no_circuit_is_open() -> None:
    assert breakers() == {
        'breakers_open{worker="av_options"}': 0,
        'breakers_open{worker="av_sentiment"}': 0,
    }


def test_answers_are_counted_by_kind_from_zero_on() -> None:
    found = of(
        polls("av_options", answers={"data": 25, "minute": 2, "made up": 9}),
        "vendor_answers_total",
    )
    assert {name: count for name, count in found.items() if count} == {
        'kind="data",worker="av_options"': 25,
        'kind="minute",worker="av_options"': 2,
    }
    assert 'kind="transport",worker="av_options"' in found


def test_requests_are_counted_by_known_types_alone() -> None:
    told = {"sentiment": 40, "RSI": 0, "made up": 9}
    found = polls("av_sentiment", requests=49, requests_by_type=told)
    assert of(found, "vendor_requests_total") == {
        'type="sentiment",worker="av_sentiment"': 40,
        'type="RSI",worker="av_sentiment"': 0,
    }


@pytest.mark.parametrize("told", [None, "text", [1, 2], {"options": "many"}, {"options": None}])
def test_what_is_no_count_of_requests_is_left_out(told: Any) -> None:
    found = polls("av_options", requests=3, requests_by_type=told)
    assert of(found, "vendor_requests_total") == {}


def test_an_empty_chain_is_no_written_one() -> None:
    found = polls("av_options", chains=25, empty_chains=5, unchanged_chains=7, contracts=15_000)
    assert of(found, "option_chains_total") == {
        'result="written"': 20,
        'result="empty"': 5,
        'result="unchanged"': 7,
    }
    assert found["option_contracts_total"] == 15_000


def test_the_times_of_requests_are_a_histogram() -> None:
    found = polls("av_options", fetch_bounds_ms=[10, 25], fetch_counts=[1, 2, 0], fetch_sum_ms=41.0)
    assert found['vendor_fetch_seconds_bucket{le="0.025",worker="av_options"}'] == 3
    assert found['vendor_fetch_seconds_sum{worker="av_options"}'] == 0.041


def test_workers_of_the_gateway_have_no_polls() -> None:
    assert polls("ibkr_depth", requests=3, answers={"data": 3}) == {}
