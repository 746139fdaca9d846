"""Answers of a vendor that lies: read as what they are or refused, and never to another key."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadDocument
from shared.feeds.alphavantage.refusals import classify
from shared.normalize.av_indicators import IndicatorRequest, parse_indicator
from shared.normalize.av_news import parse_news
from shared.normalize.av_options import ChainRequest, read_chain
from shared.schema.matching import Matcher
from shared.store.keys import Keys
from tests.hostile.bodies import VALUES, mutated
from tests.hostile.fuzzing import foreign, fuzz
from tests.support.option_bodies import HISTORICAL, NOW_MS, option_body, option_rows
from tests.support.recordings import shared_data

KEYS: Final = Keys()
NEWS: Final = {
    "items": "1", "feed": [{
        "title": "t", "url": "https://x/1", "time_published": "20171115T120000", "authors": ["a"],
        "summary": "s", "banner_image": None, "source": "x", "category_within_source": "n/a",
        "source_domain": "x", "topics": [{"topic": "T", "relevance_score": "0.5"}],
        "overall_sentiment_score": 0.1, "overall_sentiment_label": "Neutral",
        "ticker_sentiment": [{
            "ticker": "IBM", "relevance_score": "0.5", "ticker_sentiment_score": "0.1",
            "ticker_sentiment_label": "Neutral"}]}],
}  # fmt: skip
READING: Final = {
    "Meta Data": {
        "1: Symbol": "IBM", "2: Indicator": "Relative Strength Index (RSI)", "4: Interval": "5min",
        "7: Time Zone": "US/Eastern Time"},
    "Technical Analysis: RSI": {
        "2017-11-15 10:30": {"RSI": "55.1"}, "2017-11-15 10:25": {"RSI": "54.9"}},
}  # fmt: skip


def chain_of(body: bytes) -> Any:
    steps = read_chain(body, ChainRequest("IBM", "IBM", HISTORICAL), NOW_MS)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def news_of(body: bytes) -> Any:
    return parse_news(body, "IBM", "IBM", NOW_MS)


def reading_of(body: bytes) -> Any:
    request = IndicatorRequest("IBM", "IBM", "RSI", "5min", {})
    return parse_indicator(body, request, NOW_MS)


Parse = Callable[[bytes], Any]
MADE: Final[list[tuple[Parse, bytes]]] = [
    (chain_of, option_body(option_rows(6), HISTORICAL)),
    (news_of, json.dumps(NEWS).encode()),
    (reading_of, json.dumps(READING).encode()),
]


def recorded() -> list[tuple[Parse, bytes]]:
    """The head of each recording, where they stand beside the repository."""
    found: list[tuple[Parse, bytes]] = []
    for name, parse in (("HISTORICAL_OPTIONS_IBM_20171115", chain_of), ("RSI_5min", reading_of)):
        path = shared_data() / f"alphavantage/{name}.json"
        if path.exists():
            document = json.loads(path.read_bytes())
            if "data" in document:
                document["data"] = document["data"][:6]
            found.append((parse, json.dumps(document).encode()))
    return found


@pytest.mark.parametrize(("parse", "body"), MADE)
def test_the_true_answers_are_read(parse: Parse, body: bytes) -> None:
    assert parse(body) is not None


@fuzz(900)
@given(st.sampled_from(MADE + recorded()), st.integers(0, 2**32))
def test_whatever_an_answer_holds_it_is_read_or_refused(
    answer: tuple[Parse, bytes], seed: int
) -> None:
    parse, body = answer[0], mutated(answer[1], Random(seed))
    verdict = classify(200, body, "data")
    assert len(verdict.text) < 500
    try:
        found = parse(body)
    except BadDocument as error:
        assert len(str(error)) < 1_000
        return
    assert msgspec.json.encode(found)
    if parse is chain_of:
        assert foreign(KEYS.greeks("IBM", one.contractID) for one in found.contracts) == []
        assert all(row_of(KEYS.greeks("IBM", one.contractID)) for one in found.contracts)


def row_of(key: str) -> bool:
    """A greeks key of IBM, and nothing else."""
    row, names = Matcher(KEYS).find(key) or (None, {})
    return row is not None and names.get("symbol") == "IBM" and set(names) == {"symbol", "contract"}


@pytest.mark.parametrize("value", [one for one in VALUES if isinstance(one, str)])
def test_no_contract_id_names_another_key(value: str) -> None:
    rows = option_rows(4)
    rows[0]["contractID"] = value
    try:
        found = chain_of(option_body(rows, HISTORICAL))
    except BadDocument as error:
        # Half a character is no JSON.
        assert value == "\ud800" and "chain of IBM" in str(error)
        return
    assert len(found.contracts) == 3
    assert value not in {one.contractID for one in found.contracts}
