from __future__ import annotations

from collections import Counter

import pytest

from shared import logs
from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer
from shared.feeds.alphavantage.refusals import Kind
from shared.feeds.alphavantage.tally import PollTally
from tests.unit.store.logged_lines import parsed, restored_logging

SPY = Poll("SPY", "options", 10.0)
QQQ = Poll("QQQ", "options", 10.0)


def answer(kind: Kind, fetch_ms: float = 5.0, attempts: int = 1) -> Answer:
    return Answer(kind, b"{}" if kind == "data" else b"", "why", True, fetch_ms, 0, attempts)


def test_nothing_is_connected_before_the_first_answer() -> None:
    assert (PollTally().connected, PollTally().answered) == (False, False)


def test_a_refusal_is_an_answer_too() -> None:
    tally = PollTally()
    tally.answer(SPY, answer("daily"))
    assert tally.connected


def test_three_transport_faults_in_a_row_are_no_longer_one_symbols() -> None:
    tally = PollTally()
    tally.answer(SPY, answer("data"))
    seen = []
    for _ in range(3):
        tally.answer(SPY, answer("transport"))
        seen.append(tally.connected)
    assert seen == [True, True, False]
    tally.answer(SPY, answer("empty"))
    assert tally.connected


def test_a_fault_among_answers_does_not_disconnect() -> None:
    tally = PollTally()
    kinds: tuple[Kind, ...] = ("data", "transport", "transport", "data", "transport", "transport")
    for kind in kinds:
        tally.answer(SPY, answer(kind))
    assert tally.connected


def test_the_figures_count_attempts_bytes_and_kinds() -> None:
    tally = PollTally()
    for fetch_ms in (1.0, 2.0, 3.0, 4.0):
        tally.answer(SPY, answer("data", fetch_ms))
    tally.answer(SPY, answer("transport", 9.0, attempts=3))
    figures = tally.figures()
    assert (figures["requests"], figures["bytes"]) == (7, 8)
    assert figures["answers"] == {"data": 4, "transport": 1}
    assert (figures["fetch_ms_p50"], figures["fetch_ms_p99"]) == (3.0, 4.0)


def test_requests_of_a_type_are_counted_with_those_that_were_repeated() -> None:
    tally = PollTally()
    tally.answer(SPY, answer("data"))
    tally.answer(QQQ, answer("transport", attempts=3))
    tally.answer(Poll("SPY", "RSI", 60.0), answer("empty", attempts=2))
    figures = tally.figures()
    assert figures["requests_by_type"] == {"options": 4, "RSI": 2}
    assert figures["requests"] == 6


def test_a_type_of_which_nothing_was_requested_is_told_as_0() -> None:
    tally = PollTally(attempts=Counter(options=0, RSI=0))
    assert tally.figures()["requests_by_type"] == {"options": 0, "RSI": 0}
    tally.answer(SPY, answer("data"))
    assert tally.figures()["requests_by_type"] == {"options": 1, "RSI": 0}
    assert tally.figures()["requests"] == 1


def test_fetches_are_counted_in_buckets_since_the_start() -> None:
    tally = PollTally()
    for fetch_ms in (10.0, 10.5, 20_000.0):
        tally.answer(SPY, answer("data", fetch_ms))
    tally.answer(SPY, answer("transport", 9.0))
    figures = tally.figures()
    assert figures["fetch_bounds_ms"][:2] == [10, 25]
    assert figures["fetch_counts"] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert figures["fetch_sum_ms"] == 20_020.5


def test_without_an_answer_there_is_no_latency() -> None:
    assert PollTally().figures()["fetch_ms_p50"] is None


def test_the_first_failure_warns_and_the_recovery_counts(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    tally = PollTally()
    with restored_logging():
        logs.configure("av_options", "INFO")
        for _ in range(3):
            tally.outcome(SPY, "failed", "http 503")
        tally.outcome(QQQ, "ok", "")
        tally.outcome(SPY, "empty", "")
        tally.outcome(SPY, "ok", "")
    lines = [(line["level"], line["event"]) for line in parsed(capfdbinary.readouterr().out)]
    assert lines == [
        ("WARNING", "SPY options failed: http 503"),
        ("INFO", "SPY options is back after 3 failures"),
    ]
    assert tally.failures == 3


def test_a_rate_limit_is_neither_a_failure_nor_a_recovery() -> None:
    tally = PollTally()
    tally.outcome(SPY, "limited", "burst")
    tally.outcome(SPY, "not_entitled", "premium")
    assert tally.failures == 0
