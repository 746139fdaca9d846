"""The recorded feed, against figures computed from it here; and whatever else may come."""

from __future__ import annotations

import calendar
import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadDocument
from shared.market.sentiment import News
from shared.normalize.av_news import parse_news
from tests.support.recordings import shared_data
from tests.unit.normalize.test_av_news import body, entry, story

DIRECTORY = shared_data() / "alphavantage"
RECORDING = DIRECTORY / "NEWS_SENTIMENT_AAPL.json"
needs_recording = pytest.mark.skipif(not RECORDING.exists(), reason="no recorded news")
NOW_MS = 1_779_030_000_000


def feed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(RECORDING.read_bytes())["feed"]
    return found


def recorded(symbol: str = "AAPL") -> News:
    return parse_news(RECORDING.read_bytes(), symbol, symbol, NOW_MS)


def own(item: dict[str, Any]) -> dict[str, Any]:
    (found,) = [row for row in item["ticker_sentiment"] if row["ticker"] == "AAPL"]
    return dict(found)


def seconds(item: dict[str, Any]) -> int:
    return calendar.timegm(time.strptime(item["time_published"], "%Y%m%dT%H%M%S"))


def typed(item: dict[str, Any]) -> dict[str, Any]:
    """The article with its texts of numbers as numbers, by the names of the layout."""
    numbers = ("relevance_score", "ticker_sentiment_score")
    return item | {
        name: [
            {key: float(value) if key in numbers else value for key, value in row.items()}
            for row in item[name]
        ]
        for name in ("topics", "ticker_sentiment")
    }


@needs_recording
def test_every_field_of_every_recorded_article_is_as_it_was_sent() -> None:
    written = msgspec.to_builtins(recorded().articles)
    expected = [
        typed(item)
        | {
            "ts": seconds(item) * 1000,
            "relevance_score": float(own(item)["relevance_score"]),
            "sentiment_score": float(own(item)["ticker_sentiment_score"]),
            "sentiment_label": own(item)["ticker_sentiment_label"],
        }
        for item in feed()
    ]
    assert json.loads(json.dumps(written)) == expected
    assert len(expected) == 50


@needs_recording
def test_nothing_of_the_recording_is_dropped_or_bad() -> None:
    assert (recorded().dropped, recorded().bad_values) == (0, 0)


@needs_recording
def test_the_figures_of_the_recording_are_those_of_the_symbol_itself() -> None:
    found, items = recorded().aggregates, feed()
    scores = [float(own(item)["ticker_sentiment_score"]) for item in items]
    relevances = [float(own(item)["relevance_score"]) for item in items]
    weighted = math.fsum(map(math.prod, zip(scores, relevances, strict=True)))
    ages = [NOW_MS / 1000 - seconds(item) for item in items]
    assert found.article_count == len(items)
    assert found.avg_sentiment == pytest.approx(statistics.fmean(scores), abs=1e-12)
    assert found.avg_relevance == pytest.approx(statistics.fmean(relevances), abs=1e-12)
    assert found.weighted_sentiment == pytest.approx(weighted / math.fsum(relevances), abs=1e-12)
    assert found.distribution == Counter(own(item)["ticker_sentiment_label"] for item in items)
    assert found.sources == Counter(item["source"] for item in items)
    assert (found.newest_age_s, found.oldest_age_s) == (min(ages), max(ages))
    assert found.median_age_s == statistics.median(ages)
    overall = statistics.fmean(item["overall_sentiment_score"] for item in items)
    assert found.avg_sentiment != pytest.approx(overall, abs=1e-6)


@needs_recording
def test_the_recording_is_not_news_of_a_symbol_it_does_not_name() -> None:
    with pytest.raises(BadDocument, match="GLW"):
        recorded("GLW")


def errors() -> Iterator[bytes]:
    for path in sorted((DIRECTORY / "errors").glob("*")):
        yield path.read_bytes()


@needs_recording
def test_no_recorded_refusal_is_news_nor_is_its_text_repeated() -> None:
    for payload in errors():
        with pytest.raises(BadDocument) as caught:
            parse_news(payload, "AAPL", "AAPL", NOW_MS)
        # Some echo the API key.
        assert "detected" not in str(caught.value)
        assert "Thank" not in str(caught.value)


@pytest.mark.skipif(not (DIRECTORY / "RSI_5min.json").exists(), reason="no recorded indicators")
def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(BadDocument):
        parse_news((DIRECTORY / "RSI_5min.json").read_bytes(), "AAPL", "AAPL", NOW_MS)


TEXTS = st.text(st.characters(codec=None), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
STORIES = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | JSON for name, value in story().items()}
)
ENTRIES = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | JSON for name, value in entry().items()}
)


def read_or_refused(payload: bytes) -> News | None:
    try:
        found = parse_news(payload, "AAPL", "AAPL", NOW_MS)
    except BadDocument as error:
        assert str(error)
        return None
    assert found.symbol == "AAPL"
    return found


def strict(value: Any) -> Any:
    """`value` after a writer and a reader of JSON that know no NaN."""
    return json.loads(msgspec.json.encode(value), parse_constant=pytest.fail)


@given(JSON)
@settings(deadline=None)
def test_no_json_at_all_raises_anything_else(document: Any) -> None:
    read_or_refused(json.dumps(document).encode())
    read_or_refused(json.dumps({"feed": document}).encode())


@given(st.binary())
@settings(deadline=None)
def test_no_bytes_at_all_raise_anything_else(payload: bytes) -> None:
    read_or_refused(payload)
    read_or_refused(body(story()).replace(b"Summary", payload))
    read_or_refused(body(story()).replace(b"0.22902", payload))


@given(st.lists(STORIES | JSON, max_size=4), st.lists(ENTRIES | JSON, max_size=3))
@settings(deadline=None)
def test_each_article_is_kept_or_dropped_and_can_be_written(
    stories: list[Any], entries: list[Any]
) -> None:
    news = read_or_refused(body(*stories, story(99, ticker_sentiment=[*entries, entry()])))
    assert news is not None
    assert len(news.articles) + news.dropped == len(stories) + 1
    assert news.articles[-1].title == "Title 99"
    numbers = strict(news.aggregates)
    assert numbers["avg_sentiment"] is None or -1 <= numbers["avg_sentiment"] <= 1
    assert numbers["weighted_sentiment"] is None or -1 <= numbers["weighted_sentiment"] <= 1
    assert [a["title"] for a in strict(news.articles)] == [a.title for a in news.articles]


@needs_recording
@given(st.integers(0, 200_000))
@settings(deadline=None, max_examples=50)
def test_a_body_that_was_cut_off_is_refused(length: int) -> None:
    payload = RECORDING.read_bytes().rstrip()
    with pytest.raises(BadDocument):
        parse_news(payload[: length % len(payload)], "AAPL", "AAPL", NOW_MS)
