from __future__ import annotations

from random import Random
from typing import Any

import pytest

from simulators.alphavantage.contract import COLUMNS, Row
from simulators.alphavantage.distort import JUNK, WRONG_SYMBOL, distort_document, distort_rows
from simulators.alphavantage.faults import DISTORTIONS, Fault, FaultBook

ROWS: list[Row] = [
    (f"SPY260508C{n:08d}", "SPY", "2026-05-08", f"{n}.00", "call", "1.00", "1.00", "0.90", "5",
     "1.10", "6", "7", "8", "2026-05-04", "0.20000", "0.50000", "0.01000", "-0.01000", "0.10000",
     "0.05000")
    for n in range(1, 101)
]  # fmt: skip


def kinds(book: FaultBook, now_s: float = 0.0, function: str = "RSI", symbol: str = "SPY") -> Any:
    return book.hit(function, symbol, now_s).kinds


def distorted(kind: str, share: float | None = None) -> list[Row]:
    values = {} if share is None else {"share": share}
    return distort_rows(ROWS, [Fault(1, kind, values=values)], Random(7))


def test_a_fault_hits_so_many_requests() -> None:
    book = FaultBook()
    book.add("hang", count=2)
    assert [kinds(book) for _ in range(3)] == [["hang"], ["hang"], []]


def test_a_fault_hits_for_so_long() -> None:
    book = FaultBook()
    book.add("hang", until_s=5.0)
    assert [kinds(book, t) for t in (0.0, 4.9, 5.0)] == [["hang"], ["hang"], []]


def test_the_first_matching_requests_may_pass() -> None:
    book = FaultBook()
    book.add("hang", after=2, count=1, symbol="SPY")
    assert kinds(book, symbol="QQQ") == []
    assert [kinds(book) for _ in range(4)] == [[], [], ["hang"], []]


def test_a_fault_may_be_of_a_function_and_a_symbol() -> None:
    book = FaultBook()
    book.add("hang", function="RSI", symbol="SPY")
    assert kinds(book, function="ATR") == []
    assert kinds(book, symbol="QQQ") == []
    assert kinds(book) == ["hang"]


@pytest.mark.parametrize("kind", ["empty_chain", "missing_greeks", "vanish", "artificial"])
def test_a_fault_of_chains_leaves_other_functions_alone(kind: str) -> None:
    book = FaultBook()
    book.add(kind)
    assert kinds(book, function="NEWS_SENTIMENT") == []
    assert kinds(book, function="REALTIME_OPTIONS") == [kind]


def test_faults_of_different_sorts_meet_in_one_request() -> None:
    book = FaultBook()
    for kind in ("slow", "junk_values", "vanish", "trickle"):
        book.add(kind)
    hits = book.hit("REALTIME_OPTIONS", "SPY", 0.0)
    assert hits.kinds == ["trickle", "junk_values", "vanish", "slow"]


def test_the_second_of_a_sort_waits_for_the_next_request() -> None:
    book = FaultBook()
    book.add("html_503", count=1)
    book.add("status_429", count=1)
    assert [kinds(book) for _ in range(3)] == [["html_503"], ["status_429"], []]


def test_faults_are_cleared_by_number_by_kind_and_all_together() -> None:
    book = FaultBook()
    first = book.add("hang")
    for kind in ("reset", "reset", "stale"):
        book.add(kind)
    assert book.clear(number=first.number) == 1
    assert book.clear(kind="reset") == 2
    assert book.clear() == 1
    assert book.clear() == 0


def test_greeks_are_missing_from_all_rows_or_a_share() -> None:
    assert {len(row) for row in distorted("missing_greeks")} == {14}
    assert sum(len(row) == 14 for row in distorted("missing_greeks", 0.25)) == 25


def test_junk_stands_in_a_share_of_the_rows() -> None:
    changed = [(a, b) for a, b in zip(ROWS, distorted("junk_values", 0.5), strict=True) if a != b]
    assert len(changed) == 50
    for before, after in changed:
        odd = [n for n in range(len(COLUMNS)) if before[n] != after[n]]
        assert len(odd) == 1
        assert after[odd[0]] in JUNK
        assert COLUMNS[odd[0]] not in ("contractID", "symbol", "expiration", "type", "date")


def test_rows_of_another_symbol_agree_with_themselves() -> None:
    others = [row for row in distorted("wrong_symbol") if row[1] != "SPY"]
    assert len(others) == 5
    assert all(row[1] == WRONG_SYMBOL and row[0].startswith("ZZQ260508C") for row in others)


def test_rows_are_repeated_beside_themselves() -> None:
    rows = distorted("duplicate_rows", 0.1)
    assert len(rows) == 110
    assert sum(a == b for a, b in zip(rows, rows[1:], strict=False)) == 10


def test_the_same_contracts_vanish_every_time() -> None:
    once, again = distorted("vanish", 0.3), distorted("vanish", 0.3)
    assert once == again
    assert 15 < 100 - len(once) < 45
    assert distorted("vanish", 1.0) == []
    assert distorted("vanish", 0.0) == ROWS


@pytest.mark.parametrize("kind", sorted(DISTORTIONS))
def test_the_rows_given_in_are_left_alone(kind: str) -> None:
    before = list(ROWS)
    distorted(kind, 0.5)
    assert before == ROWS


def test_news_and_indicators_have_junk_too() -> None:
    feed = {"feed": [{"overall_sentiment_score": 0.5, "ticker_sentiment": [
        {"ticker": "SPY", "relevance_score": "1", "ticker_sentiment_score": "0.1"}]}]}  # fmt: skip
    rsi = {"Meta Data": {}, "Technical Analysis: RSI": {"2026-05-04": {"RSI": "50.0"}}}
    fault = [Fault(1, "junk_values", values={"share": 1.0})]
    changed = distort_document(feed, fault, Random(7))["feed"][0]
    assert changed["overall_sentiment_score"] in JUNK
    assert changed["ticker_sentiment"][0]["ticker_sentiment_score"] in JUNK
    changed = distort_document(rsi, fault, Random(7))
    assert changed["Technical Analysis: RSI"]["2026-05-04"]["RSI"] in JUNK
    assert feed["feed"][0]["overall_sentiment_score"] == 0.5


def test_an_article_or_an_indicator_may_be_of_another_symbol() -> None:
    fault = [Fault(1, "wrong_symbol")]
    rsi = distort_document({"Meta Data": {"1: Symbol": "SPY"}}, fault, Random(7))
    assert rsi["Meta Data"]["1: Symbol"] == WRONG_SYMBOL
    feed = {"feed": [{"ticker_sentiment": [{"ticker": "SPY"}]}]}
    changed = distort_document(feed, fault, Random(7))
    assert changed["feed"][0]["ticker_sentiment"][0]["ticker"] == WRONG_SYMBOL
