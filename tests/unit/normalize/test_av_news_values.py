"""Values that are not what the layout says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from shared.market.sentiment import News, TickerScore, Topic
from shared.normalize.av_news import parse_news
from tests.unit.normalize.test_av_news import NOW_MS, body, entry, read, story

NO_NUMBERS: tuple[Any, ...] = (
    "", " ", "None", "none", "-", "NaN", "nan", "Infinity", "-inf", "1e999", "1_0", "0x1", True,
    [], {}, [0.1], "9" * 400, 10**400,
)  # fmt: skip
BARE = (math.nan, math.inf, -math.inf)
BEYOND = (1.000001, -1.5, 17, "1.5", "-2")


def parsed(payload: bytes) -> News:
    return parse_news(payload, "AAPL", "AAPL", NOW_MS)


@pytest.mark.parametrize("value", [0.061509, "0.061509", "6.1509e-2"])
def test_a_score_is_a_number_however_it_was_sent(value: Any) -> None:
    news = read(
        story(
            overall_sentiment_score=value,
            topics=[{"topic": "earnings", "relevance_score": value}],
            ticker_sentiment=[entry(ticker_sentiment_score=value, relevance_score=value)],
        )
    )
    (article,) = news.articles
    assert article.overall_sentiment_score == 0.061509
    assert article.topics == (Topic("earnings", 0.061509),)
    assert (article.sentiment_score, article.relevance_score) == (0.061509, 0.061509)
    assert news.bad_values == 0


@pytest.mark.parametrize("value", [1, 0, -1, "1", "0", "-1.000000"])
def test_the_ends_of_the_scale_belong_to_it(value: Any) -> None:
    news = read(story(overall_sentiment_score=value))
    assert (news.articles[0].overall_sentiment_score, news.bad_values) == (float(value), 0)


@pytest.mark.parametrize("value", [*NO_NUMBERS, *BARE, *BEYOND])
def test_an_overall_score_that_is_none_is_counted(value: Any) -> None:
    news = read(story(overall_sentiment_score=value))
    assert news.articles[0].overall_sentiment_score is None
    assert (news.dropped, news.bad_values) == (0, 1)
    assert news.articles[0].sentiment_score == 0.25


@pytest.mark.parametrize("value", [*NO_NUMBERS, *BARE, *BEYOND])
def test_an_own_score_that_is_none_is_in_no_average(value: Any) -> None:
    news = read(
        story(1, ticker_sentiment=[entry(ticker_sentiment_score=value)]),
        story(2, ticker_sentiment=[entry(ticker_sentiment_score="0.5", relevance_score="0.1")]),
    )
    assert [a.sentiment_score for a in news.articles] == [None, 0.5]
    assert [a.relevance_score for a in news.articles] == [0.9, 0.1]
    assert news.bad_values == 1
    assert news.aggregates.avg_sentiment == 0.5
    assert news.aggregates.avg_relevance == 0.5
    assert news.aggregates.weighted_sentiment == 0.5


@pytest.mark.parametrize("value", [*NO_NUMBERS, *BARE, *BEYOND, "-0.1"])
def test_a_relevance_that_is_none_is_counted(value: Any) -> None:
    news = read(
        story(
            topics=[{"topic": "earnings", "relevance_score": value}],
            ticker_sentiment=[entry(relevance_score=value)],
        )
    )
    assert news.articles[0].topics == (Topic("earnings", None),)
    assert news.articles[0].relevance_score is None
    assert news.bad_values == 2


@pytest.mark.parametrize("value", [7, 0.5, True, [], {}])
@pytest.mark.parametrize(
    "name",
    [
        "summary", "banner_image", "source", "category_within_source", "source_domain",
        "overall_sentiment_label",
    ],
)  # fmt: skip
def test_a_text_that_is_none_is_counted(name: str, value: Any) -> None:
    news = read(story(**{name: value}))
    assert getattr(news.articles[0], name) is None
    assert (news.dropped, news.bad_values) == (0, 1)


@pytest.mark.parametrize("name", ["authors", "topics", "ticker_sentiment"])
@pytest.mark.parametrize("value", [7, "text", {}, True])
def test_a_list_that_is_none_is_counted(name: str, value: Any) -> None:
    news = read(story(1), story(2, **{name: value}))
    assert getattr(news.articles[1], name) is None
    assert (news.dropped, news.bad_values) == (0, 1)


def test_rows_that_are_none_are_counted_and_the_others_stay() -> None:
    rows: list[Any] = [None, 7, "text", [], {}]
    news = read(
        story(
            authors=["Ann", None, 7],
            topics=[*rows, {"topic": 7}, {"topic": "earnings", "relevance_score": "0.5"}],
            ticker_sentiment=[*rows, {"ticker": None}, entry(ticker_sentiment_label=7)],
        )
    )
    (article,) = news.articles
    assert article.authors == ("Ann",)
    assert article.topics == (Topic("earnings", 0.5),)
    assert article.ticker_sentiment == (TickerScore("AAPL", 0.9, 0.25, None),)
    assert news.bad_values == 2 + 6 + 6 + 1


def test_a_bad_value_of_an_article_that_is_dropped_is_not_counted_too() -> None:
    news = read(story(1), story(2, title=None, overall_sentiment_score="None"))
    assert (news.dropped, news.bad_values) == (1, 0)


def test_broken_utf8_costs_the_letter_alone() -> None:
    payload = body(story(1, summary="caf@"), story(2)).replace(b"caf@", b"caf\xe9")
    news = parsed(payload)
    assert [a.summary for a in news.articles] == ["caf\ufffd", "Summary"]
    assert news.dropped == 0


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"a \ud83d\ude80 b", "a \U0001f680 b"),
        (r"a \ud83d b", "a ? b"),
        (r"a \ude80", "a ?"),
        (r"\ud83d\ude80 \ud83d", "\U0001f680 ?"),
    ],
)
def test_half_a_character_costs_itself_alone(escaped: str, text: str) -> None:
    payload = body(story(1, title="@"), story(2)).replace(b'"@"', f'"{escaped}"'.encode())
    assert [a.title for a in parsed(payload).articles] == [text, "Title 2"]


def test_no_number_of_the_whole_document_is_other_than_finite() -> None:
    news = read(
        *(
            story(n, ticker_sentiment=[entry(ticker_sentiment_score=v, relevance_score=v)])
            for n, v in enumerate([*NO_NUMBERS, *BARE, *BEYOND])
        )
    )
    assert news.aggregates.avg_sentiment is None
    assert news.aggregates.weighted_sentiment is None
    assert all(a.sentiment_score is None for a in news.articles)


def test_a_document_python_wrote_is_read_though_it_is_not_json() -> None:
    document = {"items": math.inf, "feed": [story(1), story(2, overall_sentiment_score=math.nan)]}
    news = parsed(json.dumps(document).encode())
    assert [a.overall_sentiment_score for a in news.articles] == [0.22902, None]
    assert news.bad_values == 1
