from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import BadDocument
from shared.market.sentiment import Article, News, TickerScore, Topic
from shared.normalize.av_news import parse_news

NOW_MS = 1_779_100_000_000


def entry(ticker: str = "AAPL", **fields: Any) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "relevance_score": "0.900000",
        "ticker_sentiment_score": "0.250000",
        "ticker_sentiment_label": "Somewhat-Bullish",
    } | fields


def story(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "title": f"Title {number}",
        "url": f"https://example.com/{number}",
        "time_published": "20260517T110100",
        "authors": ["Ann", "Bob"],
        "summary": "Summary",
        "banner_image": None,
        "source": "Benzinga",
        "category_within_source": "General",
        "source_domain": "Benzinga",
        "topics": [{"topic": "technology", "relevance_score": "1.0"}],
        "overall_sentiment_score": 0.22902,
        "overall_sentiment_label": "Somewhat-Bullish",
        "ticker_sentiment": [entry("MSFT", ticker_sentiment_score="-0.5"), entry()],
    } | fields


def body(*stories: Any) -> bytes:
    return json.dumps({"items": "50", "feed": stories}, indent=4).encode()


def read(*stories: Any, symbol: str = "AAPL", vendor_symbol: str | None = None) -> News:
    return parse_news(body(*stories), symbol, vendor_symbol or symbol, NOW_MS)


def only(*stories: Any, **names: Any) -> Article:
    (article,) = read(*stories, **names).articles
    return article


def without(name: str) -> dict[str, Any]:
    found = story()
    del found[name]
    return found


def test_every_field_of_an_article_is_kept_with_its_type() -> None:
    assert only(story()) == Article(
        title="Title 1",
        url="https://example.com/1",
        time_published="20260517T110100",
        authors=("Ann", "Bob"),
        summary="Summary",
        banner_image=None,
        source="Benzinga",
        category_within_source="General",
        source_domain="Benzinga",
        topics=(Topic("technology", 1.0),),
        overall_sentiment_score=0.22902,
        overall_sentiment_label="Somewhat-Bullish",
        ticker_sentiment=(
            TickerScore("MSFT", 0.9, -0.5, "Somewhat-Bullish"),
            TickerScore("AAPL", 0.9, 0.25, "Somewhat-Bullish"),
        ),
        # 2026-05-17 11:01:00 UTC.
        ts=1_779_015_660_000,
        relevance_score=0.9,
        sentiment_score=0.25,
        sentiment_label="Somewhat-Bullish",
    )


def test_fields_that_are_not_of_the_layout_are_left_out() -> None:
    assert only(story(ts=5, sentiment_score=1, new={"a": []})) == only(story())


def test_the_order_of_the_feed_is_kept() -> None:
    assert [a.title for a in read(story(2), story(1)).articles] == ["Title 2", "Title 1"]


def test_a_number_of_items_that_is_not_theirs_does_not_matter() -> None:
    assert b'"items": "50"' in body(story())
    assert len(read(story()).articles) == 1


@pytest.mark.parametrize(
    ("symbol", "vendor_symbol", "ticker"),
    [
        ("AAPL", "AAPL", "aapl"),
        ("aapl", "aapl", "AAPL"),
        ("BRK.B", "BRK-B", "BRK-B"),
        ("BRK.B", "BRK-B", "brk-b"),
        ("BRK.B", "BRK-B", "BRK.B"),
    ],
)
def test_the_own_entry_is_found_in_either_spelling(
    symbol: str, vendor_symbol: str, ticker: str
) -> None:
    found = only(
        story(ticker_sentiment=[entry("BRK-A", ticker_sentiment_score="0.9"), entry(ticker)]),
        symbol=symbol,
        vendor_symbol=vendor_symbol,
    )
    assert found.sentiment_score == 0.25


