from __future__ import annotations

import pytest

from shared.market.sentiment import Aggregates, Article, aggregated, no_news

NOW_MS = 1_779_100_000_000
HOUR_MS = 3_600_000


def article(
    ts: int,
    score: float | None = None,
    relevance: float | None = None,
    label: str | None = None,
    source: str | None = None,
) -> Article:
    return Article(
        "title",
        f"https://example.com/{ts}",
        "20260518T000000",
        source=source,
        ts=ts,
        relevance_score=relevance,
        sentiment_score=score,
        sentiment_label=label,
    )


def test_no_articles_are_news_without_figures() -> None:
    news = no_news("AAPL", NOW_MS)
    assert (news.symbol, news.fetched_ms, news.articles) == ("AAPL", NOW_MS, ())
    assert news.aggregates == Aggregates(0, None, None, None, {}, None, None, None, {})
    assert (news.dropped, news.bad_values) == (0, 0)


def test_averages_are_over_the_articles_that_have_a_score() -> None:
    found = aggregated(
        [article(1, 0.5, 0.2), article(2, -0.1, 0.4), article(3), article(4, 0.2)], NOW_MS
    )
    assert found.article_count == 4
    assert found.avg_sentiment == pytest.approx((0.5 - 0.1 + 0.2) / 3)
    assert found.avg_relevance == pytest.approx(0.3)
    assert found.weighted_sentiment == pytest.approx((0.5 * 0.2 - 0.1 * 0.4) / 0.6)


def test_articles_of_no_relevance_weigh_nothing() -> None:
    found = aggregated([article(1, 0.5, 0.0), article(2, 0.1, 0.0)], NOW_MS)
    assert found.weighted_sentiment is None
    assert found.avg_sentiment == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("ages_h", "newest", "oldest", "middle"),
    [
        ((5,), 5, 5, 5),
        ((1, 2, 10), 1, 10, 2),
        ((1, 2, 4, 10), 1, 10, 3),
        ((10, 1, 2), 1, 10, 2),
    ],
)
def test_ages_are_seconds_before_the_fetch(
    ages_h: tuple[int, ...], newest: int, oldest: int, middle: int
) -> None:
    found = aggregated([article(NOW_MS - age * HOUR_MS) for age in ages_h], NOW_MS)
    assert found.newest_age_s == newest * 3600
    assert found.oldest_age_s == oldest * 3600
    assert found.median_age_s == middle * 3600


def test_an_article_of_the_future_is_of_no_age() -> None:
    found = aggregated([article(NOW_MS + HOUR_MS)], NOW_MS)
    assert (found.newest_age_s, found.oldest_age_s, found.median_age_s) == (0, 0, 0)


def test_labels_and_sources_are_counted_where_there_is_one() -> None:
    found = aggregated(
        [
            article(1, label="Bullish", source="MSN"),
            article(2, label="Neutral", source="MSN"),
            article(3, label="Bullish", source=""),
            article(4, label=""),
            article(5),
        ],
        NOW_MS,
    )
    assert found.distribution == {"Bullish": 2, "Neutral": 1}
    assert found.sources == {"MSN": 2}