def test_an_article_about_others_is_kept_and_is_in_no_average() -> None:
    news = read(
        story(1),
        story(2, ticker_sentiment=[entry("MSFT", ticker_sentiment_score="-0.9")]),
        story(3, ticker_sentiment=[]),
    )
    assert [a.sentiment_score for a in news.articles] == [0.25, None, None]
    assert [a.relevance_score for a in news.articles] == [0.9, None, None]
    assert [a.sentiment_label for a in news.articles] == ["Somewhat-Bullish", None, None]
    assert news.aggregates.article_count == 3
    assert news.aggregates.avg_sentiment == 0.25
    assert news.aggregates.distribution == {"Somewhat-Bullish": 1}


def test_an_own_entry_without_scores_still_makes_it_news_of_the_symbol() -> None:
    news = read(story(ticker_sentiment=[{"ticker": "AAPL"}]))
    assert news.aggregates.avg_sentiment is None
    assert news.bad_values == 0


def test_a_feed_without_articles_is_no_news() -> None:
    news = read()
    assert (news.articles, news.aggregates.article_count) == ((), 0)


@pytest.mark.parametrize(
    "published",
    ["20260517T110100", "20260517T1101"],
)
def test_a_time_is_utc_with_or_without_seconds(published: str) -> None:
    found = only(story(time_published=published))
    assert (found.ts, found.time_published) == (1_779_015_660_000, published)


@pytest.mark.parametrize(
    "spoiled",
    [
        without("title"),
        without("url"),
        without("time_published"),
        story(title=""),
        story(url=""),
        story(title=None),
        story(url=7),
        story(time_published=""),
        story(time_published="2026-05-17 11:01:00"),
        story(time_published="20260517T11010"),
        story(time_published="20261317T110100"),
        story(time_published="20260230T110100"),
        story(time_published="20260517T250100"),
        story(time_published="00000517T110100"),
        story(time_published="２０２６０５１７T110100"),
        story(time_published=20260517),
        "text",
        None,
        7,
        [],
        {},
    ],
)
def test_what_is_no_article_is_dropped_and_the_others_stay(spoiled: Any) -> None:
    news = read(spoiled, story(2))
    assert [a.title for a in news.articles] == ["Title 2"]
    assert (news.dropped, news.bad_values) == (1, 0)


def test_an_article_that_is_there_twice_is_kept_once() -> None:
    news = read(story(1), story(2), story(1, title="Again"))
    assert [a.title for a in news.articles] == ["Title 1", "Title 2"]
    assert (news.dropped, news.bad_values) == (1, 0)
    assert news.aggregates.article_count == 2


@pytest.mark.parametrize(
    "name",
    [
        "authors", "summary", "banner_image", "source", "category_within_source", "source_domain",
        "topics", "overall_sentiment_score", "overall_sentiment_label",
    ],
)  # fmt: skip
def test_a_field_that_was_not_sent_is_none_and_not_bad(name: str) -> None:
    for spoiled in (without(name), story() | {name: None}):
        news = read(spoiled)
        assert getattr(news.articles[0], name) is None
        assert (news.dropped, news.bad_values) == (0, 0)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<!DOCTYPE html><html></html>",
        b'{"feed": null}',
        b'{"feed": {}}',
        b'{"feed": "text"}',
        b'{"feed": [',
        b'{"feed": NaN}',
        b"NaN",
        b"[" * 100_000,
        b'{"feed": ' + b"[" * 100_000,
        b'{"Information": "No articles found."}',
    ],
)
def test_a_body_without_a_list_of_articles_is_refused(payload: bytes) -> None:
    with pytest.raises(BadDocument, match="AAPL"):
        parse_news(payload, "AAPL", "AAPL", NOW_MS)


def test_news_of_another_symbol_is_refused() -> None:
    with pytest.raises(BadDocument, match="articles about TSLA were 0 of 2, must be at least 1"):
        read(story(1), story(2), symbol="TSLA")


def test_a_feed_of_nothing_usable_is_refused() -> None:
    with pytest.raises(BadDocument, match="usable were 0 of 2"):
        read(7, {})
